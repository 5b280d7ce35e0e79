with

totals as (

    select * from {{ ref('int_customer_activity_totaled') }}

),

order_gaps as (

    select * from {{ ref('int_customer_order_gaps_measured') }}

),

favorites as (

    select * from {{ ref('int_customer_favorites_chosen') }}

),

price_levels as (

    select * from {{ ref('int_customer_price_levels_indexed') }}

),

product_counts as (

    select * from {{ ref('int_customer_products_counted') }}

),

final as (

    select
        totals.customer_id,
        totals.as_of_date,
        totals.is_newest,
        totals.first_order_date,
        totals.last_order_date,
        {{ days_between('totals.last_order_date', 'totals.as_of_date') }} as recency_days,
        {{ days_between('totals.first_order_date', 'totals.as_of_date') }} as tenure_days,
        totals.first_order_date
        < {{ add_days('totals.first_data_date', var('cutoff_interval_days')) }}
            as is_tenure_truncated,
        order_gaps.order_days,
        order_gaps.average_days_between_orders,
        order_gaps.stddev_days_between_orders,
        {%- for measure, data_type in activity_measures().items() %}
        cast(totals.{{ measure }} as {{ data_type }}) as {{ measure }},
        {%- for days in activity_windows() %}
        cast(totals.{{ measure }}_{{ days }}d as {{ data_type }}) as {{ measure }}_{{ days }}d,
        {%- endfor %}
        {%- endfor %}
        cast(totals.order_lines as bigint) as order_lines,
        {{ divide('totals.amount_paid', 'totals.orders') }} as average_order_amount,
        {{ divide('totals.order_lines', 'totals.orders') }} as average_order_lines,
        {{ divide('totals.discount_amount', 'totals.amount_paid + totals.discount_amount') }}
            as discount_share,
        {{ divide('totals.discounted_lines', 'totals.order_lines') }} as discounted_line_share,
        {{ divide('totals.coupon_discount', 'totals.amount_paid + totals.discount_amount') }}
            as coupon_share,
        {{ divide('totals.private_label_amount', 'totals.amount_paid') }} as private_label_share,
        price_levels.price_level,
        cast(coalesce(product_counts.distinct_products, 0) as bigint) as distinct_products,
        coalesce(favorites.distinct_categories, 0) as distinct_categories,
        coalesce(favorites.distinct_stores, 0) as distinct_stores,
        favorites.favorite_department,
        favorites.favorite_category,
        favorites.favorite_brand,
        favorites.favorite_store,
        favorites.favorite_hour,
        favorites.favorite_weekday
    from totals
    left join order_gaps
        on
            totals.customer_id = order_gaps.customer_id
            and totals.as_of_date = order_gaps.as_of_date
    left join favorites
        on
            totals.customer_id = favorites.customer_id
            and totals.as_of_date = favorites.as_of_date
    left join price_levels
        on
            totals.customer_id = price_levels.customer_id
            and totals.as_of_date = price_levels.as_of_date
    left join product_counts
        on
            totals.customer_id = product_counts.customer_id
            and totals.as_of_date = product_counts.as_of_date

)

select * from final
order by as_of_date, customer_id
