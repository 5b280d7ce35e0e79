"""What each model of each target looks at and learns from."""

from personalization.predictions.ladders import targets
from personalization.predictions.predicting import describe_models
from warehouse.customer_history import read_history


def model(dbt, session):
    rhythms = dbt.ref("customer_rhythms")
    outcomes = dbt.ref("int_customer_outcomes_observed")
    churn_days = int(dbt.config.meta_get("churn_days"))
    lifetime_days = int(dbt.config.meta_get("lifetime_days"))
    history = read_history(rhythms, outcomes)
    return describe_models(history, targets(churn_days=churn_days, lifetime_days=lifetime_days))
