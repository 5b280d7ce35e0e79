{% macro custom_rows(input_table) -%}
    {#- What a shop's own files have for an input table; each different row once where the files
        repeat them. -#}
    {%- set columns = model.columns.keys() | list if execute else ['*'] -%}

with

source as (

    select * from {{ source('custom', input_table) }}

),

final as (

    select {{ 'distinct' if custom_table(input_table).get('distinct') }}
        {{ columns | join(',\n        ') }}
    from source

)

select * from final
{%- endmacro %}
