{% macro bad_timestamp(timestamp_utc) -%}
    {{ timestamp_utc }} is null or {{ timestamp_utc }} < cast('{{ var("first_plausible_date") }}' as timestamp)
{%- endmacro %}
