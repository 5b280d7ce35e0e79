{% macro prediction_targets() -%}
    {#- What is predicted of each customer, in the order of the columns. -#}
    {{ return(['purchase_28d', 'churn', 'spend_28d', 'spend_91d', 'lifetime_value', 'next_order']) }}
{%- endmacro %}
