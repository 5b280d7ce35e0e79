"""Customer clusters by k-means, and the evidence for or against them."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pandas as pd
from scipy.stats import skew
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score
from threadpoolctl import threadpool_limits

from personalization.interactions import (
    FloatArray,
    IntArray,
    check_at_least,
    check_columns,
    check_finite,
    check_ids,
    check_unique,
)

MIN_STABILITY: Final = 0.8
"""Adjusted Rand index from which clusters count as found again in other samples."""

_LOG_SKEWNESS: Final = 1.0
_N_INITS: Final = 5
# Diagnostics look at a sample of at most this many customers, silhouettes (quadratic in their
# number) at the first so many of it.
_MAX_ROWS: Final = 10_000
_MAX_SILHOUETTE_ROWS: Final = 2_000
_DIGITS: Final = 6
_FIGURES: Final = (
    "silhouette",
    "null_silhouette",
    "max_null_silhouette",
    "silhouette_excess",
    "stability",
    "null_stability",
    "inertia",
)


def cluster_diagnostics(
    features: pd.DataFrame,
    *,
    columns: Sequence[str],
    k_values: Iterable[int] = range(2, 9),
    n_bootstraps: int = 10,
    n_nulls: int = 5,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how well k clusters describe the customers, and how well they describe noise.

    K-means splits anything into tidy parts, so a silhouette or a stability means nothing by
    itself. Each figure is set against its null: the same figure for samples of the same size
    from one Gaussian with the mean and covariance of the scaled data, which has no clusters
    (after Tibshirani, Walther and Hastie, "Estimating the number of clusters via the gap
    statistic", 2001). Stability is the mean adjusted Rand index between the clusters of the data
    and those that k-means fitted on bootstrap samples predict for it (Hennig, "Cluster-wise
    assessment of cluster stability", 2007, uses the same resampling).

    A k is better than the null when it is both more compact than every null sample and more
    stable than they are on average. The chosen k has the largest silhouette excess among those
    that are better and whose stability is at least `MIN_STABILITY`. When there is none, the
    smallest k is chosen: the customers form no clusters then, and any k merely slices a
    continuum.

    All figures describe a sample of at most 10,000 customers, silhouettes 2,000 of those.

    Args:
        features: One row per customer: `customer_id` (text) and the numeric `columns`.
        columns: Features to cluster on; scaled as in `scale_features`.
        k_values: Numbers of clusters to try; those that the number of distinct customers does
            not exceed are skipped.
        n_bootstraps: Bootstrap samples per figure.
        n_nulls: Gaussian samples.
        seed: Seed of every sample and start.

    Returns:
        One row per k, ascending: `k`, `silhouette`, `null_silhouette` (mean over the null
        samples), `silhouette_excess` (their difference), `stability`, `null_stability`,
        `inertia`, `is_better_than_null` and `is_chosen`. With too few customers for any k, one
        row for k = 1 with null figures; without customers, no row.

    Raises:
        ValueError: An argument is out of range or `features` is not as described.
    """
    candidates = sorted(set(k_values))
    check_at_least("the smallest of k_values", min(candidates, default=0), 2)
    check_at_least("n_bootstraps", n_bootstraps, 1)
    check_at_least("n_nulls", n_nulls, 1)
    data = scale_features(_sorted_customers(features, columns), columns=columns)
    rng = np.random.default_rng(seed)
    data = data[rng.permutation(len(data))[:_MAX_ROWS]]
    n_distinct = len(np.unique(data, axis=0))
    possible = [k for k in candidates if k < n_distinct]
    rows: list[dict[str, float]] = []
    if possible:
        covariance = np.atleast_2d(np.cov(data, rowvar=False))
        mean = data.mean(axis=0)
        nulls = [
            rng.multivariate_normal(mean, covariance, size=len(data), method="eigh")
            for _ in range(n_nulls)
        ]
        rows = [_diagnose(data, nulls, k=k, n_bootstraps=n_bootstraps, seed=seed) for k in possible]
    elif n_distinct:
        rows = [{"k": 1}]
    diagnostics = pd.DataFrame(rows, columns=["k", *_FIGURES]).astype(
        {"k": np.int64, **dict.fromkeys(_FIGURES, np.float64)}
    )
    # Compared before averaging away the spread of the null samples.
    is_better = (diagnostics["silhouette"] > diagnostics["max_null_silhouette"]) & (
        diagnostics["stability"] > diagnostics["null_stability"]
    )
    eligible = diagnostics[is_better & (diagnostics["stability"] >= MIN_STABILITY)]
    chosen = eligible["silhouette_excess"].idxmax() if len(eligible) else 0
    return diagnostics.drop(columns="max_null_silhouette").assign(
        is_better_than_null=is_better, is_chosen=diagnostics.index == chosen
    )


