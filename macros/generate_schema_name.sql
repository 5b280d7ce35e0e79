{% macro generate_schema_name(custom_schema_name, node) -%}
    {#- The schema is the area, as written: `behavior`, never `main_behavior`. -#}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
