{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {#- dbt wants unique model names, a shop wants `input_layer.events`. -#}
    {{ (custom_alias_name or node.name.removeprefix('input_layer__')) | trim }}
{%- endmacro %}
