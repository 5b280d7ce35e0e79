-- The categories of a department add up to it in every week to come: to the whole unit, and but for
-- what rounding to six digits makes.
with

sums as (

    select
        department,
        week_start_date,
        count(*) as categories,
        sum(cast(forecast_units as decimal(18, 6))) as forecast_units,
        sum(whole_units) as whole_units
    from {{ ref('demand_forecasts') }}
    group by department, week_start_date

)

select
    departments.department,
    departments.week_start_date,
    departments.forecast_units,
    sums.forecast_units as forecast_units_of_categories,
    departments.whole_units,
    sums.whole_units as whole_units_of_categories
from {{ ref('department_demand_forecasts') }} as departments
full outer join sums
    on
        departments.department = sums.department
        and departments.week_start_date = sums.week_start_date
where
    departments.whole_units is distinct from sums.whole_units
    or abs(departments.forecast_units - sums.forecast_units) > 0.000001 * (sums.categories + 1)
