"""How good all generators and the ranker would have been at earlier cutoffs."""

from personalization.backtesting import backtest
from warehouse.shop import Shop


def model(dbt, session):
    cutoffs = dbt.ref("int_cutoffs_spined")
    interactions = dbt.ref("int_interactions_weighted")
    next_purchases = dbt.ref("int_next_purchases_collected")
    activity = dbt.ref("int_customer_activity_totaled")
    segments = dbt.ref("segment_history")
    customers = dbt.ref("int_customers_accepted")
    products = dbt.ref("products")
    admitted = dbt.ref("admitted_products")
    order_lines = dbt.ref("int_order_lines_enriched")
    rules = dbt.ref("association_rules")
    ranked = dbt.ref("py_ranked_candidates")
    shop = Shop(
        cutoffs=cutoffs,
        interactions=interactions,
        next_purchases=next_purchases,
        activity=activity,
        segments=segments,
        customers=customers,
        products=products,
        admitted=admitted,
        order_lines=order_lines,
        rules=rules,
        recommendable_days=int(dbt.config.meta_get("recommendable_days")),
    )
    n_backtests = int(dbt.config.meta_get("backtests"))
    return backtest(
        shop,
        ranked.filter("step > 0")
        .project("step, customer_id, item_id, rank, new_rank, scored_by")
        .df(),
        shop.generators,
        steps=[step for step in shop.dates if 1 <= step <= n_backtests],
    )
