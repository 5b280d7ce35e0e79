{{ config(enabled=source_is_enabled('completejourney')) }}

with

campaigns as (

    select * from {{ ref('stg_completejourney__campaigns') }}

),

-- A campaign described twice must not contact anybody twice; the gate judges the descriptions.
campaign_starts as (

    select
        campaign_id,
        min(start_date) as start_date
    from {{ ref('stg_completejourney__campaign_descriptions') }}
    group by campaign_id

),

-- The source does not tell the day of the contact: it is the campaign's first.
final as (

    select
        campaigns.campaign_id,
        campaigns.household_id as customer_id,
        {{ shop_midnight_utc('campaign_starts.start_date') }} as contacted_at,
        cast(null as string) as variant,
        false as is_holdout
    from campaigns
    left join campaign_starts
        on campaigns.campaign_id = campaign_starts.campaign_id

)

select * from final
