-- item_recommendation_max_per_name holds on every page; 0 means no limit.
select
    pages.product_id,
    products.product_name,
    count(*) as recommended_products
from {{ ref('item_recommendations') }} as pages
inner join {{ ref('products') }} as products
    on pages.recommended_product_id = products.product_id
group by pages.product_id, products.product_name
having not {{ within_limit('count(*)', var('item_recommendation_max_per_name')) }}
