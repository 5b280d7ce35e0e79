with

placed_orders as (

    select * from {{ ref('int_events_sessionized') }}
    where
        event_type = 'place_order'
        and order_id is not null

),

orders as (

    select * from {{ ref('int_orders_totaled') }}

),

first_named as (

    select
        order_id,
        {{ first_by('session_id', ['occurred_at', 'event_id']) }} as session_id
    from placed_orders
    group by order_id

),

final as (

    select
        first_named.order_id,
        first_named.session_id,
        orders.customer_id,
        orders.amount_paid
    from first_named
    inner join orders
        on first_named.order_id = orders.order_id

)

select * from final
