{{ config(enabled=source_is_enabled('completejourney')) }}

with

transactions as (

    select * from {{ ref('stg_completejourney__transactions') }}

),

final as (

    select
        basket_id || '-' || product_id as order_line_id,
        basket_id as order_id,
        product_id,
        quantity,
        sales_amount as amount_paid,
        loyalty_discount,
        coupon_discount,
        coupon_match_discount,
        false as is_return,
        cast(null as string) as returned_order_line_id
    from transactions

)

select * from final
