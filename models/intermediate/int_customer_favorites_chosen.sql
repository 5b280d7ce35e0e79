with

customer_dimensions as (

    select * from {{ ref('int_customer_dimensions_aggregated') }}

),

cutoffs as (

    select as_of_date from {{ ref('int_cutoffs_spined') }}

),

totals as (

    select
        customer_dimensions.customer_id,
        cutoffs.as_of_date,
        customer_dimensions.dimension,
        customer_dimensions.dimension_value,
        sum(customer_dimensions.orders) as orders,
        sum(customer_dimensions.amount_paid) as amount_paid
    from customer_dimensions
    inner join cutoffs
        on customer_dimensions.first_cutoff <= cutoffs.as_of_date
    group by
        customer_dimensions.customer_id,
        cutoffs.as_of_date,
        customer_dimensions.dimension,
        customer_dimensions.dimension_value

),

-- In the most orders; then for the most money; then first by name.
favorites as (

    select
        customer_id,
        as_of_date,
        dimension,
        {{ first_by('dimension_value', ['-orders', '-coalesce(amount_paid, 0)']) }}
            as favorite_value,
        count(*) as distinct_values
    from totals
    group by customer_id, as_of_date, dimension

),

final as (

    select
        customer_id,
        as_of_date,
        {%- for dimension in ['department', 'category', 'brand', 'store'] %}
        max(case when dimension = '{{ dimension }}' then favorite_value end)
            as favorite_{{ dimension }},
        {%- endfor %}
        {%- for dimension in ['hour', 'weekday'] %}
        cast(max(case when dimension = '{{ dimension }}' then favorite_value end) as int)
            as favorite_{{ dimension }},
        {%- endfor %}
        coalesce(max(case when dimension = 'category' then distinct_values end), 0)
            as distinct_categories,
        coalesce(max(case when dimension = 'store' then distinct_values end), 0)
            as distinct_stores
    from favorites
    group by customer_id, as_of_date

)

select * from final
