{{ config(enabled=source_is_enabled('web_events')) }}

with

events as (

    select * from {{ ref('stg_web_events__events') }}

),

event_names as (

    select * from {{ ref('web_events__event_names') }}

),

final as (

    select
        events.arrival_date,
        events.event_name,
        count(*) as events
    from events
    inner join event_names
        on events.event_name = event_names.event_name
    where event_names.event_type is null
    group by events.arrival_date, events.event_name

)

select * from final
