-- No more comes back of a line than was bought, and only to the customer and the product, at the
-- price and not before the purchase.
{{ config(enabled=source_is_enabled('online_retail')) }}

with

matched_returns as (

    select
        purchases.order_line_id,
        purchases.quantity,
        purchases.customer_id = returned.customer_id
        and purchases.product_id = returned.product_id
        and purchases.ordered_at <= returned.ordered_at
        and purchases.amount_paid * returned.quantity
        = returned.amount_paid * purchases.quantity as is_alike,
        returned.quantity as returned_quantity
    from {{ ref('order_lines') }} as returned
    left join {{ ref('order_lines') }} as purchases
        on returned.returned_order_line_id = purchases.order_line_id
    where
        returned.source_system = 'online_retail'
        and returned.returned_order_line_id is not null

)

select
    order_line_id,
    min(quantity) as quantity,
    -sum(returned_quantity) as returned_quantity
from matched_returns
group by order_line_id
having
    order_line_id is null
    or -sum(returned_quantity) > min(quantity)
    or count(case when is_alike then 1 end) < count(*)
