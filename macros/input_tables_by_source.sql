{% macro input_tables_by_source() -%}
    {#- Which input tables a source fills, each by a model named `<source>__<table>`. Web events also
        fill what no other source of their shop does. -#}
    {%- set tables = {
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
        'custom': gated_tables().keys() | list,
    } -%}
    {%- if source_is_enabled('web_events') -%}
        {%- set filled = [] -%}
        {%- for source_name, source_tables in tables.items()
            if source_is_enabled(source_name)
            and shop_of_source(source_name) == shop_of_source('web_events') -%}
            {%- do filled.extend(source_tables) -%}
        {%- endfor -%}
        {%- set left = ['customers', 'products', 'orders', 'order_lines'] | reject('in', filled) -%}
        {%- do tables.update({'web_events': ['events'] + left | list}) -%}
    {%- endif -%}
    {{ return(tables) }}
{%- endmacro %}
