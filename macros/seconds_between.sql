{% macro seconds_between(first_time, last_time) -%}
    {{ return(adapter.dispatch('seconds_between')(first_time, last_time)) }}
{%- endmacro %}

{% macro default__seconds_between(first_time, last_time) -%}
    cast(timestampdiff(second, {{ first_time }}, {{ last_time }}) as bigint)
{%- endmacro %}

{% macro duckdb__seconds_between(first_time, last_time) -%}
    date_sub('second', {{ first_time }}, {{ last_time }})
{%- endmacro %}
