{{ config(materialized='view') }}

with

orders as (

    select * from {{ ref('int_orders_accepted') }}

),

final as (

    select
        order_id,
        customer_id,
        ordered_at,
        {{ shop_date('ordered_at') }} as order_date,
        {{ known_date('ordered_at', 'received_at') }} as known_date,
        {{ iso_weekday(shop_date('ordered_at')) }} as order_weekday,
        cast(extract(hour from {{ to_shop_time('ordered_at') }}) as int) as order_hour,
        store_or_channel,
        status,
        coalesce(status not in ('returned', 'adjustment'), true) as is_purchase,
        source_system
    from orders

)

select * from final
