-- recommendation_max_per_category holds on every list, page and segment; 0 means no limit.
with

lists as (

    select
        surface,
        customer_id as list_id,
        product_id
    from {{ ref('customer_recommendations') }}
    union all
    select
        'page' as surface,
        product_id as list_id,
        recommended_product_id as product_id
    from {{ ref('item_recommendations') }}
    union all
    select
        'segment' as surface,
        segment_type || ' ' || segment as list_id,
        product_id
    from {{ ref('segment_recommendations') }}

)

select
    lists.surface,
    lists.list_id,
    products.category,
    count(*) as recommended_products
from lists
inner join {{ ref('products') }} as products
    on lists.product_id = products.product_id
group by lists.surface, lists.list_id, products.category
having not {{ within_limit('count(*)', var('recommendation_max_per_category')) }}
