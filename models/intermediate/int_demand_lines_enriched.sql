{{ config(materialized='view') }}

with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

products as (

    select * from {{ ref('int_products_accepted') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

-- What came in later is not known yet.
final as (

    select
        order_lines.order_line_id,
        coalesce(products.department, 'No department') || ' / ' || products.category as series,
        coalesce(products.department, 'No department') as department,
        products.category,
        order_lines.product_id,
        order_lines.store_or_channel,
        order_lines.order_date,
        {{ week_start('order_lines.order_date') }} as week_start_date,
        order_lines.units,
        order_lines.amount_paid
    from order_lines
    inner join products
        on order_lines.product_id = products.product_id
    inner join data_windows
        on order_lines.known_date < data_windows.as_of_date
    where products.category is not null

)

select * from final
