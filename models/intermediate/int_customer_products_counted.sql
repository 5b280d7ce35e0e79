with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

cutoffs as (

    select as_of_date from {{ ref('int_cutoffs_spined') }}

),

first_purchases as (

    select
        customer_id,
        product_id,
        min(known_date) as first_known_date
    from order_lines
    where
        customer_id is not null
        and units > 0
    group by customer_id, product_id

),

products_by_day as (

    select
        customer_id,
        first_known_date,
        count(*) as new_products
    from first_purchases
    group by customer_id, first_known_date

),

final as (

    select
        products_by_day.customer_id,
        cutoffs.as_of_date,
        cast(sum(products_by_day.new_products) as bigint) as distinct_products
    from products_by_day
    inner join cutoffs
        on products_by_day.first_known_date < cutoffs.as_of_date
    group by products_by_day.customer_id, cutoffs.as_of_date

)

select * from final
