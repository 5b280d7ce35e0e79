"""What each department will sell by day, and what would have been forecast before."""

from personalization.demand.tables import department_days


def model(dbt, session):
    forecasts = dbt.ref("py_demand_forecasts")
    days = dbt.ref("int_department_days_aggregated")
    weeks = forecasts.filter("level = 'department' and method = 'chosen'")
    return department_days(
        weeks.project(
            "department, origin_date, is_newest, is_judged, week_start_date, forecast, "
            "whole_forecast, scale"
        ).df(),
        days.project("department, order_date, units").df(),
    )
