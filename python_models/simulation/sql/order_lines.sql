with

priced as (

    select
        'o' || sessions.session_id as order_id,
        order_id || '-' || lpad(cast(views.position as text), 4, '0') as order_line_id,
        views.product_id,
        views.quantity,
        products.list_price * views.quantity as full_amount,
        cast(full_amount * segments.discount as decimal(18, 2)) as loyalty_discount
    from views
    inner join sessions using (session_key)
    inner join people using (person)
    inner join segments using (segment)
    inner join products using (product)
    where sessions.has_order and views.is_added and not views.is_removed

)

select
    * exclude (full_amount),
    full_amount - loyalty_discount as amount_paid,
    0 as coupon_discount,
    0 as coupon_match_discount,
    false as is_return
from priced
order by order_line_id
