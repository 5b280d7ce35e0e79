with

forecasts as (

    select * from {{ ref('py_demand_forecasts') }}
    where is_judged

),

demand_weeks as (

    select * from {{ ref('int_demand_weeks_aggregated') }}

),

-- Without a scale there is nothing to measure an error in.
judged as (

    select
        level,
        series,
        department,
        cast(origin_date as date) as origin_date,
        cast(week_start_date as date) as week_start_date,
        cast(weeks_ahead as int) as weeks_ahead,
        method,
        made_by,
        earlier_origins,
        forecast as forecast_units,
        lower_80,
        upper_80,
        lower_95,
        upper_95,
        actual as actual_units,
        scale,
        cast(round(abs(forecast - actual), 6) as decimal(18, 6)) as absolute_error,
        cast({{ divide('abs(forecast - actual)', 'scale') }} as decimal(18, 6)) as scaled_error
    from forecasts
    where scale is not null

),

first_origins as (

    select min(origin_date) as origin_date from judged

),

-- By what was sold before anything is judged.
ranked_categories as (

    select
        demand_weeks.series,
        row_number() over (
            order by sum(demand_weeks.amount_paid) desc, demand_weeks.series asc
        ) as rank
    from demand_weeks
    inner join first_origins
        on demand_weeks.week_start_date < first_origins.origin_date
    group by demand_weeks.series

),

final as (

    select
        judged.level,
        judged.series,
        judged.department,
        judged.level = 'category' and coalesce(ranked_categories.rank <= 50, false) as is_top_50,
        judged.origin_date,
        judged.week_start_date,
        judged.weeks_ahead,
        judged.method,
        judged.made_by,
        judged.earlier_origins,
        judged.forecast_units,
        judged.lower_80,
        judged.upper_80,
        judged.lower_95,
        judged.upper_95,
        judged.actual_units,
        judged.scale,
        judged.absolute_error,
        judged.scaled_error
    from judged
    left join ranked_categories
        on judged.series = ranked_categories.series

)

select * from final
order by level, series, origin_date, method, week_start_date
