{% macro last_known(value, window) -%}
    {#- Window function: the last value of the frame that is not null. -#}
    {{ return(adapter.dispatch('last_known')(value, window)) }}
{%- endmacro %}

{% macro default__last_known(value, window) -%}
    last_value({{ value }}) ignore nulls over ({{ window }})
{%- endmacro %}

{% macro duckdb__last_known(value, window) -%}
    last_value({{ value }} ignore nulls) over ({{ window }})
{%- endmacro %}
