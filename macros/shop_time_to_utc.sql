{% macro shop_time_to_utc(shop_time) -%}
    {{ return(adapter.dispatch('shop_time_to_utc')(shop_time)) }}
{%- endmacro %}

{% macro default__shop_time_to_utc(shop_time) -%}
    to_utc_timestamp({{ shop_time }}, '{{ var("shop_timezone") }}')
{%- endmacro %}

{% macro duckdb__shop_time_to_utc(shop_time) -%}
    timezone('UTC', timezone('{{ var("shop_timezone") }}', {{ shop_time }}))
{%- endmacro %}
