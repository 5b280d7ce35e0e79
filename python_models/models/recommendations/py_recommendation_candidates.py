"""What each generator would recommend to each customer, and why."""

from personalization.candidates import generate_candidates
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
    return generate_candidates(
        shop.inputs(0, with_baskets=True),
        shop.generators(0),
        k=int(dbt.config.meta_get("candidates")),
    )
