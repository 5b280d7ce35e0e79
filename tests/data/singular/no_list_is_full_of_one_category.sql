-- recommendation_max_per_category holds on every list, page and segment; 0 means no limit.
with

lists as (

    {{ recommended_products() }}

)

select
    lists.list_type,
    lists.surface,
    lists.list_id,
    products.category,
    count(*) as recommended_products
from lists
inner join {{ ref('products') }} as products
    on lists.product_id = products.product_id
group by lists.list_type, lists.surface, lists.list_id, products.category
having not {{ within_limit('count(*)', var('recommendation_max_per_category')) }}
