{{ config(enabled=source_is_enabled('online_retail')) }}

with

order_lines as (

    select * from {{ ref('stg_online_retail__order_lines') }}

),

matched_returns as (

    select * from {{ ref('stg_online_retail__returns') }}

),

final as (

    select
        order_lines.order_line_id,
        order_lines.invoice_id as order_id,
        order_lines.stock_code as product_id,
        order_lines.quantity,
        order_lines.amount as amount_paid,
        cast(null as decimal(18, 2)) as loyalty_discount,
        cast(null as decimal(18, 2)) as coupon_discount,
        cast(null as decimal(18, 2)) as coupon_match_discount,
        order_lines.is_credit as is_return,
        matched_returns.returned_order_line_id
    from order_lines
    left join matched_returns
        on order_lines.order_line_id = matched_returns.order_line_id

)

select * from final
