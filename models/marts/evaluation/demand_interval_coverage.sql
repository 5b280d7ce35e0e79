with

backtests as (

    select * from {{ ref('demand_backtest_forecasts') }}
    where method = 'chosen'

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

intervals as (
    {% for level in [80, 95] %}
    select
        scope,
        {{ level / 100 }} as nominal_coverage,
        actual_units,
        lower_{{ level }} as lower,
        upper_{{ level }} as upper
    from scoped
    where lower_{{ level }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

measured as (

    select
        scope,
        nominal_coverage,
        count(*) as forecasts,
        {{ divide(
            'count(case when actual_units >= lower and actual_units <= upper then 1 end)',
            'count(*)'
        ) }} as coverage,
        {{ divide('sum(cast(upper - lower as decimal(18, 6)))', 'count(*)') }} as mean_width_units
    from intervals
    group by scope, nominal_coverage

),

final as (

    select
        scope,
        cast(nominal_coverage as double) as nominal_coverage,
        coverage,
        mean_width_units,
        forecasts
    from measured

)

select * from final
order by scope, nominal_coverage
