{{ config(materialized='view') }}

with

events as (

    select * from {{ ref('int_events_enriched') }}

),

order_lines as (

    select * from {{ ref('int_order_lines_enriched') }}

),

other_events as (

    select
        event_id,
        event_type,
        occurred_at,
        event_date,
        known_date,
        customer_id,
        anonymous_id,
        product_id,
        order_id,
        campaign_id,
        coupon_id,
        quantity as units,
        cast(null as decimal(18, 2)) as amount_paid,
        search_query,
        search_results,
        dwell_seconds,
        rating,
        channel,
        device,
        page_path,
        referrer_host,
        traffic_source,
        traffic_medium,
        traffic_campaign,
        source_system
    from events

),

-- A line on which nothing changed hands is no purchase.
purchases as (

    select
        'purchase:' || order_line_id as event_id,
        'purchase' as event_type,
        ordered_at as occurred_at,
        order_date as event_date,
        known_date,
        customer_id,
        cast(null as string) as anonymous_id,
        product_id,
        order_id,
        cast(null as string) as campaign_id,
        cast(null as string) as coupon_id,
        units,
        amount_paid,
        cast(null as string) as search_query,
        cast(null as int) as search_results,
        cast(null as int) as dwell_seconds,
        cast(null as double) as rating,
        store_or_channel as channel,
        cast(null as string) as device,
        cast(null as string) as page_path,
        cast(null as string) as referrer_host,
        cast(null as string) as traffic_source,
        cast(null as string) as traffic_medium,
        cast(null as string) as traffic_campaign,
        source_system
    from order_lines
    where units > 0 and not is_return

),

final as (

    select * from other_events
    union all
    select * from purchases

)

select * from final
