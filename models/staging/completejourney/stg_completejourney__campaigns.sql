{{ config(enabled=source_is_enabled('completejourney')) }}

with

source as (

    select * from {{ source('completejourney', 'campaigns') }}

),

renamed as (

    select
        {{ id_text('campaign_id') }} as campaign_id,
        {{ id_text('household_id') }} as household_id
    from source

)

select * from renamed
