{% macro recommendation_surfaces() -%}
    {#- The places of the shop that have lists of their own. YAML cannot call macros: the accepted
        values of customer_recommendations, admitted_products and recommendation_rules repeat
        them. -#}
    {{ return(['for_you', 'buy_again', 'discover', 'trending', 'cold_start']) }}
{%- endmacro %}
