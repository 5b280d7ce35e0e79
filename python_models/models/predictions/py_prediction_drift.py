"""How far features and scores moved from one cutoff to the next."""

from personalization.predictions.drift import Limits, measure_drift


def model(dbt, session):
    rhythms = dbt.ref("customer_rhythms")
    backtests = dbt.ref("py_backtest_predictions")
    newest = dbt.ref("py_customer_predictions")
    targets = dbt.ref("prediction_targets")
    data_windows = dbt.ref("int_data_windows_derived")
    lifetime_features = dbt.config.meta_get("lifetime_features")
    score_targets = dbt.config.meta_get("score_targets")
    limits = dbt.config.meta_get("limits")
    scores = (
        backtests.filter("is_judged")
        .project("target, as_of_date, model, predicted, is_shipped")
        .union(newest.project("target, as_of_date, model, predicted, true"))
        .filter("predicted is not null")
        .df()
    )
    return measure_drift(
        rhythms.df().drop(columns="customer_id"),
        scores[scores["target"].isin(score_targets)],
        probability_targets=targets.filter("is_probability").df()["target"].tolist(),
        lifetime_features=lifetime_features,
        first_data_date=data_windows.df()["first_order_date"].iloc[0],
        limits=Limits(**{name: float(limit) for name, limit in limits.items()}),
    )
