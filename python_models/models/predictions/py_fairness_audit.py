"""How the shipped models treat groups of customers, at the latest cutoff whose outcome is known."""

from personalization.predictions.fairness import audit_fairness


def model(dbt, session):
    predictions = dbt.ref("py_backtest_predictions")
    customers = dbt.ref("int_customers_accepted")
    targets = dbt.ref("prediction_targets")
    attributes = dbt.config.meta_get("attributes")
    selected_share = dbt.config.meta_get("selected_share")
    min_customers = dbt.config.meta_get("min_customers")
    audited = targets.filter("is_audited").df()
    shipped = predictions.filter("is_shipped").df()
    return audit_fairness(
        shipped[shipped["target"].isin(audited["target"])],
        customers.project(", ".join(["customer_id", *attributes])).df(),
        attributes=attributes,
        probability_targets=audited.loc[audited["is_probability"], "target"].tolist(),
        selected_share=float(selected_share),
        min_customers=int(min_customers),
    )
