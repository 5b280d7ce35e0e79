-- Orders and amounts of every customer and cutoff, recounted from the orders known before it.
with

-- A credit note is no order, and neither is what was taken back on the day that it became known.
placed as (

    select
        *,
        is_purchase and coalesce(returned_date > known_date, true) as is_counted
    from {{ ref('orders') }}

),

recounted as (

    select
        orders.customer_id,
        cutoffs.as_of_date,
        count(case when orders.is_counted then 1 end) as orders,
        sum(orders.amount_paid) as amount_paid,
        min(case when orders.is_counted then orders.order_date end) as first_order_date,
        max(case when orders.is_counted then orders.order_date end) as last_order_date
    from placed as orders
    inner join {{ ref('int_cutoffs_spined') }} as cutoffs
        on orders.known_date < cutoffs.as_of_date
    where orders.customer_id is not null
    group by orders.customer_id, cutoffs.as_of_date
    having count(case when orders.is_counted then 1 end) > 0

)

select
    coalesce(features.customer_id, recounted.customer_id) as customer_id,
    coalesce(features.as_of_date, recounted.as_of_date) as as_of_date,
    features.orders,
    recounted.orders as recounted_orders,
    features.amount_paid,
    recounted.amount_paid as recounted_amount_paid
from {{ ref('customer_features') }} as features
full outer join recounted
    on
        features.customer_id = recounted.customer_id
        and features.as_of_date = recounted.as_of_date
where
    features.orders is distinct from recounted.orders
    or features.amount_paid is distinct from recounted.amount_paid
    or features.first_order_date is distinct from recounted.first_order_date
    or features.last_order_date is distinct from recounted.last_order_date
    or features.last_order_date >= features.as_of_date
