{% macro element_count(list_column) -%}
    {#- Elements of a list; none where it is null. -#}
    {{ return(adapter.dispatch('element_count')(list_column)) }}
{%- endmacro %}

{% macro default__element_count(list_column) -%}
    greatest(size({{ list_column }}), 0)
{%- endmacro %}

{% macro duckdb__element_count(list_column) -%}
    coalesce(len({{ list_column }}), 0)
{%- endmacro %}
