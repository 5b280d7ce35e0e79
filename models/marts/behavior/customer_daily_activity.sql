with

customer_days as (

    select * from {{ ref('int_customer_days_aggregated') }}

),

final as (

    select
        customer_id,
        activity_date,
        cast(sum(orders) as bigint) as orders,
        cast(sum(order_lines) as bigint) as order_lines,
        cast(sum(units) as decimal(18, 3)) as units,
        cast(sum(amount_paid) as decimal(18, 2)) as amount_paid,
        cast(sum(discount_amount) as decimal(18, 2)) as discount_amount,
        cast(sum(coupon_discount) as decimal(18, 2)) as coupon_discount,
        cast(sum(private_label_amount) as decimal(18, 2)) as private_label_amount,
        cast(sum(discounted_lines) as bigint) as discounted_lines,
        cast(sum(coupons_redeemed) as bigint) as coupons_redeemed,
        cast(sum(campaigns_received) as bigint) as campaigns_received,
        cast(sum(browsing_events) as bigint) as browsing_events
    from customer_days
    group by customer_id, activity_date

)

select * from final
order by customer_id, activity_date
