with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

-- A measure is compared with measures of its own product, so it need not count as one piece here.
sales as (

    select
        order_lines.order_id,
        order_lines.product_id,
        min(order_lines.customer_id) as customer_id,
        min(order_lines.ordered_at) as ordered_at,
        sum(greatest(order_lines.quantity, order_lines.units)) as quantity,
        sum(order_lines.amount_paid) as amount_paid,
        sum(
            order_lines.amount_paid
            + coalesce(order_lines.loyalty_discount, 0)
            + coalesce(order_lines.coupon_match_discount, 0)
        ) as list_amount
    from order_lines
    cross join data_windows
    where
        order_lines.units > 0
        and not order_lines.is_return
        and order_lines.known_date < data_windows.as_of_date
    group by order_lines.order_id, order_lines.product_id

),

priced as (

    select
        *,
        {{ divide('list_amount', 'quantity') }} as unit_price,
        {{ positive_log(divide('list_amount', 'quantity')) }} as log_price,
        {{ positive_log('quantity') }} as log_quantity
    from sales

),

-- What sales of the product cost and held until then; what was free says nothing of the price.
usual as (

    select
        *,
        {{ quantile('log_price', 0.5) }} over product_history as usual_log_price,
        count(log_price) over product_history as earlier_priced_sales,
        {{ quantile('log_quantity', 0.5) }} over product_history as usual_log_quantity,
        count(*) over product_history as earlier_sales,
        {{ quantile('quantity', 0.5) }} over customer_history as customer_usual_quantity
    from priced
    window
        product_history as ({{ earlier_orders('product_id') }}),
        customer_history as ({{ earlier_orders('customer_id, product_id') }})

),

-- How far each sale was from what was usual before it.
deviations as (

    select
        *,
        abs(log_price - usual_log_price) as price_deviation,
        abs(log_quantity - usual_log_quantity) as quantity_deviation
    from usual

),

final as (

    select
        order_id,
        product_id,
        cast(quantity as decimal(18, 3)) as quantity,
        cast(amount_paid as decimal(18, 2)) as amount_paid,
        cast(list_amount as decimal(18, 2)) as list_amount,
        unit_price,
        round(exp(usual_log_price), 6) as usual_unit_price,
        round({{ quantile('price_deviation', 0.5) }} over product_history, 6)
            as usual_price_deviation,
        -- A normal distribution has 98 % within 2.3263 standard deviations of its middle. So far
        -- out, since a price that comes back in three of a hundred sales is none by mistake.
        round({{ quantile('price_deviation', 0.98) }} over product_history / 2.3263, 6)
            as price_spread,
        earlier_priced_sales,
        round(exp(usual_log_quantity), 3) as usual_quantity,
        {{ robust_spread('quantity_deviation', 'product_history') }} as quantity_spread,
        earlier_sales,
        case
            when customer_id is not null then cast(customer_usual_quantity as double)
        end as customer_usual_quantity
    from deviations
    window
        product_history as ({{ earlier_orders('product_id') }})

)

select * from final
