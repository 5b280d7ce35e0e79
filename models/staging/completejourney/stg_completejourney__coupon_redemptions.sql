{{ config(enabled=source_is_enabled('completejourney')) }}

with

source as (

    select * from {{ source('completejourney', 'coupon_redemptions') }}

),

renamed as (

    select
        {{ id_text('household_id') }} as household_id,
        {{ id_text('coupon_upc') }} as coupon_id,
        {{ id_text('campaign_id') }} as campaign_id,
        try_cast(redemption_date as date) as redemption_date
    from source

)

select * from renamed
