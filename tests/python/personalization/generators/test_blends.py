import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import SMALL_SHOPS, checked_scores, inputs_of, random_weighted_purchases

from personalization.generators.blends import graph_blend
from personalization.generators.item_based import rp3_beta
from personalization.generators.user_based import user_rp3


@settings(deadline=None, max_examples=40)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 15),
    st.integers(1, 12),
    st.floats(0.05, 0.9),
    st.floats(0, 1),
)
def test_is_the_weighted_sum_of_its_generators(seed, n_customers, n_items, density, weight):
    inputs = inputs_of(random_weighted_purchases(seed, n_customers, n_items, density))
    rows = slice(0, n_customers)
    near_items, near_customers = (generator(inputs)(rows) for generator in (rp3_beta, user_rp3))
    expected = (1 - weight) * near_items + weight * near_customers
    actual = graph_blend(inputs, user_weight=weight)(rows)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dense", SMALL_SHOPS)
@pytest.mark.filterwarnings("error")
def test_small_shops(dense):
    checked_scores(graph_blend, inputs_of(dense))


@pytest.mark.parametrize("weight", [-0.1, 1.1, float("nan")])
def test_rejects_bad_arguments(weight):
    with pytest.raises(ValueError, match="user_weight"):
        graph_blend(inputs_of(np.eye(3)), user_weight=weight)
