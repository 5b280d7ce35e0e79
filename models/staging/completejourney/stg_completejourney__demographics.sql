{{ config(enabled=source_is_enabled('completejourney')) }}

with

source as (

    select * from {{ source('completejourney', 'demographics') }}

),

renamed as (

    select
        {{ id_text('household_id') }} as household_id,
        {{ clean_text('age') }} as age_band,
        {{ clean_text('income') }} as income_band,
        {{ clean_text('home_ownership') }} as home_ownership,
        {{ clean_text('marital_status') }} as marital_status,
        {{ clean_text('household_size') }} as household_size,
        {{ clean_text('household_comp') }} as household_composition,
        {{ clean_text('kids_count') }} as kids_count
    from source

)

select * from renamed
