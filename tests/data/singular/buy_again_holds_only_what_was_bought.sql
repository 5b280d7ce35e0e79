-- What a customer never bought cannot be bought again.
with

interactions as (

    select * from {{ ref('int_interactions_weighted') }}
    where is_newest

)

select
    recommendations.customer_id,
    recommendations.product_id
from {{ ref('customer_recommendations') }} as recommendations
left join interactions
    on
        recommendations.customer_id = interactions.customer_id
        and recommendations.product_id = interactions.product_id
where
    recommendations.surface = 'buy_again'
    and interactions.product_id is null
