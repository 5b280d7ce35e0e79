-- The shares of an order sum to exactly 1 in each model, and their money to its amount.
with

credits as (

    select
        order_id,
        attribution_model,
        sum(credit) as credit,
        sum(credited_revenue) as credited_revenue
    from {{ ref('attribution') }}
    group by order_id, attribution_model

)

select
    credits.order_id,
    credits.attribution_model,
    credits.credit,
    credits.credited_revenue,
    orders.amount_paid
from credits
left join {{ ref('orders') }} as orders
    on credits.order_id = orders.order_id
where
    credits.credit != 1
    or credits.credited_revenue is distinct from orders.amount_paid
