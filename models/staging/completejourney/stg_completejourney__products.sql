{{ config(enabled=source_is_enabled('completejourney')) }}

with

source as (

    select * from {{ source('completejourney', 'products') }}

),

renamed as (

    select
        {{ id_text('product_id') }} as product_id,
        {{ id_text('manufacturer_id') }} as manufacturer_id,
        {{ clean_text('brand') }} as brand_type,
        {{ clean_text('department') }} as department,
        {{ clean_text('product_category') }} as category,
        {{ clean_text('product_type') }} as product_type,
        {{ clean_text('package_size') }} as package_size
    from source

)

select * from renamed
