{% macro row_hash(column_names) -%}
    {{ return(adapter.dispatch('row_hash')(column_names)) }}
{%- endmacro %}

{% macro default__row_hash(column_names) -%}
    xxhash64({{ column_names | join(', ') }})
{%- endmacro %}

{% macro duckdb__row_hash(column_names) -%}
    hash({{ column_names | join(', ') }})
{%- endmacro %}
