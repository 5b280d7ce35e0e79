{%- set interval_days = var('cutoff_interval_days') %}
{#- The newest cutoff whose 28 days are over. -#}
{%- set first_step = (28 / interval_days) | round(0, 'ceil') | int %}

with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

products as (

    select * from {{ ref('int_product_attributes_versioned') }}

),

cutoffs as (

    select
        as_of_date,
        step,
        {{ add_days('as_of_date', 28) }} as end_date
    from {{ ref('int_cutoffs_spined') }}
    where
        step = 0
        or (
            step >= {{ first_step }}
            and step < {{ first_step + var('prediction_backtests') }}
        )

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

-- At each cutoff a product is of the category that the catalog says then.
category_days as (

    select
        cutoffs.as_of_date,
        order_lines.customer_id,
        order_lines.order_date,
        products.category,
        min(order_lines.known_date) as known_date
    from order_lines
    inner join cutoffs
        on order_lines.known_date < cutoffs.end_date
    inner join products
        on
            order_lines.product_id = products.product_id
            and cutoffs.as_of_date >= products.valid_from_date
            and cutoffs.as_of_date < products.valid_to_date
    where
        order_lines.customer_id is not null
        and order_lines.units > 0
        and not order_lines.is_return
        and products.category is not null
    group by
        cutoffs.as_of_date,
        order_lines.customer_id,
        order_lines.order_date,
        products.category

),

order_days as (

    select
        as_of_date,
        customer_id,
        order_date,
        min(known_date) as known_date
    from category_days
    group by as_of_date, customer_id, order_date

),

-- What a customer bought of late weighs most, as in the recommendations.
category_weights as (

    select
        as_of_date,
        customer_id,
        category,
        count(*) as category_order_days,
        {{ decayed_count(
            var('interaction_weekly_decay'), days_between('order_date', 'as_of_date')
        ) }} as weight
    from category_days
    where known_date < as_of_date
    group by as_of_date, customer_id, category

),

day_weights as (

    select
        as_of_date,
        customer_id,
        count(*) as order_days,
        {{ decayed_count(
            var('interaction_weekly_decay'), days_between('order_date', 'as_of_date')
        ) }} as weight
    from order_days
    where known_date < as_of_date
    group by as_of_date, customer_id

),

shop_days as (

    select
        as_of_date,
        sum(cast(round(weight * 1000000) as bigint)) as weight
    from day_weights
    group by as_of_date

),

shop_categories as (

    select
        as_of_date,
        category,
        sum(cast(round(weight * 1000000) as bigint)) as weight,
        row_number() over (
            partition by as_of_date
            order by sum(cast(round(weight * 1000000) as bigint)) desc, category asc
        ) as place
    from category_weights
    group by as_of_date, category

),

-- What the whole shop buys most may come first for those too who never bought it.
candidates as (

    select
        as_of_date,
        customer_id,
        category,
        category_order_days,
        weight
    from category_weights
    union all
    select
        day_weights.as_of_date,
        day_weights.customer_id,
        shop_categories.category,
        0 as category_order_days,
        0 as weight
    from day_weights
    inner join shop_categories
        on
            day_weights.as_of_date = shop_categories.as_of_date
            and shop_categories.place = 1
    left join category_weights
        on
            day_weights.as_of_date = category_weights.as_of_date
            and day_weights.customer_id = category_weights.customer_id
            and shop_categories.category = category_weights.category
    where category_weights.category is null

),

-- A share of few order days says little: it starts as that of the whole shop.
customer_categories as (

    select
        candidates.as_of_date,
        candidates.customer_id,
        candidates.category,
        candidates.category_order_days,
        day_weights.order_days,
        {{ divide(
            'candidates.weight + ' ~ var('next_category_prior')
            ~ ' * ' ~ divide('shop_categories.weight', 'shop_days.weight'),
            'day_weights.weight + ' ~ var('next_category_prior')
        ) }} as probability,
        shop_categories.place as shop_place
    from candidates
    inner join day_weights
        on
            candidates.as_of_date = day_weights.as_of_date
            and candidates.customer_id = day_weights.customer_id
    inner join shop_days
        on candidates.as_of_date = shop_days.as_of_date
    inner join shop_categories
        on
            candidates.as_of_date = shop_categories.as_of_date
            and candidates.category = shop_categories.category

),

likeliest as (

    select
        *,
        row_number() over (
            partition by as_of_date, customer_id
            order by probability desc, shop_place asc
        ) as place
    from customer_categories

),

next_days as (

    select
        cutoffs.as_of_date,
        order_days.customer_id,
        min(order_days.order_date) as order_date
    from order_days
    inner join cutoffs
        on
            order_days.as_of_date = cutoffs.as_of_date
            and order_days.order_date >= cutoffs.as_of_date
            and order_days.order_date < cutoffs.end_date
    cross join data_windows
    where cutoffs.end_date <= data_windows.as_of_date
    group by cutoffs.as_of_date, order_days.customer_id

),

final as (

    select
        likeliest.customer_id,
        likeliest.as_of_date,
        cutoffs.step,
        likeliest.category,
        likeliest.probability,
        likeliest.category_order_days,
        likeliest.order_days,
        popular.category as popular_category,
        {{ divide('popular.weight', 'shop_days.weight') }} as popular_probability,
        case when next_days.order_date is not null then own_days.category is not null end
            as was_bought,
        case when next_days.order_date is not null then popular_days.category is not null end
            as popular_was_bought
    from likeliest
    inner join cutoffs
        on likeliest.as_of_date = cutoffs.as_of_date
    inner join shop_days
        on likeliest.as_of_date = shop_days.as_of_date
    inner join shop_categories as popular
        on
            likeliest.as_of_date = popular.as_of_date
            and popular.place = 1
    left join next_days
        on
            likeliest.as_of_date = next_days.as_of_date
            and likeliest.customer_id = next_days.customer_id
    left join category_days as own_days
        on
            next_days.as_of_date = own_days.as_of_date
            and next_days.customer_id = own_days.customer_id
            and next_days.order_date = own_days.order_date
            and likeliest.category = own_days.category
    left join category_days as popular_days
        on
            next_days.as_of_date = popular_days.as_of_date
            and next_days.customer_id = popular_days.customer_id
            and next_days.order_date = popular_days.order_date
            and popular.category = popular_days.category
    where likeliest.place = 1

)

select * from final
order by as_of_date, customer_id
