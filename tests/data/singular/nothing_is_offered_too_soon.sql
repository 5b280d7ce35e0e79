-- What a customer bought less than recommendation_min_days_since_purchase days ago is not offered.
with

cutoffs as (

    select as_of_date from {{ ref('int_cutoffs_spined') }}
    where is_newest

),

interactions as (

    select * from {{ ref('int_interactions_weighted') }}

)

select
    recommendations.customer_id,
    recommendations.surface,
    recommendations.product_id
from {{ ref('customer_recommendations') }} as recommendations
inner join cutoffs
    on recommendations.as_of_date = cutoffs.as_of_date
inner join interactions
    on
        recommendations.customer_id = interactions.customer_id
        and recommendations.product_id = interactions.product_id
        and recommendations.as_of_date = interactions.as_of_date
where
    interactions.days_since_last_purchase < {{ var('recommendation_min_days_since_purchase') }}
