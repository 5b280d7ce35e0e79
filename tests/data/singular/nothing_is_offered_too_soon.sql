-- What a customer bought less than recommendation_min_days_since_purchase days ago is not offered.
with

interactions as (

    select * from {{ ref('int_interactions_weighted') }}
    where is_newest

)

select
    recommendations.customer_id,
    recommendations.surface,
    recommendations.product_id
from {{ ref('customer_recommendations') }} as recommendations
inner join interactions
    on
        recommendations.customer_id = interactions.customer_id
        and recommendations.product_id = interactions.product_id
where
    interactions.days_since_last_purchase < {{ var('recommendation_min_days_since_purchase') }}
