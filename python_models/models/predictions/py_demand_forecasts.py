"""What each category and department will sell by week, and what would have been forecast before."""

from personalization.demand.tables import category_forecasts


def model(dbt, session):
    weeks = dbt.ref("int_demand_weeks_aggregated")
    methods = dbt.config.meta_get("methods")
    compared_methods = dbt.config.meta_get("compared_methods")
    horizon = dbt.config.meta_get("horizon")
    origins = dbt.config.meta_get("origins")
    judged_origins = dbt.config.meta_get("judged_origins")
    return category_forecasts(
        weeks.project(
            "series, department, week_start_date, units, display_share, mailer_share"
        ).df(),
        methods=methods,
        compared_methods=compared_methods,
        horizon=int(horizon),
        n_origins=int(origins),
        n_judged=int(judged_origins),
    )
