-- Whatever a rule, the stock, the margin or the age of a product excludes from a surface is on no
-- list of it.
select
    recommendations.customer_id,
    recommendations.surface,
    recommendations.product_id
from {{ ref('customer_recommendations') }} as recommendations
left join {{ ref('admitted_products') }} as admitted_products
    on
        recommendations.product_id = admitted_products.product_id
        and recommendations.surface = admitted_products.surface
where not coalesce(admitted_products.is_admitted, false)
