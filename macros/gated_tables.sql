{% macro gated_tables() -%}
    {#- The input tables that the quality gate checks, each with the columns that name a row. -#}
    {{ return({
        'customers': ['customer_id'],
        'products': ['product_id'],
        'orders': ['order_id'],
        'order_lines': ['order_line_id'],
        'events': ['event_id'],
        'campaigns': ['campaign_id'],
        'campaign_contacts': ['campaign_id', 'customer_id'],
        'promotions': [
            'product_id',
            'store_or_channel',
            'period_start',
            'display_location',
            'mailer_location',
        ],
        'consents': ['customer_id', 'purpose', 'changed_at'],
        'erasure_requests': ['customer_id', 'requested_at'],
    }) }}
{%- endmacro %}
