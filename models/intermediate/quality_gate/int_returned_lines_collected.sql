{{ config(materialized='view') }}

with

order_lines as (

    select * from {{ ref('input_layer__order_lines') }}

),

final as (

    select distinct returned_lines.order_line_id as returned_order_line_id
    from order_lines as returned_lines
    inner join order_lines as return_lines
        on returned_lines.order_line_id = return_lines.returned_order_line_id

)

select * from final
