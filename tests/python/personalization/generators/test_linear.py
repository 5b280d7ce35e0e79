import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import SMALL_SHOPS, checked_scores, inputs_of, random_purchases
from scipy import linalg

from personalization.generators import base
from personalization.generators.linear import ease


def slow_ease(x, regularization):
    """One ridge regression per item on all the other items."""
    n = x.shape[1]
    scores = np.zeros(x.shape)
    for j in range(n):
        others = x[:, np.arange(n) != j]
        gram = others.T @ others + regularization * np.eye(n - 1)
        scores[:, j] = others @ np.linalg.solve(gram, others.T @ x[:, j])
    return np.maximum(scores, 0)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 14),
    st.integers(1, 14),
    st.floats(0.05, 0.95),
    st.sampled_from([0.1, 5.0, 100.0]),
)
def test_equals_one_regression_per_item(seed, n_customers, n_items, density, regularization):
    x = random_purchases(seed, n_customers, n_items, density)
    actual = ease(inputs_of(x), regularization=regularization)(slice(0, n_customers))
    np.testing.assert_allclose(actual, slow_ease(x, regularization), atol=1e-9)


@pytest.mark.parametrize("shape", [(40, 15), (15, 40)])
def test_max_side_is_about_the_smaller_side(shape):
    x = random_purchases(1, *shape, 0.3)
    exact = ease(inputs_of(x), max_side=15)(slice(0, shape[0]))
    np.testing.assert_allclose(exact, slow_ease(x, 100.0), atol=1e-9)


@pytest.mark.parametrize("shape", [(40, 15), (15, 40)])
def test_beyond_max_side_the_most_popular_items_are_modeled(shape):
    x = random_purchases(2, *shape, 0.3)
    kept = np.argsort(-x.sum(axis=0), kind="stable")[:9]
    actual = ease(inputs_of(x), regularization=3, max_side=9)(slice(0, shape[0]))
    np.testing.assert_allclose(actual[:, kept], slow_ease(x[:, kept], 3), atol=1e-9)
    assert not np.delete(actual, kept, axis=1).any()


def test_a_slice_is_these_rows_of_the_whole():
    for shape in [(20, 10), (10, 20)]:
        scorer = ease(inputs_of(random_purchases(3, *shape, 0.3)))
        np.testing.assert_allclose(scorer(slice(2, 5)), scorer(slice(0, 10))[2:5], rtol=1e-12)


@pytest.mark.parametrize("shape", [(900, 400), (400, 900)])
def test_memory_is_that_of_one_matrix_of_the_smaller_side(shape, monkeypatch):
    is_in_place = []
    invert = linalg.inv

    def spy(matrix, **options):
        inverse = invert(matrix, **options)
        is_in_place.append(np.shares_memory(matrix, inverse))
        return inverse

    monkeypatch.setattr(linalg, "inv", spy)
    monkeypatch.setattr(base, "_BLOCK_ENTRIES", 10_000)
    inputs = inputs_of(random_purchases(4, *shape, 0.05))
    bought = inputs.bought
    tracemalloc.start()
    ease(inputs)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Beside the matrix there are the purchases by item and some blocks.
    assert peak < 8 * 400**2 + 2 * 12 * bought.nnz + 60 * 10_000
    assert is_in_place == [True]


@pytest.mark.parametrize("shape", [(40, 15), (15, 40)])
def test_blocks_do_not_matter(shape, monkeypatch):
    inputs = inputs_of(random_purchases(5, *shape, 0.3))
    expected = ease(inputs)(slice(0, shape[0]))
    monkeypatch.setattr(base, "_BLOCK_ENTRIES", 45)
    np.testing.assert_array_equal(ease(inputs)(slice(0, shape[0])), expected)


@pytest.mark.parametrize("dense", SMALL_SHOPS)
@pytest.mark.filterwarnings("error")
def test_small_shops(dense):
    scores = checked_scores(ease, inputs_of(dense))
    np.testing.assert_allclose(scores, slow_ease(dense, 100.0), atol=1e-12)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("regularization", 0),
        ("regularization", np.inf),
        ("regularization", np.nan),
        ("max_side", 0),
    ],
)
def test_rejects_bad_arguments(argument, value):
    with pytest.raises(ValueError, match=argument):
        ease(inputs_of(np.eye(3)), **{argument: value})
