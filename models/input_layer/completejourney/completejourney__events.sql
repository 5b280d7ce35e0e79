{{ config(enabled=source_is_enabled('completejourney')) }}

with

redemptions as (

    select * from {{ ref('stg_completejourney__coupon_redemptions') }}

),

contacts as (

    select * from {{ ref('completejourney__campaign_contacts') }}

),

-- The source tells the day of a redemption only: it is placed at that day's start.
coupon_events as (

    select
        'coupon_redeem:'
        || campaign_id
        || ':'
        || coupon_id
        || ':'
        || household_id
        || ':'
        || cast(redemption_date as string) as event_id,
        'coupon_redeem' as event_type,
        {{ shop_midnight_utc('redemption_date') }} as occurred_at,
        household_id as customer_id,
        campaign_id,
        coupon_id,
        'store' as channel
    from redemptions

),

receipt_events as (

    select
        'campaign_receive:' || campaign_id || ':' || customer_id as event_id,
        'campaign_receive' as event_type,
        contacted_at as occurred_at,
        customer_id,
        campaign_id,
        cast(null as string) as coupon_id,
        'mail' as channel
    from contacts
    where not is_holdout

),

events as (

    select * from coupon_events
    union all
    select * from receipt_events

),

final as (

    select
        event_id,
        event_type,
        occurred_at,
        occurred_at as received_at,
        customer_id,
        cast(null as string) as anonymous_id,
        cast(null as string) as product_id,
        campaign_id,
        coupon_id,
        cast(null as string) as order_id,
        cast(null as string) as email_hash,
        cast(null as string) as search_query,
        cast(null as int) as search_results,
        cast(null as decimal(18, 3)) as quantity,
        cast(null as int) as dwell_seconds,
        cast(null as double) as rating,
        channel,
        cast(null as string) as device,
        cast(null as string) as page_path,
        cast(null as string) as referrer_host,
        cast(null as string) as traffic_source,
        cast(null as string) as traffic_medium,
        cast(null as string) as traffic_campaign
    from events

)

select * from final
