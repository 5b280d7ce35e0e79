-- Purchase events add up to the order lines that are none of empty and returned.
with

purchases as (

    select
        count(*) as purchases,
        coalesce(sum(amount_paid), 0) as amount_paid
    from {{ ref('events') }}
    where event_id like 'purchase:%' and event_type = 'purchase' and order_id is not null

),

lines as (

    select
        count(*) as purchases,
        coalesce(sum(amount_paid), 0) as amount_paid
    from {{ ref('order_lines') }}
    where units > 0 and not is_return

)

select
    purchases.purchases as purchase_events,
    lines.purchases as order_lines,
    purchases.amount_paid as event_amount,
    lines.amount_paid as line_amount
from purchases
cross join lines
where
    purchases.purchases != lines.purchases
    or purchases.amount_paid != lines.amount_paid
