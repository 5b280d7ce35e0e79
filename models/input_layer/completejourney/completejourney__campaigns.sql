{{ config(enabled=source_is_enabled('completejourney')) }}

with

descriptions as (

    select * from {{ ref('stg_completejourney__campaign_descriptions') }}

),

final as (

    select
        campaign_id,
        campaign_type,
        'mail' as channel,
        {{ shop_midnight_utc('start_date') }} as starts_at,
        {{ shop_midnight_utc(add_days('end_date', 1)) }} as ends_at
    from descriptions

)

select * from final
