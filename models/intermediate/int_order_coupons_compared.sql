with

orders as (

    select * from {{ ref('int_orders_totaled') }}

),

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

coupon_lines as (

    select
        order_id,
        coalesce(coupon_discount, 0) + coalesce(coupon_match_discount, 0) as coupon_amount
    from order_lines

),

-- Orders with coupons are compared with each other only: most orders have none.
coupon_orders as (

    select
        order_id,
        sum(coupon_amount) as coupon_amount,
        count(*) as coupon_lines
    from coupon_lines
    where coupon_amount > 0
    group by order_id

),

-- An anonymous order has no history but its own.
known_orders as (

    select
        orders.order_id,
        orders.customer_id,
        case when orders.customer_id is null then orders.order_id end as anonymous_order_id,
        orders.ordered_at,
        orders.source_system,
        {{ days_between("date '1970-01-01'", 'orders.order_date') }} as day_number,
        coupon_orders.coupon_amount,
        coupon_orders.coupon_lines,
        {{ divide(
            'coupon_orders.coupon_amount', 'orders.amount_paid + orders.discount_amount'
        ) }} as coupon_share
    from orders
    inner join coupon_orders
        on orders.order_id = coupon_orders.order_id
    cross join data_windows
    where orders.known_date < data_windows.as_of_date

),

-- Of the day, only what came until the order: of later orders nothing was known.
added_up as (

    select
        *,
        sum(coupon_amount) over (
            partition by customer_id, anonymous_order_id, day_number
            order by ordered_at, order_id
            rows between unbounded preceding and current row
        ) as coupon_amount_of_day,
        sum(coupon_amount) over (
            partition by customer_id, anonymous_order_id
            order by day_number
            range between 6 preceding and 1 preceding
        ) as coupon_amount_before
    from known_orders

),

weekly as (

    select
        *,
        coupon_amount_of_day + coalesce(coupon_amount_before, 0) as coupon_amount_7d
    from added_up

),

measured as (

    select
        *,
        {{ positive_log('coupon_amount_7d') }} as log_amount,
        {{ positive_log('coupon_share') }} as log_share
    from weekly

),

usual as (

    select
        *,
        {{ quantile('log_amount', 0.5) }} over everyone_history as usual_log_amount,
        {{ quantile('log_share', 0.5) }} over everyone_history as usual_log_share,
        count(*) over everyone_history as earlier_orders,
        {{ quantile('log_amount', 0.5) }} over customer_history as customer_usual_log_amount
    from measured
    window
        everyone_history as ({{ earlier_orders('source_system') }}),
        customer_history as ({{ earlier_orders('customer_id, anonymous_order_id') }})

),

-- How far each order was from what was usual before it.
deviations as (

    select
        *,
        abs(log_amount - usual_log_amount) as amount_deviation,
        abs(log_share - usual_log_share) as share_deviation
    from usual

),

final as (

    select
        order_id,
        cast(coupon_amount as decimal(18, 2)) as coupon_amount,
        coupon_lines,
        cast(coupon_amount_7d as decimal(18, 2)) as coupon_amount_7d,
        round(exp(usual_log_amount), 2) as usual_coupon_amount_7d,
        {{ robust_spread('amount_deviation', 'everyone_history') }} as coupon_amount_spread,
        coupon_share,
        round(exp(usual_log_share), 6) as usual_coupon_share,
        {{ robust_spread('share_deviation', 'everyone_history') }} as coupon_share_spread,
        earlier_orders as earlier_coupon_orders,
        round(exp(customer_usual_log_amount), 2) as customer_usual_coupon_amount_7d
    from deviations
    window everyone_history as ({{ earlier_orders('source_system') }})

)

select * from final
