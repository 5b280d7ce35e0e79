{{ config(
    enabled=source_is_enabled('web_events'),
    materialized='table',
) }}

{#- A table, so that every file is read and parsed once a build. -#}
{%- set layouts = web_event_layouts() -%}
{%- set hosts = (var('sources').get('web_events') or {}).get('hosts', []) -%}
{%- set texts = [
    'customer_id', 'anonymous_id', 'product_id', 'product_name', 'brand', 'category', 'campaign_id',
    'coupon_id', 'order_id', 'gender', 'region', 'channel', 'device', 'traffic_source',
    'traffic_medium', 'traffic_campaign',
] -%}
{%- set values = {
    'occurred_at': moment_from_text('occurred_at'),
    'received_at': moment_from_text('received_at'),
    'price': 'try_cast(price as decimal(18, 2))',
    'quantity': 'try_cast(quantity as decimal(18, 3))',
    'search_results': whole_number('search_results'),
    'dwell_seconds': whole_number('dwell_seconds'),
    'rating': 'try_cast(try_cast(rating as decimal(18, 3)) as double)',
} -%}
{#- What was there and is null now. -#}
{%- set unread = [] -%}
{%- for column in values -%}
    {%- do unread.append(
        "case when " ~ column ~ "_text is not null and " ~ column ~ " is null then '" ~ column
        ~ ": ' || left(" ~ column ~ "_text, 100) end"
    ) -%}
{%- endfor -%}
{%- set unreadable_text = "nullif(concat_ws(', ', cast(null as string), " ~ unread | join(', ')
    ~ "), '')" -%}
{%- set key_fields = {
    'type': 'string',
    'messageId': 'string',
    'event_name': 'string',
    'event_timestamp': 'string',
} -%}
{#- Who comes from another page of the shop was not referred. -#}
{%- set was_referred = "coalesce(referrer_host not in (page_host, 'www.' || page_host)"
    ~ " and 'www.' || referrer_host != page_host, true)" -%}
{%- if hosts -%}
    {%- set was_referred = "referrer_host not in ('" ~ hosts | map('lower') | join("', '") ~ "') and "
        ~ was_referred -%}
{%- endif -%}

-- noqa: disable=RF03,LT02
-- A field of a struct is no column of a table, and what is generated has no lines of its own.
with

source as (

    select * from {{ source('web_events', 'lines') }}

),

-- Which layout a line has, its keys tell.
keyed_lines as (

    select
        arrival_date,
        line,
        {{ json_fields('line', key_fields) }} as line_keys
    from source
    where line is not null

),

lines_of_a_layout as (

    select
        arrival_date,
        line,
        {%- if layouts | length == 1 %}
        '{{ layouts[0] }}' as layout
        {%- else %}
        case
            when line_keys.event_name is not null and line_keys.event_timestamp is not null
                then 'ga4'
            when line_keys.type is not null or line_keys.messageid is not null then 'segment'
            else 'plain'
        end as layout
        {%- endif %}
    from keyed_lines

),

parsed_lines as (

    select
        arrival_date,
        layout,
        {%- for layout in layouts %}
        {%- set fields = json_fields('line', web_event_fields(layout)) %}
        {{ "case when layout = '" ~ layout ~ "' then " ~ fields ~ " end" }} as {{ layout }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from lines_of_a_layout

),

renamed as (

    select
        arrival_date,
        layout,
        {%- for column, value_by_layout in web_event_columns().items() %}
        {{ clean_text(by_layout(value_by_layout)) }} as {{ column }},
        {%- endfor %}
        {{ by_layout({
            'plain': 'plain.is_simulated',
            'segment': 'segment.is_simulated',
            'ga4': 'ga4.is_simulated',
        }) }} as is_simulated,
        {{ by_layout({
            'plain': 'plain.items',
            'segment': 'segment.properties.products',
            'ga4': 'ga4.items',
        }) }} as items
    from parsed_lines

),

cast_values as (

    select
        arrival_date,
        layout,
        event_id,
        {{ snake_case('event_name') }} as event_name,
        {%- for column in texts %}
        {{ column }},
        {%- endfor %}
        {%- for column, value in values.items() %}
        {{ column }} as {{ column }}_text,
        {{ value }} as {{ column }},
        {%- endfor %}
        coalesce({{ email_hash('email') }}, email_hash) as email_hash,
        {{ masked_emails('search_query') }} as search_query,
        {{ url_path('page_url') }} as page_path,
        {{ url_host("case when page_url like '%://%' then page_url end") }} as page_host,
        {{ url_host('referrer') }} as referrer_host,
        coalesce(lower(is_simulated) in ('true', '1'), false) as is_simulated,
        items
    from renamed

),

final as (

    select
        arrival_date,
        layout,
        event_id,
        event_name,
        occurred_at,
        -- Without a time of its own, a message was received on the day it arrived.
        coalesce(
            received_at,
            greatest(occurred_at, cast(arrival_date as timestamp))
        ) as received_at,
        {%- for column in texts %}
        {{ column }},
        {%- endfor %}
        email_hash,
        search_query,
        search_results,
        price,
        quantity,
        dwell_seconds,
        rating,
        page_path,
        case when {{ was_referred }} then referrer_host end as referrer_host,
        {{ masked_emails(unreadable_text) }} as unreadable_text,
        is_simulated,
        items
    from cast_values

)

select * from final
