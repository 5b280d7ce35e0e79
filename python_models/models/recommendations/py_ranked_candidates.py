"""The candidates that the learned ranker puts first, now and at earlier cutoffs."""

from personalization.ranking_in_time import rank_in_time
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
    return rank_in_time(
        shop,
        steps=list(shop.dates),
        n_backtests=int(dbt.config.meta_get("backtests")),
        n_windows=int(dbt.config.meta_get("windows")),
        min_positives=int(dbt.config.meta_get("min_positives")),
        k=int(dbt.config.meta_get("candidates")),
    )
