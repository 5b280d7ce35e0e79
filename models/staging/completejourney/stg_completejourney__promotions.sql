{{ config(enabled=source_is_enabled('completejourney')) }}

with

source as (

    select * from {{ source('completejourney', 'promotions') }}

),

renamed as (

    select
        {{ id_text('product_id') }} as product_id,
        {{ id_text('store_id') }} as store_id,
        try_cast(week as int) as week_number,
        {{ clean_text('display_location') }} as display_location,
        {{ clean_text('mailer_location') }} as mailer_location
    from source

)

select * from renamed
