{%- set steps = range(var('recommendation_backtests') + 1) -%}

with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

-- The newest cutoff and those that are back-tested.
cutoffs as (

    select
        as_of_date,
        step
    from {{ ref('int_cutoffs_spined') }}
    where step <= {{ var('recommendation_backtests') }}

),

-- What a cutoff knows, all newer ones know too: known_step is the oldest that does.
baskets as (

    select distinct
        order_lines.order_id,
        order_lines.product_id,
        {{ integer_divide(
            days_between('order_lines.known_date', 'cutoffs.as_of_date') ~ ' - 1',
            var('cutoff_interval_days')
        ) }} as known_step
    from order_lines
    inner join cutoffs
        on order_lines.known_date < cutoffs.as_of_date
    where
        cutoffs.step = 0
        and order_lines.units > 0
        and not order_lines.is_return

),

-- Pairs grow with the square of the basket: one wholesale order would outweigh a day of others.
orders as (

    select
        order_id,
        known_step,
        cast(row_number() over (order by order_id) as int) as order_number
    from baskets
    group by order_id, known_step
    having count(*) <= {{ var('association_rule_max_products_per_order') }}

),

basket_products as (

    select
        orders.order_number,
        orders.known_step,
        baskets.product_id
    from baskets
    inner join orders
        on baskets.order_id = orders.order_id

),

-- A pair is in no more orders than either of its products.
frequent_products as (

    select
        product_id,
        cast(row_number() over (order by product_id) as int) as product_number,
        {%- for step in steps[1:] %}
        count(case when known_step >= {{ step }} then 1 end) as orders_{{ step }},
        {%- endfor %}
        count(*) as orders_0
    from basket_products
    group by product_id
    having count(*) >= {{ var('association_rule_min_support') }}

),

-- Small integers join and group in a fraction of the memory that keys of text take.
numbered_baskets as (

    select
        basket_products.order_number,
        basket_products.known_step,
        frequent_products.product_number
    from basket_products
    inner join frequent_products
        on basket_products.product_id = frequent_products.product_id

),

-- Most pairs are in one order only: rows by cutoff would multiply them, counts side by side do not.
pairs as (

    select
        baskets_of_one.product_number,
        baskets_of_other.product_number as paired_product_number,
        {%- for step in steps[1:] %}
        count(case when baskets_of_one.known_step >= {{ step }} then 1 end) as orders_{{ step }},
        {%- endfor %}
        count(*) as orders_0
    from numbered_baskets as baskets_of_one
    inner join numbered_baskets as baskets_of_other
        on
            baskets_of_one.order_number = baskets_of_other.order_number
            and baskets_of_one.product_number < baskets_of_other.product_number
    group by baskets_of_one.product_number, baskets_of_other.product_number
    having count(*) >= {{ var('association_rule_min_support') }}

),

cutoff_orders as (

    select
        cutoffs.as_of_date,
        cutoffs.step,
        count(*) as orders
    from cutoffs
    inner join orders
        on cutoffs.step <= orders.known_step
    group by cutoffs.as_of_date, cutoffs.step

),

known_pairs as (

    select
        cutoff_orders.as_of_date,
        cutoff_orders.step,
        products.product_id,
        paired_products.product_id as paired_product_id,
        {%- for counted in ['pair', 'product', 'paired_product'] %}
        case cutoff_orders.step
            {%- for step in steps %}
            when {{ step }} then {{ counted }}s.orders_{{ step }}
            {%- endfor %}
        end as {{ counted }}_orders,
        {%- endfor %}
        cutoff_orders.orders
    from pairs
    inner join frequent_products as products
        on pairs.product_number = products.product_number
    inner join frequent_products as paired_products
        on pairs.paired_product_number = paired_products.product_number
    cross join cutoff_orders

),

final as (

    select *
    from known_pairs
    where pair_orders >= {{ var('association_rule_min_support') }}

)

select * from final
order by as_of_date, product_id, paired_product_id
