with

orders as (

    select * from {{ ref('int_orders_enriched') }}

),

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

products as (

    select * from {{ ref('int_product_attributes_versioned') }}

),

-- Whose brand a product is, as the catalog said when the line became known.
line_totals as (

    select
        order_lines.order_id,
        count(*) as order_lines,
        sum(order_lines.units) as units,
        sum(order_lines.amount_paid) as amount_paid,
        sum(order_lines.discount_amount) as discount_amount,
        sum(order_lines.coupon_discount) as coupon_discount,
        sum(case when products.is_private_label then order_lines.amount_paid else 0 end)
            as private_label_amount,
        count(case when order_lines.discount_amount > 0 then 1 end) as discounted_lines,
        case
            when
                count(case when order_lines.units > 0 then 1 end)
                = count(case when order_lines.units > 0 then order_lines.returned_date end)
                then max(order_lines.returned_date)
        end as returned_date
    from order_lines
    left join products
        on
            order_lines.product_id = products.product_id
            and order_lines.known_date >= products.valid_from_date
            and order_lines.known_date < products.valid_to_date
    group by order_lines.order_id

),

final as (

    select
        orders.*,
        coalesce(line_totals.order_lines, 0) as order_lines,
        cast(coalesce(line_totals.units, 0) as decimal(18, 3)) as units,
        cast(coalesce(line_totals.amount_paid, 0) as decimal(18, 2)) as amount_paid,
        cast(coalesce(line_totals.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(line_totals.coupon_discount, 0) as decimal(18, 2)) as coupon_discount,
        cast(coalesce(line_totals.private_label_amount, 0) as decimal(18, 2))
            as private_label_amount,
        coalesce(line_totals.discounted_lines, 0) as discounted_lines,
        line_totals.returned_date
    from orders
    left join line_totals
        on orders.order_id = line_totals.order_id

)

select * from final
