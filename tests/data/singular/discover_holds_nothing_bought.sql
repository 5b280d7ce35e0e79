-- What a customer has bought is no discovery.
select
    recommendations.customer_id,
    recommendations.product_id,
    count(*) as order_lines
from {{ ref('customer_recommendations') }} as recommendations
inner join {{ ref('order_lines') }} as order_lines
    on
        recommendations.customer_id = order_lines.customer_id
        and recommendations.product_id = order_lines.product_id
where
    recommendations.surface = 'discover'
    and order_lines.units > 0
    and not order_lines.is_return
group by recommendations.customer_id, recommendations.product_id
