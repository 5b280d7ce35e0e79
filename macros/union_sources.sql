{% macro union_sources(input_table) -%}
    {#- The rows of every enabled source in the columns and types that the contract declares. -#}
    {%- set sources = [] -%}
    {%- for source_name, tables in input_tables_by_source().items() -%}
        {%- if source_name in var('enabled_sources') and input_table in tables -%}
            {%- do sources.append(source_name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set columns = model.columns.values() | list if execute else [] -%}

    {%- for source_name in sources %}
select
    {%- for column in columns if column.name != 'source_system' %}
    cast({{ column.name }} as {{ column.data_type }}) as {{ column.name }},
    {%- endfor %}
    cast('{{ source_name }}' as string) as source_system
from {{ ref(source_name ~ '__' ~ input_table) }}
        {%- if not loop.last %}
union all
        {%- endif %}
    {%- else %}
select
    {%- for column in columns if column.name != 'source_system' %}
    cast(null as {{ column.data_type }}) as {{ column.name }},
    {%- endfor %}
    cast(null as string) as source_system
where false
    {%- endfor %}
{%- endmacro %}
