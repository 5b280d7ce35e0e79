{{ config(enabled=source_is_enabled('completejourney')) }}

{#- Week 1 of the study is the week of Monday 26 December 2016. -#}
{%- set first_week = "cast('2016-12-26' as date)" -%}

with

promotions as (

    select * from {{ ref('stg_completejourney__promotions') }}

),

final as (

    select
        product_id,
        store_id as store_or_channel,
        {{ add_days(first_week, '(week_number - 1) * 7') }} as period_start,
        {{ add_days(first_week, '(week_number - 1) * 7 + 6') }} as period_end,
        nullif(display_location, '0') as display_location,
        nullif(mailer_location, '0') as mailer_location,
        display_location != '0' as is_displayed,
        mailer_location != '0' as is_mailed
    from promotions

)

select * from final
