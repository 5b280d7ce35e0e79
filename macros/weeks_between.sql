{% macro weeks_between(first_week, last_week) -%}
    {#- One row per week from a Monday to another, both included; the first must not be later. -#}
    {{ return(adapter.dispatch('weeks_between')(first_week, last_week)) }}
{%- endmacro %}

{% macro default__weeks_between(first_week, last_week) -%}
    explode(sequence({{ first_week }}, {{ last_week }}, interval 7 days))
{%- endmacro %}

{% macro duckdb__weeks_between(first_week, last_week) -%}
    cast(unnest(generate_series(
        cast({{ first_week }} as timestamp), cast({{ last_week }} as timestamp), interval 7 days
    )) as date)
{%- endmacro %}
