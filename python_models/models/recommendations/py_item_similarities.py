"""Which items are similar: by who buys them, by where their customers go next, by description."""

from personalization.neighbors import item_neighbors


def model(dbt, session):
    interactions = dbt.ref("int_interactions_weighted")
    products = dbt.ref("products")
    admitted = dbt.ref("admitted_products")
    purchases = interactions.filter("is_newest")
    # A product that can no longer be bought needs the products that can most.
    offered = admitted.aggregate("product_id, bool_or(is_admitted) as is_offered")
    pages = products.filter("last_sold_date is not null or is_active")
    n_neighbors = int(dbt.config.meta_get("neighbors"))
    return item_neighbors(
        purchases.project("customer_id, product_id as item_id, 1.0 as weight").df(),
        pages.join(offered, "product_id")
        .project(
            "product_id as item_id, department, category, brand, size, product_name, is_offered"
        )
        .df(),
        k=n_neighbors,
        shrinkage=float(dbt.config.meta_get("shrinkage")),
        min_support=int(dbt.config.meta_get("min_support")),
        # One name can have hundreds of products, which would leave no room for any other.
        max_per_name=max(1, n_neighbors // 10),
        # Below, most descriptions share no more than a brand or a size.
        min_content_score=0.25,
    )
