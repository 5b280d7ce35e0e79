{% macro days_between(first_day, last_day) -%}
    {{ return(adapter.dispatch('days_between')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__days_between(first_day, last_day) -%}
    datediff({{ last_day }}, {{ first_day }})
{%- endmacro %}

{% macro duckdb__days_between(first_day, last_day) -%}
    cast({{ last_day }} - {{ first_day }} as int)
{%- endmacro %}
