{{ config(materialized='view') }}

with

promotions as (

    select * from {{ ref('int_promotions_accepted') }}

),

final as (

    select
        product_id,
        store_or_channel,
        period_start,
        period_end,
        display_location,
        mailer_location,
        is_displayed,
        is_mailed,
        quality_flags,
        source_system
    from promotions

)

select * from final
