"""The lists that customers see, under the rules of the shop."""

from personalization.surfaces import arrange, propose


def model(dbt, session):
    ranked = dbt.ref("py_ranked_candidates")
    candidates = dbt.ref("py_recommendation_candidates")
    cold_customers = dbt.ref("cold_customers")
    segment_lists = dbt.ref("segment_recommendations")
    admitted = dbt.ref("admitted_products")
    products = dbt.ref("products")
    interactions = dbt.ref("int_interactions_weighted")
    bought_lately = interactions.filter(
        f"is_newest and days_since_last_purchase < {dbt.config.meta_get('min_days_since_purchase')}"
    )
    max_per_category = int(dbt.config.meta_get("max_per_category"))
    proposals = propose(
        ranked.filter("step = 0").df(),
        candidates.filter("generator in ('popular', 'trending')").df(),
        cold_customers.join(segment_lists, "segment_type, segment")
        .project("customer_id, product_id as item_id, score, reason_code")
        .df(),
        bought_lately.project("customer_id, product_id as item_id").df(),
    )
    return arrange(
        proposals,
        admitted.filter("is_admitted")
        .join(products, "product_id")
        .project(
            "product_id as item_id, surface, boost, popularity, category,"
            f" popularity <= {dbt.config.meta_get('exploration_max_customers')} as is_exploration"
        )
        .df(),
        length=int(dbt.config.meta_get("length")),
        max_per_category=max_per_category or None,
        diversity=float(dbt.config.meta_get("diversity")),
        exploration_share=float(dbt.config.meta_get("exploration_share")),
        seed=int(dbt.config.meta_get("seed")),
    )
