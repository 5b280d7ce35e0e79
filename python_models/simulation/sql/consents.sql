with

decided as (

    select
        person,
        person_key,
        customer_id,
        joined_day,
        happens('email consent', person_key, getvariable('email_consent_share')) as is_granted,
        case
            when happens('withdrawal', person_key, getvariable('consent_withdrawal_share'))
                then greatest(joined_day, 0)
                    + below(
                        uniform('withdrawal day', person_key),
                        getvariable('days') - greatest(joined_day, 0)
                    )
        end as withdrawn_day
    from people
    where is_customer

),

changes as (

    select
        person,
        customer_id,
        'email' as purpose,
        joined_day as day,
        0 as hour,
        is_granted
    from decided
    union all
    select
        person,
        customer_id,
        'personalization' as purpose,
        joined_day as day,
        0 as hour,
        true as is_granted
    from decided
    union all
    select
        person,
        customer_id,
        'email' as purpose,
        withdrawn_day as day,
        12 as hour,
        false as is_granted
    from decided
    where is_granted and withdrawn_day is not null

)

select
    person,
    customer_id,
    purpose,
    day,
    midnight(day) + to_hours(hour) as changed_at,
    is_granted
from changes
order by person, purpose, changed_at
