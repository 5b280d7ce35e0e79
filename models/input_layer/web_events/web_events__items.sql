{{ config(enabled=source_is_enabled('web_events')) }}

-- noqa: disable=RF03
-- A field of a struct is no column of a table.
with

events as (

    select * from {{ ref('stg_web_events__events') }}

),

event_names as (

    select * from {{ ref('web_events__event_names') }}

),

typed_events as (

    select
        events.*,
        coalesce(event_names.event_type, events.event_name) as event_type
    from events
    left join event_names
        on events.event_name = event_names.event_name

),

numbered_items as (

    select
        *,
        {{ numbered_elements('items', 'item', 'item_position') }}
    from typed_events

),

listed_items as (

    select
        arrival_date,
        event_id,
        event_type,
        occurred_at,
        received_at,
        order_id,
        item_position,
        {%- for column in ['product_id', 'product_name', 'brand', 'category'] %}
        {{ clean_text(item_column('item', column)) }} as {{ column }},
        {%- endfor %}
        try_cast(item.price as decimal(18, 2)) as price,
        try_cast(item.discount as decimal(18, 2)) as discount,
        try_cast(item.quantity as decimal(18, 3)) as quantity,
        is_simulated
    from numbered_items

),

single_items as (

    select
        arrival_date,
        event_id,
        event_type,
        occurred_at,
        received_at,
        order_id,
        cast(0 as bigint) as item_position,
        product_id,
        product_name,
        brand,
        category,
        price,
        cast(null as decimal(18, 2)) as discount,
        quantity,
        is_simulated
    from typed_events
    where product_id is not null and {{ element_count('items') }} = 0

),

final as (

    select * from listed_items
    union all
    select * from single_items

)

select * from final
