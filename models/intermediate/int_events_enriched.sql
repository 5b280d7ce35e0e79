{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_events_accepted') }}

),

final as (

    select
        *,
        {{ shop_date('occurred_at') }} as event_date,
        {{ known_date('occurred_at', 'received_at') }} as known_date
    from events

)

select * from final
