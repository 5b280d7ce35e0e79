{% macro is_after_data_end(timestamp_utc) -%}
    {{ shop_date(timestamp_utc) }} >= as_of_date
{%- endmacro %}
