{{ config(materialized='view') }}

with

orders as (

    select * from {{ ref('int_orders_totaled') }}

),

final as (

    select
        order_id,
        customer_id,
        ordered_at,
        order_date,
        known_date,
        order_weekday,
        order_hour,
        store_or_channel,
        status,
        is_purchase,
        returned_date,
        order_lines,
        units,
        amount_paid,
        discount_amount,
        coupon_discount,
        private_label_amount,
        discounted_lines,
        source_system
    from orders

)

select * from final
