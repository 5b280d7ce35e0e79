"""How well k clusters describe the customers, and how well they would describe noise."""

from personalization.clusters import cluster_diagnostics


def model(dbt, session):
    features = dbt.ref("customer_features")
    # Who paid nothing saved nothing.
    nothing_paid = "coalesce(discount_share, 0) as discount_share"
    newest = features.filter("is_newest").project(f"* replace ({nothing_paid})").df()
    return cluster_diagnostics(newest, columns=dbt.config.meta_get("columns"))
