-- recommendation_max_per_category holds on every list; 0 means no limit.
select
    recommendations.customer_id,
    recommendations.surface,
    products.category,
    count(*) as recommended_products
from {{ ref('customer_recommendations') }} as recommendations
inner join {{ ref('products') }} as products
    on recommendations.product_id = products.product_id
group by recommendations.customer_id, recommendations.surface, products.category
having
    {{ var('recommendation_max_per_category') }} > 0
    and count(*) > {{ var('recommendation_max_per_category') }}
