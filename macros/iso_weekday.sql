{% macro iso_weekday(day) -%}
    {{ return(adapter.dispatch('iso_weekday')(day)) }}
{%- endmacro %}

{% macro default__iso_weekday(day) -%}
    cast(extract(dayofweek_iso from {{ day }}) as int)
{%- endmacro %}

{% macro duckdb__iso_weekday(day) -%}
    cast(isodow({{ day }}) as int)
{%- endmacro %}
