{% macro week_start(day) -%}
    {#- The Monday of the week that a day lies in. -#}
    {{ add_days(day, '1 - ' ~ iso_weekday(day)) }}
{%- endmacro %}
