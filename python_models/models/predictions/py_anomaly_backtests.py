"""How many anomalies would be found among the shop's own orders."""

from personalization.anomalies import ORDER_COLUMNS, Limits
from personalization.anomaly_backtesting import backtest_anomalies, ordinary_orders


def model(dbt, session):
    signals = dbt.ref("int_order_signals_measured")
    products = dbt.ref("int_order_products_compared")
    found = dbt.ref("py_order_anomalies")
    orders = signals.project(", ".join(ORDER_COLUMNS)).df()
    anomalies = found.df()
    sample = ordinary_orders(
        orders, anomalies["order_id"], n_orders=int(dbt.config.meta_get("orders"))
    )
    return backtest_anomalies(
        sample,
        products.join(session.from_df(sample[["order_id"]]), "order_id").df(),
        Limits(
            threshold=float(dbt.config.meta_get("threshold")),
            min_history=int(dbt.config.meta_get("min_history")),
            min_amount=float(dbt.config.meta_get("min_amount")),
        ),
        orders=orders,
        anomalies=anomalies,
    )
