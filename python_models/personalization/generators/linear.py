"""Linear models of items by items, solved exactly."""

from typing import Final

import numpy as np
from scipy import linalg
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from personalization.generators.base import GeneratorInputs, ScoreBlock, Scorer, blocks
from personalization.interactions import FloatArray, check_at_least

MAX_SIDE: Final = 8192
"""Rows of the largest matrix that `ease` inverts by default: 512 MiB, 600 at the peak."""


def ease(
    inputs: GeneratorInputs, *, regularization: float = 100.0, max_side: int = MAX_SIDE
) -> Scorer:
    """Score by the linear model that best predicts purchases from the other purchases.

    With X the zero-one matrix of customers by items and λ the regularization, the model B has a
    diagonal of 0 and minimizes |X - X B|² + λ |B|². The exact solution is

        P = (X'X + λ)⁻¹,  B_ij = -P_ij / P_jj for i ≠ j,  scores = max(0, X B)

    (Steck, "Embarrassingly shallow autoencoders for sparse data", 2019). With fewer customers
    than items the same scores come from the matrix of customers by customers:

        K = (X X' + λ)⁻¹,  X P = K X,  P_jj = (1 - x_j' K x_j) / λ

    So time grows with the cube of the smaller side and memory with its square. The matrix takes
    8 · side² bytes and is inverted in place; beside it there are a copy of X and blocks of some
    32 MiB (602 MiB in all for a side of 8192 and 1.5 million purchases). When both sides exceed
    `max_side`, only that many of the most popular items are modeled; the others score 0 and count
    for nothing.

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        regularization: λ, in customers; positive.
        max_side: Largest number of rows of a matrix to invert.

    Returns:
        The scorer.

    Raises:
        ValueError: λ is not positive or `max_side` is below 1.
    """
    if not 0 < regularization < np.inf:
        raise ValueError(f"regularization must be positive and finite, not {regularization}")
    check_at_least("max_side", max_side, 1)
    bought, n_items = inputs.bought, inputs.bought.shape[1]
    modeled = np.arange(n_items)
    if min(bought.shape) > max_side:
        modeled = np.sort(inputs.interactions.items_by_popularity[:max_side])
        bought = csr_array(bought[:, modeled])
    solve = _by_items if bought.shape[1] <= bought.shape[0] else _by_customers
    product, diagonal = solve(bought, regularization)

    def score(customers: slice) -> ScoreBlock:
        scores = bought[customers].toarray() - product(customers) / diagonal
        block = np.zeros((len(scores), n_items))
        block[:, modeled] = np.maximum(scores, 0)
        return block

    return score


def _by_items(bought: csr_array, regularization: float) -> tuple[Scorer, FloatArray]:
    """X P as a function of rows, and the diagonal of P, from the matrix of items by items."""
    inverse = _regularized_inverse(csr_array(bought.T), bought, regularization)

    def product(customers: slice) -> ScoreBlock:
        block: ScoreBlock = bought[customers] @ inverse
        return block

    return product, inverse.diagonal()


def _by_customers(bought: csr_array, regularization: float) -> tuple[Scorer, FloatArray]:
    """X P as a function of rows, and the diagonal of P, from that of customers by customers."""
    inverse = _regularized_inverse(bought, csr_array(bought.T), regularization)

    def product(customers: slice) -> ScoreBlock:
        block: ScoreBlock = inverse[customers] @ bought
        return block

    explained = np.zeros(bought.shape[1])
    for customers in blocks(*bought.shape):
        explained += bought[customers].multiply(product(customers)).sum(axis=0)
    return product, (1 - explained) / regularization


def _regularized_inverse(left: csr_array, right: csr_array, regularization: float) -> FloatArray:
    """(left · right + λ)⁻¹ for a matrix and its transpose, dense."""
    side = left.shape[0]
    matrix = np.empty((side, side))
    # By blocks: the whole product is hardly sparse, and would take more memory than this does.
    for rows in blocks(side, side):
        matrix[rows] = (left[rows] @ right).toarray()
    matrix[np.diag_indices(side)] += regularization
    # More threads of BLAS may sum in another order. Sparse products use none.
    with threadpool_limits(limits=1, user_api="blas"):
        # LAPACK wants columns, and then needs no copy; all of it is symmetric.
        inverse: FloatArray = linalg.inv(matrix.T, overwrite_a=True, assume_a="pos").T
    return inverse
