with

events as (

    select * from {{ ref('int_events_enriched') }}

),

orders as (

    select * from {{ ref('int_orders_enriched') }}

),

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

products as (

    select * from {{ ref('int_products_accepted') }}

),

order_days as (

    select
        customer_id,
        order_date as activity_date,
        known_date,
        count(*) as orders
    from orders
    where customer_id is not null
    group by customer_id, order_date, known_date

),

line_days as (

    select
        order_lines.customer_id,
        order_lines.order_date as activity_date,
        order_lines.known_date,
        count(*) as order_lines,
        sum(order_lines.units) as units,
        sum(order_lines.amount_paid) as amount_paid,
        sum(order_lines.discount_amount) as discount_amount,
        sum(order_lines.coupon_discount) as coupon_discount,
        sum(case when products.is_private_label then order_lines.amount_paid else 0 end)
            as private_label_amount,
        count(case when order_lines.discount_amount > 0 then 1 end) as discounted_lines
    from order_lines
    left join products
        on order_lines.product_id = products.product_id
    where order_lines.customer_id is not null
    group by order_lines.customer_id, order_lines.order_date, order_lines.known_date

),

event_days as (

    select
        customer_id,
        event_date as activity_date,
        known_date,
        count(case when event_type = 'coupon_redeem' then 1 end) as coupons_redeemed,
        count(case when event_type = 'campaign_receive' then 1 end) as campaigns_received,
        count(case when event_type not in ('coupon_redeem', 'campaign_receive') then 1 end)
            as browsing_events
    from events
    where customer_id is not null
    group by customer_id, event_date, known_date

),

days as (

    select customer_id, activity_date, known_date from order_days
    union distinct
    select customer_id, activity_date, known_date from event_days

),

final as (

    select
        days.customer_id,
        days.activity_date,
        days.known_date,
        coalesce(order_days.orders, 0) as orders,
        coalesce(line_days.order_lines, 0) as order_lines,
        coalesce(line_days.units, 0) as units,
        coalesce(line_days.amount_paid, 0) as amount_paid,
        coalesce(line_days.discount_amount, 0) as discount_amount,
        coalesce(line_days.coupon_discount, 0) as coupon_discount,
        coalesce(line_days.private_label_amount, 0) as private_label_amount,
        coalesce(line_days.discounted_lines, 0) as discounted_lines,
        coalesce(event_days.coupons_redeemed, 0) as coupons_redeemed,
        coalesce(event_days.campaigns_received, 0) as campaigns_received,
        coalesce(event_days.browsing_events, 0) as browsing_events
    from days
    left join order_days
        on
            days.customer_id = order_days.customer_id
            and days.activity_date = order_days.activity_date
            and days.known_date = order_days.known_date
    left join line_days
        on
            days.customer_id = line_days.customer_id
            and days.activity_date = line_days.activity_date
            and days.known_date = line_days.known_date
    left join event_days
        on
            days.customer_id = event_days.customer_id
            and days.activity_date = event_days.activity_date
            and days.known_date = event_days.known_date

)

select * from final
