-- Intervals of 80 % hold 75 to 85 % of what is judged, those of 95 % hold 92 to 98 %. A warning: a
-- season may be unlike those before. With few forecasts, chance decides.
{{ config(severity='warn') }}

with

held as (

    select
        scope,
        nominal_coverage,
        coverage,
        forecasts
    from {{ ref('demand_interval_coverage') }}
    {% for level in [80, 95] %}
    union all
    select
        'department_day' as scope,
        {{ level / 100 }} as nominal_coverage,
        coverage_{{ level }} as coverage,
        forecasts
    from {{ ref('department_day_backtests') }}
    where is_shipped
    {% endfor %}
)

select * from held
where
    forecasts >= 500
    and abs(coverage - nominal_coverage) > case when nominal_coverage < 0.9 then 0.05 else 0.03 end
