{% macro web_event_columns() -%}
    {#-
        Each column of an event as text, and what it is in each layout; null where a layout is not
        named.

        GA4: an event has no id, so it is made of all that tells it from others. The traffic is that
        of the visit: traffic_source, which says what first brought the visitor, is not read.
        Engagement time is not the dwell time of a page, since it tells of the page before.
    -#}
    {%- set ga4_id -%}
        'ga4:' || md5(concat_ws(
            '|'
            {%- for field in [
                'user_pseudo_id', 'user_id', 'event_timestamp', 'event_name', 'stream_id',
                'event_bundle_sequence_id', 'batch_page_id', 'batch_ordering_id',
                'batch_event_index', 'event_params', 'items',
            ] %}, coalesce(cast(ga4.{{ field }} as string), '') {%- endfor %}
        ))
    {%- endset -%}
    {%- set traits = 'segment.traits' -%}
    {%- set context = 'segment.context' -%}
    {%- set properties = 'segment.properties' -%}

    {{ return({
        'event_id': {'plain': 'plain.event_id', 'segment': 'segment.messageId', 'ga4': ga4_id},
        'event_name': {
            'plain': 'plain.event_type',
            'segment': "case when segment.type = 'track' then segment.event else segment.type end",
            'ga4': 'ga4.event_name',
        },
        'occurred_at': {
            'plain': 'plain.occurred_at',
            'segment': 'coalesce(segment.timestamp, segment.originalTimestamp)',
            'ga4': 'ga4.event_timestamp',
        },
        'received_at': {
            'plain': 'plain.received_at',
            'segment': 'coalesce(segment.receivedAt, segment.sentAt)',
        },
        'customer_id': {
            'plain': 'plain.customer_id', 'segment': 'segment.userId', 'ga4': 'ga4.user_id',
        },
        'anonymous_id': {
            'plain': 'plain.anonymous_id',
            'segment': 'coalesce(segment.anonymousId, segment.previousId)',
            'ga4': 'ga4.user_pseudo_id',
        },
        'product_id': {
            'plain': 'plain.product_id',
            'segment': 'coalesce(' ~ properties ~ '.product_id, ' ~ properties ~ '.sku)',
            'ga4': event_param('ga4.event_params', 'item_id'),
        },
        'product_name': {'plain': 'plain.product_name', 'segment': properties ~ '.name'},
        'brand': {'plain': 'plain.brand', 'segment': properties ~ '.brand'},
        'category': {'plain': 'plain.category', 'segment': properties ~ '.category'},
        'price': {'plain': 'plain.price', 'segment': properties ~ '.price'},
        'quantity': {'plain': 'plain.quantity', 'segment': properties ~ '.quantity'},
        'campaign_id': {'plain': 'plain.campaign_id', 'segment': properties ~ '.campaign_id'},
        'coupon_id': {
            'plain': 'plain.coupon_id',
            'segment': 'coalesce(' ~ properties ~ '.coupon_id, ' ~ properties ~ '.coupon)',
            'ga4': event_param('ga4.event_params', 'coupon'),
        },
        'order_id': {
            'plain': 'plain.order_id',
            'segment': properties ~ '.order_id',
            'ga4': 'coalesce(ga4.ecommerce.transaction_id, '
                ~ event_param('ga4.event_params', 'transaction_id') ~ ')',
        },
        'email': {
            'plain': 'plain.email',
            'segment': 'coalesce(' ~ traits ~ '.email, ' ~ context ~ '.traits.email, '
                ~ properties ~ '.email)',
        },
        'email_hash': {'plain': 'plain.email_hash'},
        'gender': {
            'segment': 'coalesce(' ~ traits ~ '.gender, ' ~ context ~ '.traits.gender)',
        },
        'region': {
            'segment': 'coalesce(' ~ traits ~ '.region, ' ~ traits ~ '.address.state, '
                ~ context ~ '.traits.region, ' ~ context ~ '.traits.address.state)',
        },
        'search_query': {
            'plain': 'plain.search_query',
            'segment': properties ~ '.query',
            'ga4': event_param('ga4.event_params', 'search_term'),
        },
        'search_results': {
            'plain': 'plain.search_results', 'segment': properties ~ '.results_count',
        },
        'dwell_seconds': {'plain': 'plain.dwell_seconds'},
        'rating': {
            'plain': 'plain.rating',
            'segment': properties ~ '.rating',
            'ga4': event_param('ga4.event_params', 'rating'),
        },
        'channel': {
            'plain': 'plain.channel',
            'segment': "case when segment.type = 'screen' then 'app'"
                ~ " when lower(segment.event) like 'email%' then 'email'"
                ~ " else coalesce(segment.channel, 'web') end",
            'ga4': "'web'",
        },
        'device': {
            'plain': 'plain.device',
            'segment': 'coalesce(' ~ context ~ '.device.type, '
                ~ kind_of_device(context ~ '.userAgent') ~ ')',
            'ga4': 'ga4.device.category',
        },
        'page_url': {
            'plain': 'plain.page_path',
            'segment': 'coalesce(' ~ context ~ '.page.url, ' ~ properties ~ '.url, '
                ~ context ~ '.page.path, ' ~ properties ~ '.path)',
            'ga4': event_param('ga4.event_params', 'page_location'),
        },
        'referrer': {
            'plain': 'plain.referrer_host',
            'segment': 'coalesce(' ~ context ~ '.page.referrer, ' ~ properties ~ '.referrer)',
            'ga4': event_param('ga4.event_params', 'page_referrer'),
        },
        'traffic_source': {
            'plain': 'plain.traffic_source',
            'segment': context ~ '.campaign.source',
            'ga4': 'coalesce(ga4.collected_traffic_source.manual_source, '
                ~ event_param('ga4.event_params', 'source') ~ ')',
        },
        'traffic_medium': {
            'plain': 'plain.traffic_medium',
            'segment': context ~ '.campaign.medium',
            'ga4': 'coalesce(ga4.collected_traffic_source.manual_medium, '
                ~ event_param('ga4.event_params', 'medium') ~ ')',
        },
        'traffic_campaign': {
            'plain': 'plain.traffic_campaign',
            'segment': context ~ '.campaign.name',
            'ga4': 'coalesce(ga4.collected_traffic_source.manual_campaign_name, '
                ~ event_param('ga4.event_params', 'campaign') ~ ')',
        },
    }) }}
{%- endmacro %}
