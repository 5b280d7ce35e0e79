with

events as (

    select * from {{ ref('int_events_enriched') }}

),

orders as (

    select * from {{ ref('int_orders_totaled') }}

),

-- A return is no order, and neither is one that was wholly taken back on the day it became known.
order_days as (

    select
        customer_id,
        order_date as activity_date,
        known_date,
        count(case when is_purchase and coalesce(returned_date > known_date, true) then 1 end)
            as orders,
        sum(order_lines) as order_lines,
        sum(units) as units,
        sum(amount_paid) as amount_paid,
        sum(discount_amount) as discount_amount,
        sum(coupon_discount) as coupon_discount,
        sum(private_label_amount) as private_label_amount,
        sum(discounted_lines) as discounted_lines
    from orders
    where customer_id is not null
    group by customer_id, order_date, known_date

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

    select
        customer_id,
        activity_date,
        known_date
    from order_days
    union distinct
    select
        customer_id,
        activity_date,
        known_date
    from event_days

),

final as (

    select
        days.customer_id,
        days.activity_date,
        days.known_date,
        coalesce(order_days.orders, 0) as orders,
        cast(coalesce(order_days.order_lines, 0) as bigint) as order_lines,
        cast(coalesce(order_days.units, 0) as decimal(18, 3)) as units,
        cast(coalesce(order_days.amount_paid, 0) as decimal(18, 2)) as amount_paid,
        cast(coalesce(order_days.discount_amount, 0) as decimal(18, 2)) as discount_amount,
        cast(coalesce(order_days.coupon_discount, 0) as decimal(18, 2)) as coupon_discount,
        cast(coalesce(order_days.private_label_amount, 0) as decimal(18, 2))
            as private_label_amount,
        cast(coalesce(order_days.discounted_lines, 0) as bigint) as discounted_lines,
        coalesce(event_days.coupons_redeemed, 0) as coupons_redeemed,
        coalesce(event_days.campaigns_received, 0) as campaigns_received,
        coalesce(event_days.browsing_events, 0) as browsing_events
    from days
    left join order_days
        on
            days.customer_id = order_days.customer_id
            and days.activity_date = order_days.activity_date
            and days.known_date = order_days.known_date
    left join event_days
        on
            days.customer_id = event_days.customer_id
            and days.activity_date = event_days.activity_date
            and days.known_date = event_days.known_date

)

select * from final
