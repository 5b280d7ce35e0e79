"""Cosine similarity of items by who buys them."""

from personalization.similarity import item_similarities


def model(dbt, session):
    interactions = dbt.ref("int_interactions_weighted")
    purchases = interactions.project("customer_id, product_id as item_id, 1.0 as weight").df()
    return item_similarities(
        purchases,
        k=int(dbt.config.meta_get("neighbors")),
        shrinkage=float(dbt.config.meta_get("shrinkage")),
        min_support=int(dbt.config.meta_get("min_support")),
        n_threads=2,
    )
