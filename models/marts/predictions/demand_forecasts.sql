with

forecasts as (

    select * from {{ ref('py_demand_forecasts') }}
    where
        level = 'category'
        and is_newest

),

demand_weeks as (

    select * from {{ ref('int_demand_weeks_aggregated') }}

),

demand_methods as (

    select * from {{ ref('demand_methods') }}

),

data_windows as (

    select as_of_date from {{ ref('int_data_windows_derived') }}

),

numbered_weeks as (

    select
        series,
        department,
        category,
        cast(cast(round(units) as bigint) as string) as units_in_words,
        row_number() over (partition by series order by week_start_date desc) as weeks_ago
    from demand_weeks

),

last_weeks as (

    select
        series,
        department,
        category,
        case count(*)
            when 1 then 'the last week'
            else 'the last ' || cast(count(*) as string) || ' weeks'
        end as weeks_in_words,
        concat_ws(
            ', ',
            {%- for weeks_ago in [4, 3, 2, 1] %}
            max(case when weeks_ago = {{ weeks_ago }} then units_in_words end)
            {{- ',' if not loop.last }}
            {%- endfor %}
        ) as units_in_words
    from numbered_weeks
    where weeks_ago <= 4
    group by series, department, category

),

baselines as (

    select
        series,
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
        last_weeks.department,
        last_weeks.category,
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
            when forecasts.status = 'zero' then 'Nothing was sold on balance'
            when forecasts.status = 'constant' then 'As in every week so far'
            when forecasts.status = 'short'
                then
                    'Mean of '
                    || last_weeks.weeks_in_words
                    || ', since less than 12 weeks are too few to choose a method by'
            when forecasts.earlier_origins = 0
                then 'Mean of all methods, none of which has been judged yet'
            else
                'Mean of the methods with the smallest errors at '
                || {{ counted('forecasts.earlier_origins', 'earlier Monday') }}
                || ': '
                || made_in_words.methods_in_words
        end
        || '; '
        || last_weeks.weeks_in_words
        || ' sold '
        || last_weeks.units_in_words
        || '.' as reason,
        data_windows.as_of_date
    from forecasts
    inner join last_weeks
        on forecasts.series = last_weeks.series
    inner join baselines
        on
            forecasts.series = baselines.series
            and forecasts.week_start_date = baselines.week_start_date
    left join made_in_words
        on forecasts.made_by = made_in_words.made_by
    cross join data_windows
    where forecasts.method = 'chosen'

)

select * from final
order by department, category, week_start_date
