-- Every raw line is accepted or quarantined, none is a copy, and none loses or gains a customer.
{{ config(enabled=source_is_enabled('online_retail')) }}

with

raw_rows as (

    select
        count(*) as order_lines,
        count(case when customerid is null then 1 end) as anonymous_lines
    from {{ source('online_retail', 'invoice_lines') }}

),

lines as (

    select
        order_id,
        row_status
    from {{ ref('int_order_lines_checked') }}
    where
        source_system = 'online_retail'
        and row_status != 'accepted'
    union all
    select
        order_id,
        'accepted' as row_status
    from {{ ref('order_lines') }}
    where source_system = 'online_retail'

),

anonymous_orders as (

    select distinct order_id
    from {{ ref('input_layer__orders') }}
    where
        source_system = 'online_retail'
        and customer_id is null

),

found_rows as (

    select
        count(*) as order_lines,
        count(anonymous_orders.order_id) as anonymous_lines,
        count(case when lines.row_status = 'exact_duplicate' then 1 end) as copies
    from lines
    left join anonymous_orders
        on lines.order_id = anonymous_orders.order_id

)

select
    raw_rows.order_lines as raw_order_lines,
    found_rows.order_lines,
    raw_rows.anonymous_lines as raw_anonymous_lines,
    found_rows.anonymous_lines,
    found_rows.copies
from raw_rows
cross join found_rows
where
    raw_rows.order_lines != found_rows.order_lines
    or raw_rows.anonymous_lines != found_rows.anonymous_lines
    or found_rows.copies > 0
