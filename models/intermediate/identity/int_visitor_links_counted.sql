with

events as (

    select * from {{ ref('int_events_enriched') }}
    where anonymous_id is not null

),

links as (

    select
        anonymous_id,
        'customer_id' as linked_type,
        customer_id as linked_value,
        occurred_at,
        event_date,
        source_system
    from events
    where customer_id is not null
    union all
    select
        anonymous_id,
        'email_hash' as linked_type,
        email_hash as linked_value,
        occurred_at,
        event_date,
        source_system
    from events
    where email_hash is not null

),

final as (

    select
        anonymous_id,
        linked_type,
        linked_value,
        count(*) as events,
        count(distinct event_date) as days,
        min(occurred_at) as first_linked_at,
        {{ source_of_rows('source_system') }} as source_system
    from links
    group by anonymous_id, linked_type, linked_value

)

select * from final
