"""What each model would have predicted at earlier cutoffs, beside what came true."""

import pandas as pd

from personalization.predictions.ladders import targets
from personalization.predictions.predicting import Forecasts
from warehouse.customer_history import read_history


def model(dbt, session):
    rhythms = dbt.ref("customer_rhythms")
    outcomes = dbt.ref("int_customer_outcomes_observed")
    n_cutoffs = int(dbt.config.meta_get("backtests"))
    churn_days = int(dbt.config.meta_get("churn_days"))
    lifetime_days = int(dbt.config.meta_get("lifetime_backtest_days"))
    history = read_history(rhythms, outcomes)
    tables = [
        Forecasts(history, target).backtest(n_cutoffs)
        for target in targets(churn_days=churn_days, lifetime_days=lifetime_days)
    ]
    return pd.concat(tables, ignore_index=True)
