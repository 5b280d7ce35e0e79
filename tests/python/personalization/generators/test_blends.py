import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from personalization.generators.base import GeneratorInputs, top_items
from personalization.generators.blends import graph_blend
from personalization.generators.item_based import rp3_beta
from personalization.generators.user_based import user_rp3
from personalization.interactions import Interactions


def inputs_of(dense: np.ndarray) -> GeneratorInputs:
    weights = csr_array(np.asarray(dense, dtype=np.float64))
    customers = np.array([f"c{i:03}" for i in range(weights.shape[0])], dtype=object)
    items = np.array([f"i{i:03}" for i in range(weights.shape[1])], dtype=object)
    return GeneratorInputs(Interactions(weights, customers, items))


def random_purchases(seed: int, n_customers: int, n_items: int, density: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.random((n_customers, n_items)) < density) * rng.uniform(0.1, 5, n_items)


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 15),
    st.integers(1, 12),
    st.floats(0.05, 0.9),
    st.floats(0, 1),
)
def test_is_the_weighted_sum_of_its_generators(seed, n_customers, n_items, density, weight):
    inputs = inputs_of(random_purchases(seed, n_customers, n_items, density))
    rows = slice(0, n_customers)
    near_items, near_customers = (generator(inputs)(rows) for generator in (rp3_beta, user_rp3))
    expected = (1 - weight) * near_items + weight * near_customers
    actual = graph_blend(inputs, user_weight=weight)(rows)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "dense",
    [
        np.zeros((0, 0)),
        np.zeros((0, 3)),
        np.zeros((3, 0)),
        np.zeros((3, 4)),
        np.ones((1, 1)),
        np.ones((1, 4)),
        np.ones((4, 1)),
        np.ones((4, 4)),
        np.eye(4),
        np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0]]),
    ],
)
def test_small_shops(dense):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inputs = inputs_of(dense)
        scorer = graph_blend(inputs)
        scores = scorer(slice(0, len(dense)))
        top_items(inputs, scorer, k=2)
    assert scores.shape == dense.shape
    assert np.isfinite(scores).all()
    assert (scores >= 0).all()


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_rejects_bad_arguments(weight):
    with pytest.raises(ValueError, match="user_weight"):
        graph_blend(inputs_of(np.eye(3)), user_weight=weight)
