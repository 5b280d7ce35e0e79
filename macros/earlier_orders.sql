{% macro earlier_orders(partition_by) -%}
    {#- The latest of them only, so that old habits and prices fade. -#}
    partition by {{ partition_by }}
    order by ordered_at, order_id
    rows between {{ var('anomaly_history') }} preceding and 1 preceding
{%- endmacro %}
