{% macro custom_table(input_table) -%}
    {#- What the settings of the source `custom` say of an input table; nothing where they leave it
        out. -#}
    {%- set settings = var('sources').get('custom') or {} -%}
    {{ return(settings.get('tables', {}).get(input_table, {})) }}
{%- endmacro %}
