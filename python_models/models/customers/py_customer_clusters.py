"""The cluster of each customer, for the number of clusters that the diagnostics chose."""

from personalization.clusters import assign_clusters


def model(dbt, session):
    features = dbt.ref("customer_features")
    diagnostics = dbt.ref("py_cluster_diagnostics")
    newest = features.filter("is_newest").df()
    chosen = diagnostics.filter("is_chosen").df()
    return assign_clusters(
        newest, columns=dbt.config.meta_get("columns"), k=int(chosen["k"].iloc[0])
    )
