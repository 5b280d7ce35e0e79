{{ config(enabled=web_events_fill('order_lines')) }}

with

items as (

    select * from {{ ref('web_events__items') }}

),

-- A page that is loaded again tells the same products again: those of the first time count.
told_items as (

    select
        *,
        dense_rank() over (
            partition by order_id
            order by occurred_at, received_at, event_id
        ) as telling_number,
        row_number() over (
            partition by order_id, item_position
            order by occurred_at, received_at, event_id
        ) as copy_number
    from items
    where event_type = 'place_order' and order_id is not null

),

priced_items as (

    select
        *,
        coalesce(quantity, 1) as units
    from told_items
    where telling_number = 1 and copy_number = 1

),

final as (

    select
        order_id || '-' || cast(item_position as string) as order_line_id,
        order_id,
        product_id,
        units as quantity,
        cast(price * units as decimal(18, 2)) as amount_paid,
        cast(coalesce(discount, 0) * units as decimal(18, 2)) as loyalty_discount,
        cast(0 as decimal(18, 2)) as coupon_discount,
        cast(0 as decimal(18, 2)) as coupon_match_discount,
        false as is_return,
        cast(null as string) as returned_order_line_id,
        is_simulated
    from priced_items

)

select * from final
