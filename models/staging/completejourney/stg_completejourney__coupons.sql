{{ config(enabled=source_is_enabled('completejourney')) }}

with

source as (

    select * from {{ source('completejourney', 'coupons') }}

),

renamed as (

    select
        {{ id_text('coupon_upc') }} as coupon_id,
        {{ id_text('product_id') }} as product_id,
        {{ id_text('campaign_id') }} as campaign_id
    from source

)

select * from renamed
