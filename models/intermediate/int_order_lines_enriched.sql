with

order_lines as (

    select * from {{ ref('int_order_lines_accepted') }}

),

orders as (

    select * from {{ ref('int_orders_enriched') }}

),

final as (

    select
        order_lines.order_line_id,
        order_lines.order_id,
        orders.customer_id,
        order_lines.product_id,
        orders.ordered_at,
        orders.order_date,
        orders.known_date,
        orders.store_or_channel,
        order_lines.quantity,
        {{ countable_units('order_lines.quantity', 'order_lines.amount_paid') }} as units,
        order_lines.amount_paid,
        order_lines.loyalty_discount,
        order_lines.coupon_discount,
        order_lines.coupon_match_discount,
        cast(
            coalesce(order_lines.loyalty_discount, 0)
            + coalesce(order_lines.coupon_discount, 0)
            + coalesce(order_lines.coupon_match_discount, 0) as decimal(18, 2)
        ) as discount_amount,
        coalesce(order_lines.is_return, false) as is_return,
        order_lines.quality_flags,
        order_lines.source_system
    from order_lines
    inner join orders
        on order_lines.order_id = orders.order_id

)

select * from final
