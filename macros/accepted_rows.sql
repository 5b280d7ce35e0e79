{% macro accepted_rows(input_table) -%}
    {#- What the quality gate let through, in the contract's columns. -#}
with

checked_rows as (

    select * from {{ ref('int_' ~ input_table ~ '_checked') }}

)

select
    {{ input_columns(input_table) | join(',\n    ') }},
    quality_flags
from checked_rows
where row_status = 'accepted'
{%- endmacro %}
