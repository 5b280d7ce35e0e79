-- To the cent: raw sales = sales in behavior.order_lines + quarantined + removed as copies.
{{ config(enabled=source_is_enabled('completejourney')) }}

with

raw_sales as (

    select coalesce(sum(cast(round(sales_value * 100) as bigint)), 0) as cents
    from {{ source('completejourney', 'transactions') }}

),

accepted as (

    select coalesce(sum(cast(amount_paid * 100 as bigint)), 0) as cents
    from {{ ref('order_lines') }}
    where source_system = 'completejourney'

),

not_accepted as (

    select coalesce(sum(cast(amount_paid * 100 as bigint)), 0) as cents
    from {{ ref('int_order_lines_checked') }}
    where
        source_system = 'completejourney'
        and row_status != 'accepted'

)

select
    raw_sales.cents as raw_cents,
    accepted.cents as accepted_cents,
    not_accepted.cents as not_accepted_cents
from raw_sales
cross join accepted
cross join not_accepted
where raw_sales.cents != accepted.cents + not_accepted.cents
