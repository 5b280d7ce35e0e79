"""What the chosen model of each target predicts of the customers of today, and why."""

import pandas as pd

from personalization.predictions.ladders import targets
from personalization.predictions.predicting import Forecasts
from warehouse.customer_history import read_history


def model(dbt, session):
    rhythms = dbt.ref("customer_rhythms")
    outcomes = dbt.ref("int_customer_outcomes_observed")
    backtests = dbt.ref("py_backtest_predictions")
    churn_days = int(dbt.config.meta_get("churn_days"))
    backtest_days = int(dbt.config.meta_get("lifetime_backtest_days"))
    lifetime_days = int(dbt.config.meta_get("lifetime_days"))
    history = read_history(rhythms, outcomes)
    made_before = backtests.df()
    judged = targets(churn_days=churn_days, lifetime_days=backtest_days)
    told = targets(churn_days=churn_days, lifetime_days=lifetime_days)
    tables = [
        Forecasts(history, target, made_before=made_before).predict(final)
        for target, final in zip(judged, told, strict=True)
    ]
    return pd.concat(tables, ignore_index=True)
