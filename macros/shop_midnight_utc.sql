{% macro shop_midnight_utc(shop_day) -%}
    {{ return(adapter.dispatch('shop_midnight_utc')(shop_day)) }}
{%- endmacro %}

{% macro default__shop_midnight_utc(shop_day) -%}
    to_utc_timestamp(cast({{ shop_day }} as timestamp), '{{ var("shop_timezone") }}')
{%- endmacro %}

{% macro duckdb__shop_midnight_utc(shop_day) -%}
    timezone('UTC', timezone('{{ var("shop_timezone") }}', cast({{ shop_day }} as timestamp)))
{%- endmacro %}
