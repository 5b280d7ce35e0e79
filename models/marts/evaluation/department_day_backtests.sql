with

forecasts as (

    select * from {{ ref('py_department_day_forecasts') }}
    where not is_newest

),

-- Without a scale there is nothing to measure an error in. The baseline has no intervals.
told as (
    {% for method, source in [('chosen', 'forecast'), ('mean_of_last_4_weekdays', 'baseline')] %}
    select
        '{{ method }}' as method,
        department,
        origin_date,
        {{ source }} as forecast_units,
        baseline as baseline_units,
        actual as actual_units,
        scale,
        case when '{{ source }}' = 'forecast' then lower_80 end as lower_80,
        case when '{{ source }}' = 'forecast' then upper_80 end as upper_80,
        case when '{{ source }}' = 'forecast' then lower_95 end as lower_95,
        case when '{{ source }}' = 'forecast' then upper_95 end as upper_95
    from forecasts
    where scale is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

-- Sums of decimals are the same in any order.
judged as (

    select
        method,
        department,
        origin_date,
        actual_units,
        cast(round(abs(forecast_units - actual_units), 6) as decimal(18, 6)) as absolute_error,
        cast(round(power(forecast_units - actual_units, 2), 6) as decimal(38, 6))
            as squared_error,
        cast({{ divide('abs(forecast_units - actual_units)', 'scale') }} as decimal(18, 6))
            as scaled_error,
        cast({{ divide('abs(baseline_units - actual_units)', 'scale') }} as decimal(18, 6))
            as baseline_scaled_error,
        lower_80,
        upper_80,
        lower_95,
        upper_95
    from told

),

final as (

    select
        method,
        method = 'chosen' as is_shipped,
        count(distinct department) as departments,
        count(distinct origin_date) as origins,
        count(*) as forecasts,
        {{ divide('sum(scaled_error)', 'count(*)') }} as mase,
        {{ divide('sum(absolute_error)', 'sum(cast(actual_units as decimal(18, 6)))') }} as wape,
        {{ divide('sum(absolute_error)', 'count(*)') }} as mae,
        round(sqrt({{ divide('sum(squared_error)', 'count(*)', digits=12) }}), 6) as rmse,
        {{ divide('sum(scaled_error)', 'sum(baseline_scaled_error)') }} as mase_ratio_to_baseline,
        {{ divide(
            'count(case when actual_units >= lower_80 and actual_units <= upper_80 then 1 end)',
            'count(lower_80)'
        ) }} as coverage_80,
        {{ divide(
            'count(case when actual_units >= lower_95 and actual_units <= upper_95 then 1 end)',
            'count(lower_95)'
        ) }} as coverage_95
    from judged
    group by method

)

select * from final
order by method
