with

customer_dimensions as (

    select * from {{ ref('int_customer_dimensions_aggregated') }}
    where dimension = 'category'

),

cutoffs as (

    select as_of_date from {{ ref('int_cutoffs_spined') }}

),

customer_categories as (

    select
        customer_dimensions.customer_id,
        customer_dimensions.dimension_value as category,
        cutoffs.as_of_date,
        sum(customer_dimensions.units) as units,
        sum(customer_dimensions.list_amount) as list_amount
    from customer_dimensions
    inner join cutoffs
        on customer_dimensions.first_cutoff <= cutoffs.as_of_date
    group by
        customer_dimensions.customer_id,
        customer_dimensions.dimension_value,
        cutoffs.as_of_date

),

category_prices as (

    select
        category,
        as_of_date,
        cast({{ divide('sum(list_amount)', 'sum(units)', digits=4) }} as decimal(18, 4))
            as unit_price
    from customer_categories
    group by category, as_of_date

),

-- What the customer's units cost before discounts, against what they cost on average.
final as (

    select
        customer_categories.customer_id,
        customer_categories.as_of_date,
        {{ divide(
            'sum(customer_categories.list_amount)',
            'sum(customer_categories.units * category_prices.unit_price)'
        ) }} as price_level
    from customer_categories
    inner join category_prices
        on
            customer_categories.category = category_prices.category
            and customer_categories.as_of_date = category_prices.as_of_date
    group by customer_categories.customer_id, customer_categories.as_of_date

)

select * from final
