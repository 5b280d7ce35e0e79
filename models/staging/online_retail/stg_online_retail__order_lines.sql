{{ config(
    enabled=source_is_enabled('online_retail'),
    materialized='table',
) }}

with

invoice_lines as (

    select * from {{ ref('stg_online_retail__invoice_lines') }}

),

stock_codes as (

    select * from {{ ref('stg_online_retail__stock_codes') }}

),

-- The file has no number of the line. Equal lines of one invoice are real: as many repeat a product
-- with another quantity, they lie apart from each other, two of three are single pieces, and no
-- invoice is there twice. So each counts, and which of them is which does not matter.
numbered as (

    select
        *,
        row_number() over (
            partition by invoice_id, stock_code
            order by invoiced_at, unit_price, quantity, description, customer_id, country
        ) as line_number
    from invoice_lines

),

final as (

    select
        numbered.invoice_id
        || '-'
        || numbered.stock_code
        || '-'
        || cast(numbered.line_number as string) as order_line_id,
        numbered.invoice_id,
        numbered.stock_code,
        numbered.customer_id,
        numbered.invoiced_at,
        numbered.quantity,
        numbered.unit_price,
        cast(round(numbered.quantity * numbered.unit_price, 2) as decimal(18, 2)) as amount,
        numbered.quantity < 0 or numbered.unit_price < 0 as is_credit,
        stock_codes.is_merchandise
    from numbered
    left join stock_codes
        on numbered.stock_code = stock_codes.stock_code

)

select * from final
order by order_line_id
