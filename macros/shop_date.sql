{% macro shop_date(timestamp_utc) -%}
    cast({{ to_shop_time(timestamp_utc) }} as date)
{%- endmacro %}
