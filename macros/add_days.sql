{% macro add_days(day, number_of_days) -%}
    {{ return(adapter.dispatch('add_days')(day, number_of_days)) }}
{%- endmacro %}

{% macro default__add_days(day, number_of_days) -%}
    date_add({{ day }}, cast({{ number_of_days }} as int))
{%- endmacro %}

{% macro duckdb__add_days(day, number_of_days) -%}
    ({{ day }} + cast({{ number_of_days }} as int))
{%- endmacro %}
