{{ config(enabled='completejourney' in var('enabled_sources')) }}

with

campaigns as (

    select * from {{ ref('stg_completejourney__campaigns') }}

),

descriptions as (

    select * from {{ ref('stg_completejourney__campaign_descriptions') }}

),

-- The source does not tell the day of the contact: it is the campaign's first.
final as (

    select
        campaigns.campaign_id,
        campaigns.household_id as customer_id,
        {{ shop_midnight_utc('descriptions.start_date') }} as contacted_at,
        cast(null as string) as variant,
        false as is_holdout
    from campaigns
    left join descriptions
        on campaigns.campaign_id = descriptions.campaign_id

)

select * from final
