-- The seven days of a week add up to it for every department: to the whole unit, and but for what
-- rounding to six digits makes.
with

sums as (

    select
        department,
        week_start_date,
        count(*) as days_in_week,
        sum(cast(forecast_units as decimal(18, 6))) as forecast_units,
        sum(whole_units) as whole_units
    from {{ ref('department_day_forecasts') }}
    group by department, week_start_date

)

select
    weeks.department,
    weeks.week_start_date,
    sums.days_in_week,
    weeks.forecast_units,
    sums.forecast_units as forecast_units_of_days,
    weeks.whole_units,
    sums.whole_units as whole_units_of_days
from {{ ref('department_demand_forecasts') }} as weeks
full outer join sums
    on
        weeks.department = sums.department
        and weeks.week_start_date = sums.week_start_date
where
    coalesce(sums.days_in_week, 0) != 7
    or weeks.whole_units is distinct from sums.whole_units
    or abs(weeks.forecast_units - sums.forecast_units) > 0.00001
