with

orders as (

    select * from {{ ref('int_orders_enriched') }}

),

order_lines as (

    select * from {{ ref('order_lines') }}

),

line_totals as (

    select
        order_id,
        count(*) as order_lines,
        sum(units) as units,
        sum(amount_paid) as amount_paid,
        sum(discount_amount) as discount_amount,
        sum(coupon_discount) as coupon_discount
    from order_lines
    group by order_id

),

final as (

    select
        orders.order_id,
        orders.customer_id,
        orders.ordered_at,
        orders.order_date,
        orders.known_date,
        orders.order_weekday,
        orders.order_hour,
        orders.store_or_channel,
        orders.status,
        coalesce(line_totals.order_lines, 0) as order_lines,
        cast(coalesce(line_totals.units, 0) as decimal(18, 3)) as units,
        cast(coalesce(line_totals.amount_paid, 0) as decimal(18, 2)) as amount_paid,
        cast(coalesce(line_totals.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(line_totals.coupon_discount, 0) as decimal(18, 2)) as coupon_discount,
        orders.source_system
    from orders
    left join line_totals
        on orders.order_id = line_totals.order_id

)

select * from final
order by ordered_at, order_id
