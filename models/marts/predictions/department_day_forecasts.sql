with

forecasts as (

    select * from {{ ref('py_department_day_forecasts') }}
    where is_newest

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

final as (

    select
        forecasts.department,
        cast(forecasts.forecast_date as date) as forecast_date,
        cast(forecasts.week_start_date as date) as week_start_date,
        {{ iso_weekday('cast(forecasts.forecast_date as date)') }} as forecast_weekday,
        forecasts.share as week_share,
        forecasts.forecast as forecast_units,
        forecasts.whole_forecast as whole_units,
        forecasts.lower_80,
        forecasts.upper_80,
        forecasts.lower_95,
        forecasts.upper_95,
        forecasts.baseline as baseline_units,
        data_windows.as_of_date
    from forecasts
    cross join data_windows

)

select * from final
order by department, forecast_date
