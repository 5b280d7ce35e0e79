with

households as (

    select
        household_id,
        min(line) as first_line,
        count(*) as line_count
    from demo_lines
    group by household_id

),

numbered as (

    select
        *,
        row_number() over (order by household_id) - 1 as person
    from households

)

select
    person,
    hash(person, 'person') as person_key,
    'household' as segment,
    1 as cart_factor,
    true as is_customer,
    0 as joined_day,
    false as shares_device,
    false as has_email_device,
    case
        when happens('two devices', person_key, getvariable('two_devices_share')) then 2
        else 1
    end as own_devices,
    household_id,
    'household-' || household_id::bigint as person_id,
    household_id::bigint::text as customer_id,
    null::varchar as email,
    first_line,
    line_count
from numbered
order by person
