with

customers as (

    select * from {{ ref('int_customers_accepted') }}

),

customer_features as (

    select * from {{ ref('customer_features') }}
    where is_newest

),

rfm as (

    select * from {{ ref('customer_rfm') }}

),

segments as (

    select * from {{ ref('customer_segments') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

final as (

    select
        customers.customer_id,
        data_windows.as_of_date,
        customers.age_band,
        customers.gender,
        customers.income_band,
        customers.region,
        customers.home_ownership,
        customers.marital_status,
        customers.household_size,
        customers.household_composition,
        customers.kids_count,
        segments.segment,
        segments.segment_since_date,
        rfm.rfm_cell,
        rfm.recency_score,
        rfm.frequency_score,
        rfm.monetary_score,
        features.first_order_date,
        features.last_order_date,
        features.recency_days,
        features.tenure_days,
        features.is_tenure_truncated,
        coalesce(features.orders, 0) as orders,
        cast(coalesce(features.amount_paid, 0) as decimal(18, 2)) as amount_paid,
        features.amount_paid_364d,
        features.average_order_amount,
        features.average_order_lines,
        features.average_days_between_orders,
        features.stddev_days_between_orders,
        features.discount_share,
        features.discounted_line_share,
        features.coupon_share,
        features.private_label_share,
        features.price_level,
        features.distinct_products,
        features.distinct_categories,
        features.favorite_department,
        features.favorite_category,
        features.favorite_brand,
        features.favorite_store,
        features.favorite_hour,
        features.favorite_weekday
    from customers
    cross join data_windows
    left join customer_features as features
        on customers.customer_id = features.customer_id
    left join rfm
        on customers.customer_id = rfm.customer_id
    left join segments
        on customers.customer_id = segments.customer_id

)

select * from final
order by customer_id
