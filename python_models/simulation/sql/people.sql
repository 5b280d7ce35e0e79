with

numbered as (

    select
        range as person,
        hash(range, 'person') as person_key,
        range < getvariable('customers') as is_customer,
        -- Neighbors live together; who shares nothing has a household of their own.
        range // 2 as pair,
        hash(range // 2, 'pair') as pair_key
    from range(getvariable('people'))

),

drawn as (

    select
        *,
        case when is_customer then segment_of(uniform('segment', person_key)) else 'visitor' end
            as segment,
        is_customer
        and (pair + 1) * 2 <= getvariable('customers')
        and happens('household', pair_key, getvariable('shared_household_share'))
            as shares_device,
        case
            when happens('three devices', person_key, getvariable('three_devices_share')) then 3
            when happens('two devices', person_key, getvariable('two_devices_share')) then 2
            else 1
        end as own_devices,
        -- Three different categories: a, a + b and a + 2b modulo 20 with 0 < b < 10.
        below(uniform('first category', person_key), 20) as category_1,
        1 + below(uniform('category step', person_key), 9) as category_step
    from numbered

),

joined as (

    select
        drawn.*,
        segments.visits_per_week,
        segments.price_sensitivity,
        segments.cart_factor,
        case
            when segments.joins_late
                then below(uniform('joining', person_key), getvariable('days'))
            else -1 - below(uniform('joining', person_key), 730)
        end as joined_day,
        ln(1 - uniform('churn', person_key)) / -segments.daily_churn as lifetime
    from drawn
    inner join segments using (segment)

)

select
    person,
    person_key,
    segment,
    visits_per_week,
    price_sensitivity,
    cart_factor,
    is_customer,
    joined_day,
    -- Whoever joined before the simulated time is still there at its start.
    greatest(joined_day, 0) + lifetime as churned_day,
    shares_device,
    own_devices,
    is_customer
    and own_devices > 1
    and happens('email link only', person_key, getvariable('email_link_only_share'))
        as has_email_device,
    category_1,
    (category_1 + category_step) % 20 as category_2,
    (category_1 + 2 * category_step) % 20 as category_3,
    'person-' || lpad(person::text, 8, '0') as person_id,
    case when shares_device then 'household-' || lpad(pair::text, 8, '0') end as household_id,
    case when is_customer then 'c' || lpad(person::text, 8, '0') end as customer_id,
    case when is_customer then 'customer' || person || '@example.com' end as email
from joined
order by person
