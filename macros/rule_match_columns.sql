{% macro rule_match_columns() -%}
    {#- The columns of products that a row of recommendation_rules may name. -#}
    {{ return(['product_id', 'department', 'category', 'subcategory', 'brand', 'product_name']) }}
{%- endmacro %}
