-- To the penny, month by month: raw sales = sales in behavior.order_lines + quarantined.
{{ config(enabled=source_is_enabled('online_retail')) }}

with

raw_lines as (

    select
        substr(invoicedate, 1, 7) as sales_month,
        cast(
            round(cast(quantity as decimal(18, 3)) * cast(unitprice as decimal(18, 4)) * 100)
            as bigint
        ) as pence
    from {{ source('online_retail', 'invoice_lines') }}

),

raw_sales as (

    select
        sales_month,
        sum(pence) as pence
    from raw_lines
    group by sales_month

),

lines as (

    select
        order_id,
        amount_paid
    from {{ ref('order_lines') }}
    where source_system = 'online_retail'
    union all
    select
        order_id,
        amount_paid
    from {{ ref('int_order_lines_checked') }}
    where
        source_system = 'online_retail'
        and row_status != 'accepted'

),

orders as (

    select
        order_id,
        min(ordered_at) as ordered_at
    from {{ ref('input_layer__orders') }}
    where source_system = 'online_retail'
    group by order_id

),

dated_lines as (

    select
        substr(cast({{ shop_date('orders.ordered_at') }} as string), 1, 7) as sales_month,
        cast(lines.amount_paid * 100 as bigint) as pence
    from lines
    left join orders
        on lines.order_id = orders.order_id

),

sales as (

    select
        sales_month,
        sum(pence) as pence
    from dated_lines
    group by sales_month

)

select
    coalesce(raw_sales.sales_month, sales.sales_month) as sales_month,
    raw_sales.pence as raw_pence,
    sales.pence
from raw_sales
full outer join sales
    on raw_sales.sales_month = sales.sales_month
where raw_sales.pence is distinct from sales.pence
