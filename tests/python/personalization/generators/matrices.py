"""Shops made of a matrix of purchases, for the tests beside this file."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from personalization.generators.base import Generator, GeneratorInputs, ScoreBlock, top_items
from personalization.interactions import FloatArray, Interactions

SMALL_SHOPS = [
    pytest.param(np.zeros((0, 0)), id="nothing"),
    pytest.param(np.zeros((0, 3)), id="no customer"),
    pytest.param(np.zeros((3, 0)), id="no item"),
    pytest.param(np.zeros((3, 4)), id="no purchase"),
    pytest.param(np.ones((1, 1)), id="one"),
    pytest.param(np.ones((1, 4)), id="one customer"),
    pytest.param(np.ones((4, 1)), id="one item"),
    pytest.param(np.ones((4, 4)), id="identical"),
    pytest.param(np.eye(4), id="nothing in common"),
    pytest.param(np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0]]), id="bought by everyone"),
    pytest.param(np.array([[1, 0, 0], [1, 1, 0], [1, 0, 0], [0, 0, 0]]), id="one without"),
]
"""Matrices of customers (rows) and items (columns) that are easy to forget."""


def inputs_of(weights: ArrayLike | csr_array, **frames: pd.DataFrame) -> GeneratorInputs:
    """Inputs with the given weights of customers (rows) and items (columns).

    The customers are c000, c001 and so on, the items i000, i001 and so on. The frames are the
    other fields of the inputs: what is known besides the weights.
    """
    matrix = csr_array(weights, dtype=np.float64)
    customer_ids, item_ids = (
        np.array([f"{name}{i:03}" for i in range(n)], dtype=object)
        for name, n in zip("ci", matrix.shape, strict=True)
    )
    return GeneratorInputs(Interactions(matrix, customer_ids, item_ids), **frames)


def random_purchases(seed: int, n_customers: int, n_items: int, density: float) -> FloatArray:
    """A matrix of 1 for what was bought, else 0."""
    bought = np.random.default_rng(seed).random((n_customers, n_items)) < density
    return bought.astype(np.float64)


def random_weighted_purchases(
    seed: int, n_customers: int, n_items: int, density: float
) -> FloatArray:
    """A matrix of positive weights for what was bought, else 0; each item has its own weight."""
    rng = np.random.default_rng(seed)
    bought = rng.random((n_customers, n_items)) < density
    return bought * rng.uniform(0.1, 5, n_items)


def checked_scores(generator: Generator, inputs: GeneratorInputs) -> ScoreBlock:
    """The scores of all customers, after checks that hold for every generator.

    There is one score per customer and item, finite and not negative, and lists can be made of
    them.
    """
    shape = inputs.interactions.weights.shape
    scorer = generator(inputs)
    scores = scorer(slice(0, shape[0]))
    top_items(inputs, scorer, k=2)
    assert scores.shape == shape, f"{scores.shape} is not {shape}"
    assert np.isfinite(scores).all(), scores
    assert (scores >= 0).all(), scores
    return scores
