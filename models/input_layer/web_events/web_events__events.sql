{{ config(enabled=source_is_enabled('web_events')) }}

{#- What is told of several products at once is told of each. -#}
{%- set types_by_product = "('product_view', 'add_to_cart', 'remove_from_cart')" -%}
{%- set columns = [
    'event_type', 'occurred_at', 'received_at', 'customer_id', 'anonymous_id', 'campaign_id',
    'coupon_id', 'order_id', 'email_hash', 'search_query', 'search_results', 'dwell_seconds',
    'rating', 'channel', 'device', 'page_path', 'referrer_host', 'traffic_source', 'traffic_medium',
    'traffic_campaign', 'unreadable_text', 'is_simulated',
] -%}
{%- set told_of_lines = ['received_at', 'unreadable_text', 'is_simulated'] -%}

-- noqa: disable=RF03,LT02
-- A field of a struct is no column of a table, and what is generated has no lines of its own.
with

events as (

    select * from {{ ref('stg_web_events__events') }}

),

event_names as (

    select * from {{ ref('web_events__event_names') }}

),

unreadable_lines as (

    select * from {{ ref('stg_web_events__unreadable_lines') }}

),

-- A name that nobody has mapped stands for itself: the gate tells whether it is a type.
typed_events as (

    select
        events.*,
        case
            when event_names.event_name is null then events.event_name
            else event_names.event_type
        end as event_type,
        {{ element_count('events.items') }} as items_count
    from events
    left join event_names
        on events.event_name = event_names.event_name
    where event_names.event_name is null or event_names.event_type is not null

),

numbered_items as (

    select
        *,
        {{ numbered_elements('items', 'item', 'item_position') }}
    from typed_events
    where items_count > 0 and event_type in {{ types_by_product }}

),

events_of_one_item as (

    select
        case
            when items_count > 1 then event_id || ':' || cast(item_position as string)
            else event_id
        end as event_id,
        coalesce({{ clean_text(item_column('item', 'product_id')) }}, product_id) as product_id,
        coalesce(try_cast(item.quantity as decimal(18, 3)), quantity) as quantity,
        {{ columns | join(',\n        ') }}
    from numbered_items

),

other_events as (

    select
        event_id,
        product_id,
        quantity,
        {{ columns | join(',\n        ') }}
    from typed_events
    where items_count = 0 or event_type is null or event_type not in {{ types_by_product }}

),

-- Nothing of it is an event: the gate rejects it as unreadable_row.
unreadable_events as (

    select
        'unreadable:' || file || coalesce(':' || cast(line_number as string), '') as event_id,
        cast(arrival_date as timestamp) as received_at,
        problem || coalesce(': ' || line_text, '') as unreadable_text,
        false as is_simulated
    from unreadable_lines

),

final as (

    select * from events_of_one_item
    union all
    select * from other_events
    union all
    select
        event_id,
        cast(null as string) as product_id,
        cast(null as decimal(18, 3)) as quantity,
        {%- for column in columns %}
        {{ column if column in told_of_lines else 'null as ' ~ column }}
        {{- ',' if not loop.last }}
        {%- endfor %}
    from unreadable_events

)

select * from final
