from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import (
    SMALL_SHOPS,
    checked_scores,
    inputs_of,
    random_purchases,
    random_weighted_purchases,
)
from scipy.sparse import csr_array

from personalization.generators.item_based import (
    bm25,
    cosine,
    product_scorer,
    rp3_beta,
    rp3_beta_neighbors,
    tf_idf,
    top_sources,
)

GENERATORS = [cosine, tf_idf, bm25, rp3_beta, partial(rp3_beta, alpha=1.0, beta=0.5)]


purchases = st.builds(
    random_weighted_purchases,
    st.integers(0, 2**32 - 1),
    st.integers(1, 12),
    st.integers(1, 15),
    st.floats(0.05, 0.9),
)


def slow_cosine(x):
    return lambda i, j: x[:, i] @ x[:, j] / np.sqrt(x[:, i].sum() * x[:, j].sum())


def slow_tf_idf(x):
    idf = np.array([max(0, np.log(x.shape[1] / (1 + row.sum()))) for row in x])
    y = x * idf[:, np.newaxis]

    def weight(i, j):
        norms = np.linalg.norm(y[:, i]) * np.linalg.norm(y[:, j])
        return y[:, i] @ y[:, j] / norms if norms else 0

    return weight


def slow_bm25(x, k1=1.2, b=0.75):
    idf = np.array([max(0, np.log(x.shape[1] / (1 + row.sum()))) for row in x])
    y = np.zeros_like(x)
    for u, i in zip(*x.nonzero(), strict=True):
        length = x[:, i].sum() / x.sum(axis=0).mean()
        y[u, i] = idf[u] * (k1 + 1) / (k1 * (1 - b + b * length) + 1)
    return lambda i, j: y[:, i] @ y[:, j]


def slow_walks(x, alpha, beta):
    """Each walk on its own, not yet scaled by source."""

    def weight(i, j):
        walks = [
            (1 / x[:, i].sum()) ** alpha * (1 / row.sum()) ** alpha
            for row in x
            if row[i] and row[j]
        ]
        return sum(walks) / x[:, j].sum() ** beta if walks else 0

    return weight


def all_pairs(x, weight):
    """Weights of all pairs of items that share a customer; sources are rows."""
    n = x.shape[1]
    w = np.zeros((n, n))
    for i, j in np.ndindex(n, n):
        if (x[:, i] * x[:, j]).any():
            w[i, j] = weight(i, j)
    return w


def prune(w, k):
    """Keep the k largest entries of each column, without the diagonal."""
    w = w.copy()
    np.fill_diagonal(w, 0)
    for j in range(len(w)):
        w[np.argsort(-w[:, j], kind="stable")[k:], j] = 0
    return w


def scaled_walks(x, k, alpha, beta):
    full = all_pairs(x, slow_walks(x, alpha, beta))
    kept = prune(full, k)
    for i in range(len(kept)):
        total = kept[i].sum() + full[i, i]
        kept[i] /= total if total else 1
    return kept


