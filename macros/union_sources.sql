{% macro union_sources(input_table) -%}
    {#- The rows of every enabled source in the columns and types that the contract declares. Files
        of any form may hold what cannot be read, and say that a simulator made them. -#}
    {%- set sources = [] -%}
    {%- for source_name, tables in input_tables_by_source().items() -%}
        {%- if source_is_enabled(source_name) and input_table in tables -%}
            {%- do sources.append(source_name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set columns = model.columns.values() | list if execute else [] -%}

    {%- for source_name in sources %}
    {%- set prefix = shop_ids_prefix(source_name) %}
    {%- set tells_unreadable = source_name == 'custom'
        or source_name == 'web_events' and input_table == 'events' %}
select
    {%- for column in columns if column.name not in ('unreadable_text', 'source_system') %}
    {%- set is_id = column.name.endswith('_id') or column.name == 'store_or_channel' %}
    {{ "'" ~ prefix ~ "' || " if prefix and is_id }}cast({{ column.name }} as {{ column.data_type }})
        as {{ column.name }},
    {%- endfor %}
    cast({{ 'unreadable_text' if tells_unreadable else 'null' }} as string) as unreadable_text,
    {%- if source_name in ['web_events', 'custom'] %}
    case when is_simulated then 'simulated' else '{{ source_name }}' end as source_system
    {%- else %}
    cast('{{ source_name }}' as string) as source_system
    {%- endif %}
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
