{% macro numbered_elements(list_column, element, position) -%}
    {#- Columns of a select that turn each row into one per element, the first at position 0; none
        where the list is null or empty. -#}
    {{ return(adapter.dispatch('numbered_elements')(list_column, element, position)) }}
{%- endmacro %}

{% macro default__numbered_elements(list_column, element, position) -%}
    posexplode({{ list_column }}) as ({{ position }}, {{ element }})
{%- endmacro %}

{% macro duckdb__numbered_elements(list_column, element, position) -%}
    generate_subscripts({{ list_column }}, 1) - 1 as {{ position }},
        unnest({{ list_column }}) as {{ element }}
{%- endmacro %}