@settings(deadline=None, max_examples=40)
@given(purchases)
@pytest.mark.parametrize(
    ("generator", "reference"),
    [
        (cosine, lambda x: prune(all_pairs(x, slow_cosine(x)), 99)),
        (tf_idf, lambda x: prune(all_pairs(x, slow_tf_idf(x)), 99)),
        (bm25, lambda x: prune(all_pairs(x, slow_bm25(x)), 99)),
        (
            partial(bm25, k1=0.3, b=1.0),
            lambda x: prune(all_pairs(x, slow_bm25(x, k1=0.3, b=1.0)), 99),
        ),
        (rp3_beta, lambda x: scaled_walks(x, 99, 0.57, 0.0)),
        (
            partial(rp3_beta, alpha=1.0, beta=0.4),
            lambda x: scaled_walks(x, 99, 1.0, 0.4),
        ),
    ],
)
def test_scores_equal_the_definition(generator, reference, dense):
    x = (dense > 0).astype(np.float64)
    scores = generator(inputs_of(dense), neighbors=99)(slice(0, len(x)))
    np.testing.assert_allclose(scores, x @ reference(x), rtol=1e-5, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(purchases, st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_a_target_keeps_its_strongest_sources(dense, k, seed):
    x = (dense > 0).astype(np.float64)
    # Random weights of customers leave no ties, so the strongest sources are unique.
    customer, source, target = (
        np.random.default_rng([seed, part]).uniform(0.5, 2, n)
        for part, n in enumerate([len(x), x.shape[1], x.shape[1]])
    )
    found = top_sources(csr_array(x), customer=customer, source=source, target=target, neighbors=k)
    expected = prune(np.diag(source) @ x.T @ np.diag(customer) @ x @ np.diag(target), k)
    np.testing.assert_allclose(found.toarray(), expected, rtol=1e-12)
    assert np.diff(found.indptr).max(initial=0) <= k


@pytest.mark.parametrize("k", [1, 3])
def test_pruned_walks_are_scaled_by_what_is_kept(k):
    x = random_purchases(7, 150, 12, 0.3)
    sorted_sources = np.sort(all_pairs(x, slow_walks(x, 0.8, 0.2)), axis=0)
    assert np.diff(sorted_sources, axis=0).min() > 1e-9  # no ties
    found = rp3_beta_neighbors(csr_array(x), neighbors=k, alpha=0.8, beta=0.2)
    assert (np.diff(found.indptr) == k).all()
    np.testing.assert_allclose(found.toarray(), scaled_walks(x, k, 0.8, 0.2), rtol=1e-9)


def test_threads_do_not_change_the_neighbors():
    bought = inputs_of(random_purchases(3, 400, 200, 0.05)).bought
    one, two = (rp3_beta_neighbors(bought, neighbors=7, n_threads=n) for n in (1, 2))
    for part in ("data", "indices", "indptr"):
        np.testing.assert_array_equal(getattr(one, part), getattr(two, part))


def test_ties_are_broken_the_same_way_every_time():
    inputs = inputs_of(np.ones((5, 40)))
    first, second = (rp3_beta(inputs, neighbors=3)(slice(0, 5)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert np.count_nonzero(first) == first.size


@pytest.mark.parametrize("generator", GENERATORS)
def test_weights_of_purchases_do_not_matter(generator):
    dense = random_weighted_purchases(4, 20, 10, 0.3)
    weighted, binary = (generator(inputs_of(x))(slice(0, 20)) for x in (dense, dense > 0))
    np.testing.assert_array_equal(weighted, binary)
    assert weighted.any()


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize("dense", SMALL_SHOPS)
@pytest.mark.filterwarnings("error")
def test_small_shops(generator, dense):
    checked_scores(generator, inputs_of(dense))


def test_a_slice_is_these_rows_of_the_whole():
    scorer = rp3_beta(inputs_of(random_weighted_purchases(6, 20, 10, 0.3)))
    np.testing.assert_array_equal(scorer(slice(5, 9)), scorer(slice(0, 20))[5:9])
    assert scorer(slice(3, 3)).shape == (0, 10)


def test_product_scorer_joins_different_kinds_of_numbers():
    left = csr_array(np.array([[1, 0], [2, 3]]))
    left.indices, left.indptr = left.indices.astype(np.int64), left.indptr.astype(np.int64)
    right = csr_array(np.array([[0.5, 0, 1], [0, 2, 0]]))
    block = product_scorer(left, right)(slice(1, 2))
    np.testing.assert_array_equal(block, [[1, 6, 2]])
    assert block.dtype == np.float32


@pytest.mark.parametrize(
    ("generator", "argument", "value"),
    [
        *((generator, "neighbors", 0) for generator in (cosine, tf_idf, bm25, rp3_beta)),
        (bm25, "k1", -1),
        (bm25, "b", -0.1),
        (bm25, "b", 1.1),
        (rp3_beta, "alpha", -1),
        (rp3_beta, "beta", -1),
        (rp3_beta, "alpha", float("nan")),
    ],
)
def test_rejects_bad_arguments(generator, argument, value):
    with pytest.raises(ValueError, match=argument):
        generator(inputs_of(np.eye(3)), **{argument: value})


def test_rejects_bad_threads():
    with pytest.raises(ValueError, match="n_threads"):
        rp3_beta_neighbors(csr_array(np.eye(3)), n_threads=0)
