with

backtests as (

    select * from {{ ref('demand_backtest_forecasts') }}

),

scoped as (
    {% for scope, condition in demand_scopes().items() %}
    select
        '{{ scope }}' as scope,
        *
    from backtests
    where {{ condition }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

baselines as (

    select
        scope,
        series,
        origin_date,
        week_start_date,
        scaled_error
    from scoped
    where method = 'mean_of_last_4'

),

paired as (

    select
        scoped.*,
        cast(round(power(cast(scoped.absolute_error as double), 2), 6) as decimal(38, 6))
            as squared_error,
        case when scoped.scaled_error is not null then baselines.scaled_error end
            as baseline_scaled_error
    from scoped
    left join baselines
        on
            scoped.scope = baselines.scope
            and scoped.series = baselines.series
            and scoped.origin_date = baselines.origin_date
            and scoped.week_start_date = baselines.week_start_date

),

-- The weeks of a series hang together: it counts as one observation of the gain.
series_gains as (

    select
        scope,
        method,
        cast({{ divide(
            'sum(baseline_scaled_error - scaled_error)', 'count(baseline_scaled_error)'
        ) }} as decimal(18, 6)) as gain
    from paired
    group by scope, method, series

),

-- Sums of decimals are the same in any order, so the spread is too.
gain_sums as (

    select
        scope,
        method,
        count(gain) as series,
        sum(gain) as gain_sum,
        sum(cast(round(power(cast(gain as double), 2), 12) as decimal(38, 12)))
            as gain_square_sum
    from series_gains
    group by scope, method

),

gains as (

    select
        scope,
        method,
        {{ divide('gain_sum', 'series') }} as mase_gain,
        case
            when series > 1
                then greatest(0, {{ divide(
                    'series * cast(gain_square_sum as double) - power(cast(gain_sum as double), 2)',
                    'series * series * (series - 1)',
                    digits=12
                ) }})
        end as variance
    from gain_sums

),

measured as (

    select
        scope,
        method,
        count(distinct case when scaled_error is not null then series end) as series,
        count(distinct origin_date) as origins,
        min(origin_date) as first_origin_date,
        max(origin_date) as last_origin_date,
        min(earlier_origins) as earlier_origins,
        count(scaled_error) as forecasts,
        {{ divide('sum(scaled_error)', 'count(scaled_error)') }} as mase,
        {{ divide(
            'sum(absolute_error)',
            'sum(case when absolute_error is not null '
            ~ 'then cast(actual_units as decimal(18, 6)) end)'
        ) }} as wape,
        {{ divide('sum(absolute_error)', 'count(absolute_error)') }} as mae,
        round(sqrt({{ divide(
            'sum(squared_error)', 'count(squared_error)', digits=12
        ) }}), 6) as rmse,
        {{ divide('sum(scaled_error)', 'sum(baseline_scaled_error)') }} as mase_ratio_to_baseline
    from paired
    group by scope, method

),

final as (

    select
        measured.scope,
        measured.method,
        measured.method = 'chosen' as is_shipped,
        measured.series,
        measured.origins,
        measured.first_origin_date,
        measured.last_origin_date,
        measured.earlier_origins,
        measured.forecasts,
        measured.mase,
        measured.wape,
        measured.mae,
        measured.rmse,
        measured.mase_ratio_to_baseline,
        gains.mase_gain,
        round(gains.mase_gain - 1.96 * sqrt(gains.variance), 6) as mase_gain_lower,
        round(gains.mase_gain + 1.96 * sqrt(gains.variance), 6) as mase_gain_upper
    from measured
    inner join gains
        on
            measured.scope = gains.scope
            and measured.method = gains.method

)

select * from final
order by scope, method
