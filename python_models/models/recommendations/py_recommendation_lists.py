"""The lists that customers see, under the rules of the shop."""

import pandas as pd

from personalization.surfaces import arrange, propose


def model(dbt, session):
    ranked = dbt.ref("py_ranked_candidates")
    candidates = dbt.ref("py_recommendation_candidates")
    cold_customers = dbt.ref("cold_customers")
    segment_lists = dbt.ref("segment_recommendations")
    admitted = dbt.ref("admitted_products")
    products = dbt.ref("products")
    interactions = dbt.ref("int_interactions_weighted")
    customers = dbt.ref("int_customers_accepted")
    windows = dbt.ref("int_data_windows_derived")
    order_lines = dbt.ref("int_order_lines_enriched")
    kept = (
        interactions.filter("is_newest")
        .project(
            "customer_id, product_id as item_id, days_since_last_purchase <"
            f" {dbt.config.meta_get('min_days_since_purchase')} as is_too_soon"
        )
        .set_alias("kept")
    )
    # What a customer brought back, all of it, is for them too soon for ever.
    brought_back = (
        order_lines.filter("customer_id is not null and units > 0")
        .join(windows.project("as_of_date"), "returned_date < as_of_date")
        .project("customer_id, product_id as item_id, true as is_too_soon")
        .distinct()
        .set_alias("brought_back")
        .join(kept, "customer_id, item_id", how="anti")
    )
    bought = kept.union(brought_back).df()
    recent = interactions.filter("is_newest and recent_purchase_count > 0").aggregate(
        "product_id, count(*) as recent_customers"
    )
    wanted = [
        *(
            customers.project(f"customer_id, '{surface}' as surface").df()
            for surface in ("for_you", "discover", "trending")
        ),
        cold_customers.project("customer_id, 'cold_start' as surface").df(),
    ]
    max_per_category = int(dbt.config.meta_get("max_per_category"))
    # A new day draws anew, so that in time customers see all there is to explore.
    day = windows.project("as_of_date").fetchone()[0].toordinal()
    seed = int(dbt.config.meta_get("seed"))
    proposals = propose(
        ranked.filter("step = 0").df(),
        candidates.filter("generator = 'trending'").df(),
        cold_customers.join(segment_lists, "segment_type, segment")
        .project("customer_id, product_id as item_id, score, reason_code")
        .df(),
        bought,
    )
    return arrange(
        proposals,
        admitted.filter("is_admitted")
        .join(products, "product_id")
        .join(recent, "product_id", how="left")
        .project(
            # The lists of segments have their boost already.
            "product_id as item_id, surface, popularity, category,"
            " case when surface = 'cold_start' then 1 else boost end as boost,"
            " coalesce(recent_customers, 0) as recent_customers,"
            f" popularity <= {dbt.config.meta_get('exploration_max_customers')} as is_exploration"
        )
        .df(),
        wanted=pd.concat(wanted, ignore_index=True),
        bought=bought,
        length=int(dbt.config.meta_get("length")),
        max_per_category=max_per_category or None,
        diversity=float(dbt.config.meta_get("diversity")),
        exploration_share=float(dbt.config.meta_get("exploration_share")),
        seed=seed + day,
    )
