{% macro input_tables_by_source() -%}
    {#- Which input tables a source fills, each by a model named `<source>__<table>`. -#}
    {{ return({
        'completejourney': [
            'customers',
            'products',
            'events',
            'orders',
            'order_lines',
            'campaigns',
            'campaign_contacts',
            'promotions',
        ],
        'online_retail': ['customers', 'products', 'orders', 'order_lines'],
    }) }}
{%- endmacro %}
