with

anomalies as (

    select * from {{ ref('py_order_anomalies') }}

),

orders as (

    select * from {{ ref('int_order_signals_measured') }}

),

products as (

    select * from {{ ref('products') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

described as (

    select
        anomalies.*,
        orders.customer_id,
        orders.ordered_at,
        orders.order_date,
        orders.store_or_channel,
        orders.amount_paid,
        orders.coupon_share,
        orders.usual_coupon_share,
        case
            when orders.customer_id is null then 'anonymous'
            when orders.customer_earlier_orders < {{ var('anomaly_min_history') }} then 'too_few'
            else 'known'
        end as customer_history,
        orders.customer_earlier_orders,
        orders.customer_usual_amount,
        orders.customer_high_amount,
        case
            when anomalies.store_z is not null then orders.store_usual_amount
        end as store_usual_amount,
        coalesce(products.product_name, 'Product ' || anomalies.product_id) as product_name
    from anomalies
    inner join orders
        on anomalies.order_id = orders.order_id
    left join products
        on anomalies.product_id = products.product_id

),

-- Prices of measures are fractions of a cent.
in_words as (

    select
        *,
        case
            when typical_value < 0.1 then cast(cast(observed_value as decimal(18, 4)) as string)
            else cast(cast(observed_value as decimal(18, 2)) as string)
        end as observed_money,
        case
            when typical_value < 0.1 then cast(cast(typical_value as decimal(18, 4)) as string)
            else cast(cast(typical_value as decimal(18, 2)) as string)
        end as typical_money,
        cast(cast(100 * observed_value as decimal(18, 0)) as string) || ' %' as observed_percent,
        cast(cast(100 * typical_value as decimal(18, 0)) as string) || ' %' as typical_percent,
        {{ number_as_text('observed_value') }} as observed_number,
        {{ number_as_text('typical_value') }} as typical_number,
        cast(cast(100 * coupon_share as decimal(18, 0)) as string) || ' %' as coupon_percent,
        cast(cast(100 * usual_coupon_share as decimal(18, 0)) as string) || ' %'
            as usual_coupon_percent,
        cast(cast(customer_usual_amount as decimal(18, 2)) as string) as customer_usual_money,
        cast(cast(customer_high_amount as decimal(18, 2)) as string) as customer_high_money,
        cast(cast(store_usual_amount as decimal(18, 2)) as string) as store_usual_money
    from described

),

final as (

    select
        in_words.order_id,
        in_words.customer_id,
        data_windows.as_of_date,
        in_words.ordered_at,
        in_words.order_date,
        in_words.store_or_channel,
        in_words.anomaly_type,
        in_words.other_anomaly_types,
        case
            when in_words.anomaly_type = 'unusual_order' then 'low'
            when in_words.score >= {{ var('anomaly_severity_high') }} then 'high'
            when in_words.score >= {{ var('anomaly_severity_medium') }} then 'medium'
            else 'low'
        end as severity,
        in_words.score,
        in_words.amount_paid,
        cast(in_words.amount_at_stake as decimal(18, 2)) as amount_at_stake,
        in_words.measure,
        in_words.observed_value,
        in_words.typical_value,
        in_words.product_id,
        in_words.product_name,
        in_words.customer_history,
        in_words.customer_earlier_orders,
        in_words.customer_usual_amount,
        in_words.customer_z,
        in_words.store_usual_amount,
        in_words.store_z,
        in_words.isolation_score,
        case in_words.anomaly_type
            when 'price_error'
                then
                    '"'
                    || in_words.product_name
                    || case
                        when in_words.observed_value = 0
                            then '" was given away without a discount'
                        else '" cost ' || in_words.observed_money || ' before discounts'
                    end
                    || '; it usually costs '
                    || in_words.typical_money
                    || '.'
            when 'bulk_purchase'
                then
                    'Bought '
                    || in_words.observed_number
                    || ' of "'
                    || in_words.product_name
                    || '"; half of all orders with it hold '
                    || in_words.typical_number
                    || ' or less.'
            when 'coupon_abuse'
                then
                    'Coupons of '
                    || in_words.observed_money
                    || ' in the week up to this order, where '
                    || in_words.typical_money
                    || ' is usual among orders with coupons; they are '
                    || in_words.coupon_percent
                    || ' of this order''s value, usually '
                    || in_words.usual_coupon_percent
                    || '.'
            when 'unusual_amount'
                then
                    'Paid '
                    || in_words.observed_money
                    || ' in this order; '
                    || case in_words.customer_history
                        when 'known'
                            then
                                'this customer''s middle order is '
                                || in_words.customer_usual_money
                                || ' and 9 in 10 are below '
                                || in_words.customer_high_money
                        when 'anonymous' then 'the customer is not known'
                        else
                            'this customer has too few earlier orders ('
                            || cast(in_words.customer_earlier_orders as string)
                            || ')'
                    end
                    || coalesce(
                        '; the middle order of the store is ' || in_words.store_usual_money, ''
                    )
                    || '.'
            else
                'Breaks no single rule, but few orders are made like this one, most of all for its '
                || case in_words.measure
                    when 'amount_paid' then 'amount: ' || in_words.observed_money
                    when 'order_lines' then 'lines: ' || in_words.observed_number
                    when 'units' then 'pieces: ' || in_words.observed_number
                    when 'piece_price' then 'price per piece: ' || in_words.observed_money
                    when 'discount_share' then 'discounts: ' || in_words.observed_percent
                    else 'hour of the day: ' || in_words.observed_number
                end
                || ', where the middle of all orders is '
                || case in_words.measure
                    when 'amount_paid' then in_words.typical_money
                    when 'piece_price' then in_words.typical_money
                    when 'discount_share' then in_words.typical_percent
                    else in_words.typical_number
                end
                || '.'
        end as reason
    from in_words
    cross join data_windows

)

select * from final
order by order_id
