{% macro demographic_traits() -%}
    {#- What a customer may say about themselves, the more telling for what they buy first. -#}
    {{ return(['age_band', 'income_band', 'household_composition', 'household_size', 'region']) }}
{%- endmacro %}
