import numpy as np
import pandas as pd
import pytest

from personalization.clusters import assign_clusters, cluster_diagnostics, scale_features

COLUMNS = ["orders", "spend"]


def customers(data: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(data, columns=COLUMNS)
    frame.insert(0, "customer_id", pd.array([f"c{n:04}" for n in range(len(data))], dtype="str"))
    return frame


def blobs(*sizes: int) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    centers = [(0, 0), (10, 0), (0, 10), (10, 10)]
    return customers(
        np.concatenate([rng.normal(c, 0.5, (n, 2)) for c, n in zip(centers, sizes, strict=False)])
    )


def test_real_clusters_are_chosen():
    result = cluster_diagnostics(
        blobs(60, 50, 40), columns=COLUMNS, k_values=[2, 3, 4], n_bootstraps=3, n_nulls=2
    ).set_index("k")
    assert result.index[result["is_chosen"]].tolist() == [3]
    assert result.loc[3, "is_better_than_null"]
    assert result.loc[3, "silhouette"] > 0.8
    assert result.loc[3, "stability"] == 1
    assert result.loc[3, "silhouette_excess"] == pytest.approx(
        result.loc[3, "silhouette"] - result.loc[3, "null_silhouette"], abs=2e-6
    )
    assert result["inertia"].is_monotonic_decreasing


def test_noise_is_not_mistaken_for_clusters():
    # Evenly spread points are less clustered than a Gaussian of the same covariance is.
    rng = np.random.default_rng(0)
    angle, radius = rng.uniform(0, 2 * np.pi, 300), np.sqrt(rng.uniform(0, 1, 300))
    noise = customers(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]) * 5)
    gaussian = customers(rng.normal(size=(300, 2)))
    for frame in (noise, gaussian):
        result = cluster_diagnostics(
            frame, columns=COLUMNS, k_values=[2], n_bootstraps=2, n_nulls=20
        )
        assert result["silhouette_excess"].abs().max() < 0.05
    assert result["is_chosen"].tolist() == [True]
    assert result["is_better_than_null"].tolist() == [False]


def test_diagnostics_do_not_depend_on_row_order():
    frame = blobs(30, 20)
    arguments = {"columns": COLUMNS, "k_values": [2, 3], "n_bootstraps": 2, "n_nulls": 1}
    pd.testing.assert_frame_equal(
        cluster_diagnostics(frame, **arguments),
        cluster_diagnostics(frame.sample(frac=1, random_state=1), **arguments),
        check_exact=True,
    )


def test_clusters_are_named_by_size():
    frame = blobs(10, 40, 20)
    result = assign_clusters(frame, columns=COLUMNS, k=3)
    assert result["customer_id"].is_monotonic_increasing
    assert result["cluster_id"].tolist() == [3] * 10 + [1] * 40 + [2] * 20
    assert result["silhouette"].min() > 0.5
    assert (result["distance_to_center"] >= 0).all()
    shuffled = assign_clusters(frame.sample(frac=1, random_state=5), columns=COLUMNS, k=3)
    pd.testing.assert_frame_equal(shuffled, result, check_exact=True)


@pytest.mark.parametrize("n_customers", [1, 2, 3])
def test_fewer_customers_than_clusters(n_customers):
    frame = customers(np.arange(2.0 * n_customers).reshape(-1, 2))
    assert assign_clusters(frame, columns=COLUMNS, k=5)["cluster_id"].nunique() == n_customers


def test_one_customer_makes_one_cluster():
    frame = customers(np.ones((1, 2)))
    result = assign_clusters(frame, columns=COLUMNS, k=4)
    assert result[["cluster_id", "distance_to_center", "silhouette"]].to_numpy().tolist() == [
        [1, 0, 0]
    ]
    diagnostics = cluster_diagnostics(frame, columns=COLUMNS)
    assert diagnostics["k"].tolist() == [1]
    assert diagnostics["is_chosen"].tolist() == [True]
    assert diagnostics["silhouette"].isna().all()


def test_no_customers_give_typed_empty_frames():
    empty = blobs(3).iloc[:0]
    assigned = assign_clusters(empty, columns=COLUMNS, k=2)
    assert assigned.empty
    assert assigned.dtypes.equals(assign_clusters(blobs(3), columns=COLUMNS, k=2).dtypes)
    arguments = {"columns": COLUMNS, "k_values": [2], "n_bootstraps": 1, "n_nulls": 1}
    diagnosed = cluster_diagnostics(empty, **arguments)
    assert diagnosed.empty
    assert diagnosed.dtypes.equals(cluster_diagnostics(blobs(9), **arguments).dtypes)


def test_constant_columns_have_no_say():
    frame = blobs(20, 20).assign(constant=7.0)
    with_constant = assign_clusters(frame, columns=[*COLUMNS, "constant"], k=2)
    pd.testing.assert_frame_equal(with_constant, assign_clusters(frame, columns=COLUMNS, k=2))
    all_constant = assign_clusters(frame, columns=["constant"], k=2)
    assert set(all_constant["cluster_id"]) == {1}


def test_only_skewed_columns_without_negative_values_are_logged():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "money": rng.lognormal(3, 1, 500),
            "change": rng.lognormal(3, 1, 500) - 5,
            "age": rng.normal(40, 5, 500),
        }
    )
    scaled = scale_features(frame, columns=list(frame))
    assert scaled.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-9)
    assert scaled.std(axis=0) == pytest.approx([1, 1, 1])
    linear = frame.apply(lambda column: (column - column.mean()) / column.std(ddof=0))
    assert np.allclose(scaled[:, 1:], linear.to_numpy()[:, 1:])
    logged = np.log1p(frame["money"])
    assert np.allclose(scaled[:, 0], (logged - logged.mean()) / logged.std(ddof=0))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"spend": np.nan}, "spend has null"),
        ({"spend": np.inf}, "spend has null or infinite"),
        ({"spend": "much"}, "spend must be numeric"),
        ({"customer_id": None}, "customer_id has null"),
        ({"customer_id": "c"}, "duplicate rows for customer_id"),
    ],
)
def test_rejects_bad_features(change, message):
    frame = blobs(5).assign(**change)
    with pytest.raises(ValueError, match=message):
        assign_clusters(frame, columns=COLUMNS, k=2)
    with pytest.raises(ValueError, match=message):
        cluster_diagnostics(frame, columns=COLUMNS)


def test_rejects_bad_arguments():
    frame = blobs(5)
    with pytest.raises(ValueError, match="k must be at least 1"):
        assign_clusters(frame, columns=COLUMNS, k=0)
    with pytest.raises(ValueError, match="number of columns"):
        assign_clusters(frame, columns=[], k=2)
    with pytest.raises(ValueError, match=r"missing column.*age"):
        assign_clusters(frame, columns=["age"], k=2)
    with pytest.raises(ValueError, match="k_values"):
        cluster_diagnostics(frame, columns=COLUMNS, k_values=[1, 2])
    with pytest.raises(ValueError, match="n_bootstraps"):
        cluster_diagnostics(frame, columns=COLUMNS, n_bootstraps=0)
