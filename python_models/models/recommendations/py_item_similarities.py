"""Which items are similar: by who buys them, by where their customers go next, by description."""

from personalization.neighbors import item_neighbors


def model(dbt, session):
    interactions = dbt.ref("int_interactions_weighted")
    products = dbt.ref("products")
    admitted = dbt.ref("admitted_products")
    purchases = interactions.filter("is_newest")
    return item_neighbors(
        purchases.project("customer_id, product_id as item_id, 1.0 as weight").df(),
        products.join(admitted.filter("is_admitted").project("product_id").distinct(), "product_id")
        .project("product_id as item_id, department, category, brand, size, product_name")
        .df(),
        k=int(dbt.config.meta_get("neighbors")),
        shrinkage=float(dbt.config.meta_get("shrinkage")),
        min_support=int(dbt.config.meta_get("min_support")),
    )
