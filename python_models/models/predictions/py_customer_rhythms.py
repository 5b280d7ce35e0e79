"""When and for how much each customer ordered, at each cutoff."""

from personalization.predictions.rhythms import rhythm_table


def model(dbt, session):
    cutoffs = dbt.ref("int_cutoffs_spined")
    customer_days = dbt.ref("int_customer_days_aggregated")
    order_days = customer_days.filter("orders > 0").project(
        "customer_id, activity_date as order_date, known_date, orders, "
        "greatest(amount_paid::double, 0) as amount_paid"
    )
    days = cutoffs.df()["as_of_date"].dropna().dt.date
    return rhythm_table(order_days.df(), list(days))
