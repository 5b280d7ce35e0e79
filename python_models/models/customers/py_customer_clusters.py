"""The cluster of each customer, for the number of clusters that the diagnostics chose."""

from personalization.clusters import assign_clusters


def model(dbt, session):
    features = dbt.ref("customer_features")
    diagnostics = dbt.ref("py_cluster_diagnostics")
    # Who paid nothing saved nothing.
    nothing_paid = "coalesce(discount_share, 0) as discount_share"
    newest = features.filter("is_newest").project(f"* replace ({nothing_paid})").df()
    chosen = diagnostics.filter("is_chosen").df()
    return assign_clusters(
        newest, columns=dbt.config.meta_get("columns"), k=int(chosen["k"].iloc[0])
    )
