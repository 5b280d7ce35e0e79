{{ config(enabled=source_is_enabled('completejourney')) }}

with

source as (

    select * from {{ source('completejourney', 'campaign_descriptions') }}

),

renamed as (

    select
        {{ id_text('campaign_id') }} as campaign_id,
        {{ clean_text('campaign_type') }} as campaign_type,
        try_cast(start_date as date) as start_date,
        try_cast(end_date as date) as end_date
    from source

)

select * from renamed
