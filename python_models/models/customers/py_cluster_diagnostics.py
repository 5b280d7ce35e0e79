"""How well k clusters describe the customers, and how well they would describe noise."""

from personalization.clusters import cluster_diagnostics


def model(dbt, session):
    features = dbt.ref("customer_features")
    newest = features.filter("is_newest").df()
    return cluster_diagnostics(newest, columns=dbt.config.meta_get("columns"))
