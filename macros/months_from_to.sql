{% macro months_from_to(first_month, last_month) -%}
    {#- One row per month from the first of a month to another, both included. -#}
    {{ return(adapter.dispatch('months_from_to')(first_month, last_month)) }}
{%- endmacro %}

{% macro default__months_from_to(first_month, last_month) -%}
    explode(sequence({{ first_month }}, {{ last_month }}, interval 1 month))
{%- endmacro %}

{% macro duckdb__months_from_to(first_month, last_month) -%}
    cast(unnest(generate_series(
        cast({{ first_month }} as timestamp), cast({{ last_month }} as timestamp), interval 1 month
    )) as date)
{%- endmacro %}
