-- Whatever a rule, the stock, the margin or the age of a product excludes from a surface is on no
-- list of it, nor on a page or in a segment, which go by discover and cold_start.
with

lists as (

    {{ recommended_products() }}

)

select
    lists.list_type,
    lists.surface,
    lists.list_id,
    lists.product_id
from lists
left join {{ ref('admitted_products') }} as admitted_products
    on
        lists.product_id = admitted_products.product_id
        and lists.surface = admitted_products.surface
where not coalesce(admitted_products.is_admitted, false)
