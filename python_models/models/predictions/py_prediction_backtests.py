"""How good every model of every target was at earlier cutoffs, beside the target's baseline."""

from personalization.predictions.backtests import backtest_predictions


def model(dbt, session):
    predictions = dbt.ref("py_backtest_predictions")
    features = dbt.ref("customer_features")
    segments = dbt.ref("segment_history")
    targets = dbt.ref("prediction_targets")
    min_customers = dbt.config.meta_get("min_customers")
    activity = features.project(
        "as_of_date, customer_id, 'activity' as segment_type, "
        "case when orders_84d > 0 then 'active' else 'lapsed' end as segment"
    )
    rfm = segments.project("as_of_date, customer_id, 'rfm' as segment_type, segment")
    return backtest_predictions(
        predictions.filter("is_judged").df(),
        activity.union(rfm).df(),
        probability_targets=targets.filter("is_probability").df()["target"].tolist(),
        min_customers=int(min_customers),
    )
