import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import SMALL_SHOPS, checked_scores, inputs_of, random_purchases
from scipy.sparse import csr_array

from personalization.generators.user_based import user_knn, user_rp3, user_rp3_neighbors


def strongest_others(weights: np.ndarray, k: int) -> np.ndarray:
    """Keep the k largest entries of each row, without the diagonal."""
    kept = np.zeros_like(weights)
    for u, row in enumerate(weights):
        others = [v for v in np.argsort(-row, kind="stable") if v != u][:k]
        kept[u, others] = row[others]
    return kept


def slow_user_knn(x, k):
    n = len(x)
    similarity = np.zeros((n, n))
    for u, v in np.ndindex(n, n):
        if x[u] @ x[v]:
            similarity[u, v] = x[u] @ x[v] / np.sqrt(x[u].sum() * x[v].sum())
    return strongest_others(similarity, k) @ x


def slow_user_rp3(x, k, alpha):
    n = len(x)
    walks = np.zeros((n, n))
    for u, v in np.ndindex(n, n):
        for i in np.flatnonzero(x[u] * x[v]):
            walks[u, v] += (1 / x[:, i].sum()) ** alpha * (1 / x[v].sum()) ** alpha
    scores = strongest_others(walks, k) @ x
    totals = scores.sum(axis=1, keepdims=True)
    return scores / np.where(totals, totals, 1) * x.sum(axis=1, keepdims=True)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 15), st.integers(1, 12), st.floats(0.05, 0.9))
def test_all_neighbors_equal_the_definition(seed, n_customers, n_items, density):
    x = random_purchases(seed, n_customers, n_items, density)
    rows = slice(0, n_customers)
    np.testing.assert_allclose(
        user_knn(inputs_of(x), neighbors=99)(rows), slow_user_knn(x, 99), rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        user_rp3(inputs_of(x), neighbors=99, alpha=0.8)(rows),
        slow_user_rp3(x, 99, 0.8),
        rtol=1e-5,
        atol=1e-6,
    )


def test_only_the_nearest_neighbors_count():
    # With c0 as the customer, c1 shares two items, c2 one; c2's own item is out of reach at k = 1.
    x = np.array([[1, 1, 1, 0, 0], [1, 1, 0, 1, 0], [0, 0, 1, 0, 1]])
    for generator in (user_knn, user_rp3):
        near, both = (generator(inputs_of(x), neighbors=k)(slice(0, 1))[0] for k in (1, 2))
        assert near[3] > 0
        assert near[4] == 0
        assert both[3] > both[4] > 0
    np.testing.assert_allclose(
        user_knn(inputs_of(x), neighbors=1)(slice(0, 1)), [[2 / 3, 2 / 3, 0, 2 / 3, 0]], rtol=1e-6
    )


def test_pruned_walks_equal_the_definition():
    # Items of many different popularities leave no ties between neighbors.
    rng = np.random.default_rng(1)
    x = (rng.random((25, 60)) < np.linspace(0.05, 0.7, 60)).astype(float)
    actual = user_rp3(inputs_of(x), neighbors=4)(slice(0, 25))
    np.testing.assert_allclose(actual, slow_user_rp3(x, 4, 0.57), rtol=1e-5, atol=1e-6)


def test_walks_hand_on_the_number_of_items_bought():
    x = random_purchases(2, 30, 20, 0.2)
    walks = user_rp3_neighbors(csr_array(x), neighbors=5)
    assert walks.diagonal().max() == 0
    assert np.diff(walks.indptr).max() == 5
    has_neighbors = walks.sum(axis=1) > 0
    assert has_neighbors.sum() > 20
    np.testing.assert_allclose((walks @ x).sum(axis=1)[has_neighbors], x.sum(axis=1)[has_neighbors])


@pytest.mark.parametrize("generator", [user_knn, user_rp3])
@pytest.mark.parametrize("dense", SMALL_SHOPS)
@pytest.mark.filterwarnings("error")
def test_small_shops(generator, dense):
    checked_scores(generator, inputs_of(dense))


@pytest.mark.parametrize(
    ("generator", "argument", "value"),
    [(user_knn, "neighbors", 0), (user_rp3, "neighbors", 0), (user_rp3, "alpha", -1)],
)
def test_rejects_bad_arguments(generator, argument, value):
    with pytest.raises(ValueError, match=argument):
        generator(inputs_of(np.eye(3)), **{argument: value})
