"""The orders that are unlike what was usual before them."""

from personalization.anomalies import ORDER_COLUMNS, PRODUCT_COLUMNS, Limits, find_anomalies


def model(dbt, session):
    orders = dbt.ref("int_order_signals_measured")
    products = dbt.ref("int_order_products_compared")
    limits = Limits(
        threshold=float(dbt.config.meta_get("threshold")),
        min_history=int(dbt.config.meta_get("min_history")),
        min_amount=float(dbt.config.meta_get("min_amount")),
        contamination=float(dbt.config.meta_get("contamination")),
    )
    # Most products cost and sell as ever; only the others are looked at more closely.
    return find_anomalies(
        orders.project(", ".join(ORDER_COLUMNS)).df(),
        products.filter(
            "unit_price not between 0.5 * usual_unit_price and 2 * usual_unit_price"
            " or quantity > 2 * usual_quantity"
        )
        .project(", ".join(PRODUCT_COLUMNS))
        .df(),
        limits,
    )
