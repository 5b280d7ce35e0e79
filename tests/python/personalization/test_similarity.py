import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics.pairwise import cosine_similarity

from personalization.similarity import item_similarities

COLUMNS = ["item_id", "neighbor_item_id", "rank", "score", "cosine", "support"]


def purchases(*rows: tuple[str, str, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "weight"]).astype(
        {"customer_id": "str", "item_id": "str", "weight": "float64"}
    )


def brute_force(
    frame: pd.DataFrame, *, k: int, shrinkage: float = 0.0, min_support: int = 1
) -> pd.DataFrame:
    """The definition, word for word, on a dense matrix."""
    dense = frame.pivot_table("weight", "customer_id", "item_id", fill_value=0)
    dense = dense.loc[:, (dense > 0).sum() >= min_support].sort_index()
    popularity = (dense > 0).sum()
    rows = []
    for item in sorted(dense.columns):
        found = []
        for other in dense.columns:
            x, y = dense[item].to_numpy(), dense[other].to_numpy()
            support = int(((x > 0) & (y > 0)).sum())
            if other == item or support == 0:
                continue
            dot, xx, yy = x @ y, x @ x, y @ y
            score = round(dot / np.sqrt((xx + shrinkage) * (yy + shrinkage)), 6)
            found.append((-score, -popularity[other], other, dot / np.sqrt(xx * yy), support))
        for rank, (score, _, other, cosine, support) in enumerate(sorted(found)[:k], start=1):
            rows.append((item, other, rank, -score, round(cosine, 6), support))
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {"item_id": "str", "neighbor_item_id": "str", "rank": "int64", "support": "int64"}
    )


