with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

cutoffs as (

    select as_of_date from {{ ref('int_cutoffs_spined') }}
    where is_newest

),

-- What each order held, and whether it came in within the last interval before the cutoff.
baskets as (

    select distinct
        order_lines.order_id,
        order_lines.product_id,
        order_lines.known_date
        >= {{ add_days('cutoffs.as_of_date', -var('cutoff_interval_days')) }} as is_recent
    from order_lines
    inner join cutoffs
        on order_lines.known_date < cutoffs.as_of_date
    where
        order_lines.units > 0
        and not order_lines.is_return

),

-- Pairs grow with the square of the basket: one wholesale order would outweigh a day of others.
orders as (

    select
        order_id,
        is_recent,
        cast(row_number() over (order by order_id) as int) as order_number
    from baskets
    group by order_id, is_recent
    having count(*) <= {{ var('association_rule_max_products_per_order') }}

),

order_totals as (

    select
        count(case when not is_recent then 1 end) as earlier_orders,
        count(case when is_recent then 1 end) as recent_orders
    from orders

),

basket_products as (

    select
        orders.order_number,
        orders.is_recent,
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
        count(case when not is_recent then 1 end) as earlier_orders,
        count(case when is_recent then 1 end) as recent_orders
    from basket_products
    group by product_id
    having count(*) >= {{ var('association_rule_min_support') }}

),

-- Small integers join and group in a fraction of the memory that keys of text take.
numbered_baskets as (

    select
        basket_products.order_number,
        basket_products.is_recent,
        frequent_products.product_number
    from basket_products
    inner join frequent_products
        on basket_products.product_id = frequent_products.product_id

),

pairs as (

    select
        baskets_of_one.product_number,
        baskets_of_other.product_number as paired_product_number,
        count(case when not baskets_of_one.is_recent then 1 end) as earlier_orders,
        count(case when baskets_of_one.is_recent then 1 end) as recent_orders
    from numbered_baskets as baskets_of_one
    inner join numbered_baskets as baskets_of_other
        on
            baskets_of_one.order_number = baskets_of_other.order_number
            and baskets_of_one.product_number < baskets_of_other.product_number
    group by baskets_of_one.product_number, baskets_of_other.product_number
    having count(*) >= {{ var('association_rule_min_support') }}

),

final as (

    select
        products.product_id,
        paired_products.product_id as paired_product_id,
        pairs.earlier_orders as earlier_pair_orders,
        products.earlier_orders as earlier_product_orders,
        paired_products.earlier_orders as earlier_paired_product_orders,
        order_totals.earlier_orders,
        pairs.recent_orders as recent_pair_orders,
        products.recent_orders as recent_product_orders,
        paired_products.recent_orders as recent_paired_product_orders,
        order_totals.recent_orders
    from pairs
    inner join frequent_products as products
        on pairs.product_number = products.product_number
    inner join frequent_products as paired_products
        on pairs.paired_product_number = paired_products.product_number
    cross join order_totals

)

select * from final
order by product_id, paired_product_id
