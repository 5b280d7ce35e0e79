{% macro web_events_fill(input_table) -%}
    {#- Whether the source web_events is on and fills an input table. -#}
    {{ return(input_table in input_tables_by_source().get('web_events', [])) }}
{%- endmacro %}
