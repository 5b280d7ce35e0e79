{% macro web_event_fields(layout) -%}
    {#- What is read of an event, by layout, in the names of the layout. Everything is read as text,
        so that a number written as text counts as one and one that is none can be shown. -#}
    {%- set item = {
        'product_id': 'string', 'item_id': 'string', 'sku': 'string', 'id': 'string',
        'name': 'string', 'item_name': 'string',
        'brand': 'string', 'item_brand': 'string',
        'category': 'string', 'item_category': 'string',
        'price': 'string', 'discount': 'string', 'quantity': 'string',
    } -%}
    {%- set traits = {
        'email': 'string', 'gender': 'string', 'address': {'state': 'string'}, 'region': 'string',
    } -%}
    {%- set fields = {'is_simulated': 'string'} -%}
    {%- if layout == 'plain' -%}
        {%- for name in [
            'event_id', 'event_type', 'occurred_at', 'received_at', 'customer_id', 'anonymous_id',
            'product_id', 'campaign_id', 'coupon_id', 'order_id', 'email_hash', 'email',
            'search_query', 'search_results', 'quantity', 'dwell_seconds', 'rating', 'channel',
            'device', 'page_path', 'referrer_host', 'traffic_source', 'traffic_medium',
            'traffic_campaign', 'product_name', 'brand', 'category', 'price',
        ] -%}
            {%- do fields.update({name: 'string'}) -%}
        {%- endfor -%}
        {%- do fields.update({'items': [item]}) -%}
    {%- elif layout == 'segment' -%}
        {%- do fields.update({
            'type': 'string', 'event': 'string', 'messageId': 'string',
            'timestamp': 'string', 'originalTimestamp': 'string',
            'receivedAt': 'string', 'sentAt': 'string',
            'userId': 'string', 'anonymousId': 'string', 'previousId': 'string',
            'channel': 'string',
            'traits': traits,
            'context': {
                'page': {'path': 'string', 'url': 'string', 'referrer': 'string'},
                'campaign': {'source': 'string', 'medium': 'string', 'name': 'string'},
                'device': {'type': 'string'},
                'userAgent': 'string',
                'traits': traits,
            },
            'properties': dict(item, **{
                'products': [item],
                'order_id': 'string', 'query': 'string', 'results_count': 'string',
                'rating': 'string', 'campaign_id': 'string',
                'coupon_id': 'string', 'coupon': 'string',
                'path': 'string', 'url': 'string', 'referrer': 'string', 'email': 'string',
            }),
        }) -%}
    {%- else -%}
        {%- do fields.update({
            'event_name': 'string', 'event_timestamp': 'string',
            'user_id': 'string', 'user_pseudo_id': 'string',
            'stream_id': 'string', 'event_bundle_sequence_id': 'string',
            'batch_page_id': 'string', 'batch_ordering_id': 'string', 'batch_event_index': 'string',
            'event_params': [{
                'key': 'string',
                'value': {
                    'string_value': 'string', 'int_value': 'string',
                    'double_value': 'string', 'float_value': 'string',
                },
            }],
            'items': [item],
            'device': {'category': 'string'},
            'collected_traffic_source': {
                'manual_source': 'string', 'manual_medium': 'string',
                'manual_campaign_name': 'string',
            },
            'ecommerce': {'transaction_id': 'string'},
        }) -%}
    {%- endif -%}
    {{ return(fields) }}
{%- endmacro %}
