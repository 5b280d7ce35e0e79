{% macro demand_scopes() -%}
    {#- What demand forecasts are judged together, each with the condition on its rows of
        demand_backtest_forecasts. -#}
    {{ return({
        'all': "level = 'category'",
        'top_50': 'is_top_50',
        'department': "level = 'department'",
    }) }}
{%- endmacro %}
