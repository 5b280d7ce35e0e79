{{ config(enabled=web_events_fill('orders')) }}

with

events as (

    select * from {{ ref('web_events__events') }}

),

-- A page that is loaded again confirms the order again: the first time counts.
confirmations as (

    select
        *,
        row_number() over (
            partition by order_id
            order by occurred_at, received_at, event_id
        ) as confirmation_number
    from events
    where event_type = 'place_order' and order_id is not null

),

final as (

    select
        order_id,
        customer_id,
        occurred_at as ordered_at,
        received_at,
        channel as store_or_channel,
        'completed' as status,
        is_simulated
    from confirmations
    where confirmation_number = 1

)

select * from final
