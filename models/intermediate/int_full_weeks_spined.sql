with

data_windows as (

    select * from {{ ref('int_data_windows_derived') }}

),

-- A week that the data begin or end in would look like one of few sales.
bounds as (

    select
        {{ week_start(add_days('first_order_date', 6)) }} as first_week,
        {{ add_days(week_start('as_of_date'), -7) }} as last_week
    from data_windows

),

final as (

    select {{ weeks_between('first_week', 'last_week') }} as week_start_date
    from bounds
    where first_week <= last_week

)

select * from final
order by week_start_date
