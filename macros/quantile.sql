{% macro quantile(value, share) -%}
    {#- Aggregate or window function; between two values, interpolated. -#}
    {{ return(adapter.dispatch('quantile')(value, share)) }}
{%- endmacro %}

{% macro default__quantile(value, share) -%}
    percentile({{ value }}, {{ share }})
{%- endmacro %}

{% macro duckdb__quantile(value, share) -%}
    quantile_cont({{ value }}, {{ share }})
{%- endmacro %}
