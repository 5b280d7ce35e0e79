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

-- An invoice keyed in over the turn of a minute bears two times and was placed at the first.
-- One that names two customers stays two rows for the quality gate to see.
grouped as (

    select
        invoice_lines.invoice_id,
        invoice_lines.customer_id,
        min(invoice_lines.invoiced_at) as invoiced_at,
        max(invoice_lines.country) as country,
        max(case when invoice_lines.unit_price != 0 then 1 else 0 end) = 1 as has_price,
        max(case when stock_codes.is_merchandise then 1 else 0 end) = 1 as has_merchandise
    from invoice_lines
    left join stock_codes
        on invoice_lines.stock_code = stock_codes.stock_code
    group by invoice_lines.invoice_id, invoice_lines.customer_id

),

-- C is a credit note, A an adjustment of the books. What has neither customer nor price is what the
-- warehouse found, lost, broke or moved; neither customer nor goods is a fee or a correction.
final as (

    select
        invoice_id,
        customer_id,
        invoiced_at,
        country,
        case
            when customer_id is null and not has_price then 'stock_adjustment'
            when invoice_id like 'A%' then 'adjustment'
            when customer_id is null and not has_merchandise then 'adjustment'
            when invoice_id like 'C%' then 'returned'
            else 'completed'
        end as status
    from grouped

)

select * from final
order by invoice_id, customer_id
