with

orders as (

    select * from {{ ref('int_orders_totaled') }}

),

coupons as (

    select * from {{ ref('int_order_coupons_compared') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

-- An anonymous order has no history but its own.
measured as (

    select
        orders.order_id,
        orders.customer_id,
        case when orders.customer_id is null then orders.order_id end as anonymous_order_id,
        orders.ordered_at,
        orders.order_date,
        orders.order_hour,
        orders.store_or_channel,
        orders.order_lines,
        orders.units,
        orders.amount_paid,
        {{ positive_log('orders.amount_paid') }} as log_amount,
        {{ divide('orders.discount_amount', 'orders.amount_paid + orders.discount_amount') }}
            as discount_share
    from orders
    cross join data_windows
    where
        orders.known_date < data_windows.as_of_date
        and orders.is_purchase

),

usual as (

    select
        *,
        {{ quantile('log_amount', 0.5) }} over customer_history as customer_usual_log_amount,
        {{ quantile('log_amount', 0.9) }} over customer_history as customer_high_log_amount,
        count(log_amount) over customer_history as customer_earlier_orders,
        {{ quantile('log_amount', 0.5) }} over store_history as store_usual_log_amount,
        count(log_amount) over store_history as store_earlier_orders
    from measured
    window
        customer_history as ({{ earlier_orders('customer_id, anonymous_order_id') }}),
        store_history as ({{ earlier_orders('store_or_channel') }})

),

-- How far each order was from what was usual before it.
deviations as (

    select
        *,
        abs(log_amount - customer_usual_log_amount) as customer_deviation,
        abs(log_amount - store_usual_log_amount) as store_deviation
    from usual

),

compared as (

    select
        *,
        {{ robust_spread('customer_deviation', 'customer_history') }} as customer_amount_spread,
        {{ robust_spread('store_deviation', 'store_history') }} as store_amount_spread
    from deviations
    window
        customer_history as ({{ earlier_orders('customer_id, anonymous_order_id') }}),
        store_history as ({{ earlier_orders('store_or_channel') }})

),

final as (

    select
        compared.order_id,
        compared.customer_id,
        compared.ordered_at,
        compared.order_date,
        compared.order_hour,
        compared.store_or_channel,
        compared.order_lines,
        compared.units,
        compared.amount_paid,
        compared.discount_share,
        round(exp(compared.customer_usual_log_amount), 2) as customer_usual_amount,
        round(exp(compared.customer_high_log_amount), 2) as customer_high_amount,
        compared.customer_amount_spread,
        compared.customer_earlier_orders,
        round(exp(compared.store_usual_log_amount), 2) as store_usual_amount,
        compared.store_amount_spread,
        compared.store_earlier_orders,
        coalesce(coupons.coupon_amount, 0) as coupon_amount,
        coalesce(coupons.coupon_lines, 0) as coupon_lines,
        coupons.coupon_amount_7d,
        coupons.usual_coupon_amount_7d,
        coupons.coupon_amount_spread,
        coupons.coupon_share,
        coupons.usual_coupon_share,
        coupons.coupon_share_spread,
        coupons.earlier_coupon_orders,
        coupons.customer_usual_coupon_amount_7d
    from compared
    left join coupons
        on compared.order_id = coupons.order_id

)

select * from final
