import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csc_array, csr_array

from personalization import explaining
from personalization.explaining import strongest_sources
from personalization.generators.base import GeneratorInputs
from personalization.generators.item_based import rp3_beta_neighbors
from personalization.interactions import Interactions


def shop(weights: np.ndarray) -> GeneratorInputs:
    ids = [
        np.array([f"{name}{i:03}" for i in range(n)], dtype=object)
        for name, n in zip("ci", weights.shape, strict=True)
    ]
    return GeneratorInputs(Interactions(csr_array(weights), *ids))


def slow_sources(weights: np.ndarray, neighbors: np.ndarray) -> np.ndarray:
    """Go through the purchases of each customer, for each item."""
    popularity = (weights > 0).sum(axis=0)
    sources = np.full(weights.shape, -1)
    for customer, row in enumerate(weights):
        for item in range(len(row)):
            causes = [
                (-round(neighbors[source, item], 9), -row[source], -popularity[source], source)
                for source in np.flatnonzero(row)
                if source != item and neighbors[source, item] > 0
            ]
            if causes:
                sources[customer, item] = min(causes)[-1]
    return sources


def all_pairs(shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    customer, item = np.indices(shape).reshape(2, -1)
    return customer, item


@settings(deadline=None, max_examples=100)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 7),
    st.integers(1, 12),
    st.sampled_from([1, 2, 1000]),
)
def test_equals_loops_over_purchases(seed, n_customers, n_items, n_values):
    rng = np.random.default_rng(seed)
    shape = (n_customers, n_items)
    # Few distinct values make ties of every kind.
    weights = rng.integers(1, n_values + 1, shape) * (rng.random(shape) < 0.4) / 7
    dense = rng.integers(1, n_values + 1, (n_items, n_items)) * (rng.random((n_items,) * 2) < 0.5)
    customer, item = all_pairs(shape)
    actual = strongest_sources(shop(weights), csc_array(dense / 3), customer, item)
    np.testing.assert_array_equal(actual.reshape(shape), slow_sources(weights, dense / 3))


def test_with_the_neighbors_of_the_ranker():
    rng = np.random.default_rng(0)
    weights = rng.random((40, 15)) * (rng.random((40, 15)) < 0.3)
    inputs = shop(weights)
    neighbors = rp3_beta_neighbors(inputs.bought, neighbors=5)
    customer, item = all_pairs(weights.shape)
    sources = strongest_sources(inputs, neighbors, customer, item)
    np.testing.assert_array_equal(
        sources.reshape(weights.shape), slow_sources(weights, neighbors.toarray())
    )
    is_named = sources >= 0
    assert is_named.mean() > 0.5
    assert (weights[customer[is_named], sources[is_named]] > 0).all()
    assert (sources != item)[is_named].all()


def test_ties_go_to_the_heavier_then_the_more_popular_then_the_lower_id():
    neighbors = csc_array(np.ones((5, 5)))
    target = np.array([4])

    def source_of_first(*rows: list[float]) -> int:
        [source] = strongest_sources(shop(np.array(rows)), neighbors, np.array([0]), target)
        return source

    assert source_of_first([1, 2, 1, 0, 0], [1, 0, 1, 1, 0]) == 1
    assert source_of_first([1, 1, 1, 0, 0], [0, 0, 1, 9, 0]) == 2
    assert source_of_first([0, 1, 1, 1, 9], [9, 1, 0, 0, 0]) == 1
    assert source_of_first([0, 1, 1, 1, 9], [9, 1, 1, 1, 0]) == 1
    assert source_of_first([0, 0, 0, 0, 9], [9, 1, 1, 1, 0]) == -1


def test_float_noise_makes_no_difference():
    neighbors = np.zeros((3, 3))
    neighbors[:2, 2] = 0.1, 0.1 + 1e-12
    actual = strongest_sources(
        shop(np.ones((1, 3))), csc_array(neighbors), np.array([0]), np.array([2])
    )
    assert actual.tolist() == [0]


def test_blocks_and_the_order_of_pairs_do_not_matter(monkeypatch):
    rng = np.random.default_rng(1)
    weights = rng.random((12, 10)) * (rng.random((12, 10)) < 0.4)
    inputs, neighbors = shop(weights), csc_array(rng.random((10, 10)))
    order = rng.permutation(weights.size)
    customer, item = (positions[order] for positions in all_pairs(weights.shape))
    expected = strongest_sources(inputs, neighbors, customer, item)
    monkeypatch.setattr(explaining, "_BLOCK_PAIRS", 7)
    actual = strongest_sources(inputs, neighbors, customer, item)
    np.testing.assert_array_equal(actual, expected)
    np.testing.assert_array_equal(
        actual, slow_sources(weights, neighbors.toarray())[customer, item]
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(0, 0), (2, 3)])
def test_nothing_to_explain(shape):
    nothing = np.empty(0, dtype=np.int64)
    neighbors = csc_array((shape[1], shape[1]))
    sources = strongest_sources(shop(np.zeros(shape)), neighbors, nothing, nothing)
    assert sources.shape == (0,)
    customer, item = all_pairs(shape)
    sources = strongest_sources(shop(np.zeros(shape)), neighbors, customer, item)
    assert (sources == -1).all()


def test_inputs_from_frames():
    frame = pd.DataFrame(
        {"customer_id": ["a", "a", "b"], "item_id": ["x", "y", "z"], "weight": [1.0, 1.0, 1.0]}
    )
    inputs = GeneratorInputs.from_frames(frame)
    neighbors = csc_array(np.array([[0, 0, 0.1], [0, 0, 0.2], [0.3, 0.3, 0]]))
    sources = strongest_sources(inputs, neighbors, np.array([0, 1, 1]), np.array([2, 0, 2]))
    assert sources.tolist() == [1, 2, -1]
