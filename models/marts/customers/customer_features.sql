{%- set windows = [28, 84, 364] -%}
{%- set measures = {
    'orders': 'bigint',
    'units': 'decimal(18, 3)',
    'amount_paid': 'decimal(18, 2)',
    'discount_amount': 'decimal(18, 2)',
    'coupons_redeemed': 'bigint',
    'campaigns_received': 'bigint',
    'browsing_events': 'bigint',
} -%}

with

customer_days as (

    select * from {{ ref('int_customer_days_aggregated') }}

),

cutoffs as (

    select * from {{ ref('int_cutoffs_spined') }}

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

-- The one join that decides what a cutoff may know.
known_days as (

    select
        customer_days.*,
        cutoffs.as_of_date,
        cutoffs.is_newest,
        cutoffs.first_order_date as first_data_date,
        {{ days_between('customer_days.activity_date', 'cutoffs.as_of_date') }} as age_days
    from customer_days
    inner join cutoffs
        on customer_days.known_date < cutoffs.as_of_date

),

totals as (

    select
        customer_id,
        as_of_date,
        is_newest,
        first_data_date,
        min(case when orders > 0 then activity_date end) as first_order_date,
        max(case when orders > 0 then activity_date end) as last_order_date,
        sum(order_lines) as order_lines,
        sum(coupon_discount) as coupon_discount,
        sum(private_label_amount) as private_label_amount,
        sum(discounted_lines) as discounted_lines,
        {%- for measure in measures %}
        sum({{ measure }}) as {{ measure }},
        {%- for days in windows %}
        sum(case when age_days <= {{ days }} then {{ measure }} else 0 end)
            as {{ measure }}_{{ days }}d{{ ',' if not loop.last }}
        {%- endfor %}{{ ',' if not loop.last }}
        {%- endfor %}
    from known_days
    group by customer_id, as_of_date, is_newest, first_data_date
    having sum(orders) > 0

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
        < {{ add_days('totals.first_data_date', var('cutoff_interval_days')) }} as is_tenure_truncated,
        order_gaps.order_days,
        order_gaps.average_days_between_orders,
        order_gaps.stddev_days_between_orders,
        {%- for measure, data_type in measures.items() %}
        cast(totals.{{ measure }} as {{ data_type }}) as {{ measure }},
        {%- for days in windows %}
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