def assign_clusters(
    features: pd.DataFrame, *, columns: Sequence[str], k: int, seed: int = 0
) -> pd.DataFrame:
    """Assign every customer to one of k clusters.

    Args:
        features: One row per customer: `customer_id` (text) and the numeric `columns`.
        columns: Features to cluster on; scaled as in `scale_features`.
        k: Number of clusters; fewer are made when there are fewer distinct customers.
        seed: Seed of the starts of k-means.

    Returns:
        One row per customer, sorted by `customer_id`: `customer_id`, `cluster_id` (1 is the
        largest cluster; ties by the center's coordinates), `distance_to_center` (Euclidean, in
        standard deviations) and `silhouette`, from -1 to 1. This is the simplified silhouette
        (b - a) / max(a, b) with a and b the distances to the own and the nearest other center,
        linear in the number of customers; 0 when there is one cluster.

    Raises:
        ValueError: k is below 1 or `features` is not as described.
    """
    check_at_least("k", k, 1)
    customers = _sorted_customers(features, columns)
    data = scale_features(customers, columns=columns)
    k = min(k, len(np.unique(data, axis=0)))
    if k == 0:
        cluster, own, silhouette = np.empty(0, dtype=np.int64), np.empty(0), np.empty(0)
    else:
        with threadpool_limits(1):
            model = _fit(data, k=k, seed=seed)
            centers = _largest_first(model)
        distances = np.linalg.norm(data[:, np.newaxis] - centers, axis=2)
        cluster = distances.argmin(axis=1)
        nearest = np.sort(distances, axis=1)
        own = nearest[:, 0]
        silhouette = np.zeros(len(data))
        if k > 1:
            silhouette = 1 - own / nearest[:, 1]
    return pd.DataFrame(
        {
            "customer_id": customers["customer_id"].astype("str"),
            "cluster_id": cluster.astype(np.int64) + 1,
            "distance_to_center": own.round(_DIGITS),
            "silhouette": silhouette.round(_DIGITS),
        }
    )


def scale_features(features: pd.DataFrame, *, columns: Sequence[str]) -> FloatArray:
    """Scale features to mean 0 and standard deviation 1, the skewed ones after log(1 + x).

    A column is skewed when it has no negative value and a skewness above 1, as money, counts and
    days have. A constant column becomes 0 and so has no say.

    Args:
        features: The numeric `columns`.
        columns: Columns to scale.

    Returns:
        Shape (n_rows, n_columns).

    Raises:
        ValueError: There are no columns, or one is missing or has values that are not finite.
    """
    check_at_least("the number of columns", len(columns), 1)
    check_columns(features, columns)
    for column in columns:
        check_finite(features, column)
    data = features[list(columns)].to_numpy(np.float64)
    if not len(data):
        return data
    is_constant = data.min(axis=0) == data.max(axis=0)
    # The skewness of a constant is undefined; a stand-in keeps scipy from warning.
    is_skewed = (
        skew(np.where(is_constant, np.arange(len(data))[:, np.newaxis], data)) > _LOG_SKEWNESS
    )
    use_log = is_skewed & ~is_constant & (data.min(axis=0) >= 0)
    data = np.where(use_log, np.log1p(np.maximum(data, 0)), data)
    deviation = np.where(is_constant, 1, data.std(axis=0))
    scaled: FloatArray = np.where(is_constant, 0, (data - data.mean(axis=0)) / deviation)
    return scaled


def _sorted_customers(features: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Check the customers and sort them, so that the order of the input has no influence."""
    check_columns(features, ["customer_id", *columns])
    check_ids(features, ["customer_id"])
    check_unique(features, ["customer_id"])
    return features.sort_values("customer_id", ignore_index=True)


def _diagnose(
    data: FloatArray, nulls: Sequence[FloatArray], *, k: int, n_bootstraps: int, seed: int
) -> dict[str, float]:
    """Figures for one k, rounded."""
    with threadpool_limits(1):
        silhouette, stability, inertia = _figures(data, k=k, n_bootstraps=n_bootstraps, seed=seed)
        null_figures = [_figures(null, k=k, n_bootstraps=n_bootstraps, seed=seed) for null in nulls]
    null_silhouettes, null_stabilities, _ = np.transpose(null_figures)
    figures = {
        "silhouette": silhouette,
        "null_silhouette": null_silhouettes.mean(),
        "max_null_silhouette": null_silhouettes.max(),
        "silhouette_excess": silhouette - null_silhouettes.mean(),
        "stability": stability,
        "null_stability": null_stabilities.mean(),
        "inertia": inertia,
    }
    return {"k": k, **{name: round(float(figures[name]), _DIGITS) for name in _FIGURES}}


def _figures(
    data: FloatArray, *, k: int, n_bootstraps: int, seed: int
) -> tuple[float, float, float]:
    """Silhouette, stability and inertia of k clusters; `data` is in random order."""
    rng = np.random.default_rng([seed, k])
    model = _fit(data, k=k, seed=seed)
    agreements = []
    for _ in range(n_bootstraps):
        resample = _fit(data[rng.integers(len(data), size=len(data))], k=k, seed=seed)
        agreements.append(adjusted_rand_score(model.labels_, resample.predict(data)))
    silhouette = _silhouette(data[:_MAX_SILHOUETTE_ROWS], model.labels_[:_MAX_SILHOUETTE_ROWS])
    return silhouette, float(np.mean(agreements)), float(model.inertia_)


def _silhouette(data: FloatArray, labels: IntArray) -> float:
    """Mean silhouette, 0 when it is undefined because there are too few clusters or points."""
    if not 1 < len(np.unique(labels)) < len(data):
        return 0.0
    return float(silhouette_score(data, labels))


def _fit(data: FloatArray, *, k: int, seed: int) -> KMeans:
    """Fit k-means; a resample may hold fewer distinct rows than k."""
    k = min(k, len(np.unique(data, axis=0)))
    return KMeans(n_clusters=k, n_init=_N_INITS, random_state=seed).fit(data)


def _largest_first(model: KMeans) -> FloatArray:
    """Centers by descending cluster size, ties by coordinates, shape (k, n_columns)."""
    centers: FloatArray = model.cluster_centers_
    sizes = np.bincount(model.labels_, minlength=len(centers))
    return centers[np.lexsort((*centers.T.round(_DIGITS)[::-1], -sizes))]
