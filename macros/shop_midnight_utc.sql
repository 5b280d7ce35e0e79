{% macro shop_midnight_utc(shop_day) -%}
    {{ shop_time_to_utc('cast(' ~ shop_day ~ ' as timestamp)') }}
{%- endmacro %}