def random_purchases(
    seed: int, *, n_customers: int, n_items: int, density: float, weighted: bool
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    customer, item = np.nonzero(rng.random((n_customers, n_items)) < density)
    weight = rng.integers(1, 4, len(item)) if weighted else np.ones(len(item))
    return purchases(
        *((f"c{c}", f"i{i}", w) for c, i, w in zip(customer, item, weight, strict=True))
    )


small_frames = st.builds(
    random_purchases,
    st.integers(0, 2**32 - 1),
    n_customers=st.integers(1, 12),
    n_items=st.integers(1, 40),
    density=st.floats(0.05, 0.9),
    weighted=st.booleans(),
)


@settings(deadline=None, max_examples=40)
@given(
    small_frames,
    st.integers(1, 8),
    st.sampled_from([0.0, 1.5, 20.0]),
    st.integers(1, 3),
)
def test_equals_brute_force(frame, k, shrinkage, min_support):
    actual = item_similarities(frame, k=k, shrinkage=shrinkage, min_support=min_support)
    expected = brute_force(frame, k=k, shrinkage=shrinkage, min_support=min_support)
    pd.testing.assert_frame_equal(actual, expected, check_dtype=not expected.empty, atol=1.1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_boundary_ties_far_beyond_the_first_fetch(weighted):
    # Few customers and many items: nearly every row ends in a tie of a hundred items.
    frame = random_purchases(1, n_customers=4, n_items=300, density=0.5, weighted=weighted)
    actual = item_similarities(frame, k=3, min_support=1)
    expected = brute_force(frame, k=3)
    pd.testing.assert_frame_equal(actual, expected)


@settings(deadline=None, max_examples=40)
@given(small_frames)
def test_symmetric_bounded_and_never_the_item_itself(frame):
    result = item_similarities(frame, k=100, min_support=1)
    assert (result["item_id"] != result["neighbor_item_id"]).all()
    assert result["score"].between(0, 1).all()
    assert (result["support"] >= 1).all()
    score = result.set_index(["item_id", "neighbor_item_id"])["score"]
    mirrored = result.set_index(["neighbor_item_id", "item_id"])["score"]
    assert score.to_dict() == mirrored.to_dict()


@settings(deadline=None, max_examples=30)
@given(small_frames, st.randoms(use_true_random=False))
def test_row_order_and_threads_do_not_matter(frame, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    expected = item_similarities(frame, k=5, min_support=1)
    actual = item_similarities(frame.iloc[order], k=5, min_support=1, n_threads=2)
    pd.testing.assert_frame_equal(actual, expected, check_exact=True)


def test_equals_cosine_of_scikit_learn():
    frame = random_purchases(2, n_customers=60, n_items=30, density=0.3, weighted=True)
    dense = frame.pivot_table("weight", "item_id", "customer_id", fill_value=0)
    expected = pd.DataFrame(cosine_similarity(dense), dense.index, dense.index)
    result = item_similarities(frame, k=30, min_support=1)
    assert len(result) > 500
    for row in result.itertuples():
        assert row.cosine == pytest.approx(
            expected.loc[row.item_id, row.neighbor_item_id], abs=1e-6
        )
        assert row.score == row.cosine


def test_ties_go_to_the_more_popular_then_to_the_lower_id():
    # cosine(x, a) = cosine(x, b) = 1 / sqrt(4 · 1)
    frame = purchases(
        ("c1", "x", 1), ("c2", "x", 1), ("c3", "x", 1), ("c4", "x", 1),
        ("c1", "b", 1), ("c2", "a", 1), ("c3", "p", 1), ("c4", "p", 1),
        *((f"d{i}", "p", 1) for i in range(2)),
        *((f"e{i}", "p", 1) for i in range(12)),
    )  # fmt: skip
    result = item_similarities(frame, k=3, min_support=1).query("item_id == 'x'")
    assert result["score"].tolist() == [0.5, 0.5, 0.25]
    assert result["neighbor_item_id"].tolist() == ["a", "b", "p"]
    tied = purchases(
        ("c1", "x", 1), ("c2", "x", 1), ("c3", "x", 1), ("c4", "x", 1),
        ("c1", "a", 1), ("c1", "p", 1), ("c2", "p", 1),
        ("d1", "p", 1), ("d2", "p", 1),
    )  # fmt: skip
    # cosine(x, a) = 1 / sqrt(4 · 1) = cosine(x, p) = 2 / sqrt(4 · 4)
    result = item_similarities(tied, k=1, min_support=1).query("item_id == 'x'")
    assert result["neighbor_item_id"].tolist() == ["p"]


def test_shrinkage_mistrusts_items_with_few_customers():
    frame = purchases(
        *((f"c{i}", item, 1) for i in range(20) for item in ("bread", "butter")),
        *((f"d{i}", "bread", 1) for i in range(5)),
        ("c1", "saffron", 1), ("c1", "rose water", 1),
    )  # fmt: skip
    plain = item_similarities(frame, min_support=1).set_index(["item_id", "neighbor_item_id"])
    shrunk = item_similarities(frame, min_support=1, shrinkage=5).set_index(plain.index.names)
    assert plain.loc[("saffron", "rose water"), "score"] == 1
    assert plain.loc[("bread", "butter"), "score"] < 1
    assert shrunk.loc[("saffron", "rose water"), "score"] == pytest.approx(1 / 6, abs=1e-6)
    assert shrunk.loc[("bread", "butter"), "score"] > 0.7
    assert shrunk.loc[("saffron", "rose water"), "cosine"] == 1


def test_min_support_counts_customers():
    frame = purchases(
        ("c1", "a", 9), ("c1", "b", 1), ("c2", "b", 1), ("c2", "c", 1), ("c1", "c", 1)
    )
    result = item_similarities(frame, min_support=2)
    assert set(result["item_id"]) == {"b", "c"}


def test_empty_input_gives_typed_empty_output():
    result = item_similarities(purchases())
    assert result.columns.tolist() == COLUMNS
    full = item_similarities(purchases(("c", "a", 1), ("c", "b", 1)), min_support=1)
    assert result.dtypes.equals(full.dtypes)


@pytest.mark.parametrize(
    ("argument", "value"), [("k", 0), ("shrinkage", -1), ("min_support", 0), ("n_threads", 0)]
)
def test_rejects_bad_arguments(argument, value):
    with pytest.raises(ValueError, match=argument):
        item_similarities(purchases(), **{argument: value})
