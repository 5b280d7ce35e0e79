with

forecasts as (

    select * from {{ ref('py_demand_forecasts') }}
    where
        level = 'department'
        and is_newest

),

demand_methods as (

    select * from {{ ref('demand_methods') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

baselines as (

    select
        department,
        week_start_date,
        forecast
    from forecasts
    where method = 'mean_of_last_4'

),

made_in_words as (

    {{ demand_methods_in_words('forecasts', 'demand_methods') }}

),

final as (

    select
        forecasts.department,
        cast(forecasts.week_start_date as date) as week_start_date,
        cast(forecasts.weeks_ahead as int) as weeks_ahead,
        forecasts.forecast as forecast_units,
        forecasts.whole_forecast as whole_units,
        forecasts.lower_80,
        forecasts.upper_80,
        forecasts.lower_95,
        forecasts.upper_95,
        baselines.forecast as baseline_units,
        forecasts.made_by,
        forecasts.status,
        case
            when forecasts.made_by = 'bottom_up'
                then 'Sum of the forecasts of its categories.'
            else
                'From the department''s own past, which erred less at '
                || {{ counted('forecasts.earlier_origins', 'earlier Monday') }}
                || ' than the sum of its categories: '
                || made_in_words.methods_in_words
                || '.'
        end as reason,
        data_windows.as_of_date
    from forecasts
    inner join baselines
        on
            forecasts.department = baselines.department
            and forecasts.week_start_date = baselines.week_start_date
    left join made_in_words
        on forecasts.made_by = made_in_words.made_by
    cross join data_windows
    where forecasts.method = 'chosen'

)

select * from final
order by department, week_start_date
