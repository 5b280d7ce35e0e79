-- As long as the shop sells enough products, for_you and discover are never cut short.
{{ config(severity='warn') }}

with

surfaces as (

    select 'for_you' as surface
    union all
    select 'discover' as surface

),

list_lengths as (

    select
        customers.customer_id,
        surfaces.surface,
        count(recommendations.product_id) as products,
        max(recommendations.rank) as last_rank
    from {{ ref('int_customers_accepted') }} as customers
    cross join surfaces
    left join {{ ref('customer_recommendations') }} as recommendations
        on
            customers.customer_id = recommendations.customer_id
            and surfaces.surface = recommendations.surface
    group by customers.customer_id, surfaces.surface

)

select *
from list_lengths
where
    products < {{ var('recommendations_per_surface') }}
    or products != last_rank
