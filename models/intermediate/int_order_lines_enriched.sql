with

order_lines as (

    select * from {{ ref('int_order_lines_accepted') }}

),

orders as (

    select * from {{ ref('int_orders_enriched') }}

),

products as (

    select * from {{ ref('int_products_accepted') }}

),

returns as (

    select * from {{ ref('int_returns_totaled') }}

),

described as (

    select
        order_lines.*,
        {{ countable_units('order_lines.quantity', 'order_lines.amount_paid') }} as pieces,
        coalesce(products.is_merchandise, true) as is_merchandise,
        {{ countable_units('returns.returned_quantity', 'returns.returned_amount') }}
            as returned_pieces,
        returns.returned_amount,
        returns.returned_date
    from order_lines
    left join products
        on order_lines.product_id = products.product_id
    left join returns
        on order_lines.order_line_id = returns.order_line_id

),

-- Postage, fees and the like are money, but nothing that one could hold in hands.
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
        cast(
            case when order_lines.is_merchandise then order_lines.pieces else 0 end
            as decimal(18, 3)
        ) as units,
        order_lines.amount_paid,
        order_lines.loyalty_discount,
        order_lines.coupon_discount,
        order_lines.coupon_match_discount,
        cast(
            coalesce(order_lines.loyalty_discount, 0)
            + coalesce(order_lines.coupon_discount, 0)
            + coalesce(order_lines.coupon_match_discount, 0) as decimal(18, 2)
        ) as discount_amount,
        order_lines.is_merchandise,
        coalesce(order_lines.is_return, false) as is_return,
        order_lines.returned_order_line_id,
        cast(
            case
                when order_lines.is_merchandise and order_lines.returned_pieces is not null
                    then least(order_lines.pieces, order_lines.returned_pieces)
                else 0
            end as decimal(18, 3)
        ) as returned_units,
        cast(coalesce(order_lines.returned_amount, 0) as decimal(18, 2)) as returned_amount,
        order_lines.returned_date,
        order_lines.quality_flags,
        order_lines.source_system
    from described as order_lines
    inner join orders
        on order_lines.order_id = orders.order_id

)

select * from final
