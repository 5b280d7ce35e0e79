{% macro to_shop_time(timestamp_utc) -%}
    {{ return(adapter.dispatch('to_shop_time')(timestamp_utc)) }}
{%- endmacro %}

{% macro default__to_shop_time(timestamp_utc) -%}
    from_utc_timestamp({{ timestamp_utc }}, '{{ var("shop_timezone") }}')
{%- endmacro %}

{% macro duckdb__to_shop_time(timestamp_utc) -%}
    timezone('{{ var("shop_timezone") }}', timezone('UTC', {{ timestamp_utc }}))
{%- endmacro %}
