with

order_lines as (

    select * from {{ ref('int_order_lines_accepted') }}

),

orders as (

    select * from {{ ref('int_orders_enriched') }}

),

returned_days as (

    select
        order_lines.returned_order_line_id as order_line_id,
        orders.known_date,
        -sum(order_lines.quantity) as quantity,
        -sum(order_lines.amount_paid) as amount
    from order_lines
    inner join orders
        on order_lines.order_id = orders.order_id
    where
        order_lines.returned_order_line_id is not null
        and order_lines.is_return
    group by order_lines.returned_order_line_id, orders.known_date

),

running as (

    select
        returned_days.order_line_id,
        returned_days.known_date,
        returned_days.quantity,
        returned_days.amount,
        sum(returned_days.quantity) over (
            partition by returned_days.order_line_id
            order by returned_days.known_date
            rows between unbounded preceding and current row
        ) >= order_lines.quantity as is_whole
    from returned_days
    inner join order_lines
        on returned_days.order_line_id = order_lines.order_line_id

),

final as (

    select
        order_line_id,
        cast(sum(quantity) as decimal(18, 3)) as returned_quantity,
        cast(sum(amount) as decimal(18, 2)) as returned_amount,
        min(case when is_whole then known_date end) as returned_date
    from running
    group by order_line_id

)

select * from final
order by order_line_id
