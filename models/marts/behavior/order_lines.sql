{{ config(materialized='view') }}

with

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

)

select * from order_lines
