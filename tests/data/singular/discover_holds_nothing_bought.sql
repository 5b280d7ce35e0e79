-- What a customer has bought is no discovery.
select
    recommendations.customer_id,
    recommendations.product_id
from {{ ref('customer_recommendations') }} as recommendations
inner join {{ ref('int_interactions_weighted') }} as interactions
    on
        recommendations.customer_id = interactions.customer_id
        and recommendations.product_id = interactions.product_id
where recommendations.surface = 'discover'
