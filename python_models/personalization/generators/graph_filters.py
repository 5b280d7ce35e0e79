"""Graph filters: what a customer bought is a signal on the items, smoothed in closed form.

Nothing is trained. With X the zero-one matrix of customers by items, d_u items of customer u and
n_i customers of item i, an item graph is made of X, and smoothing a signal (a row of X) multiplies
it by the graph, or projects it on the smooth part of the graph's spectrum.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array
from sklearn.utils.extmath import randomized_svd
from threadpoolctl import threadpool_limits

from personalization.generators.base import GeneratorInputs, ScoreBlock, Scorer
from personalization.generators.item_based import NEIGHBORS, compact, power, top_sources
from personalization.interactions import check_at_least

# Singular values below this are 0 but for rounding; the largest is 1.
_LEAST_VALUE: Final = 1e-5


def turbo_cf(
    inputs: GeneratorInputs,
    *,
    neighbors: int = NEIGHBORS,
    alpha: float = 0.7,
    exponent: float = 0.7,
    coefficients: Sequence[float] = (1.0,),
) -> Scorer:
    """Score by a polynomial of the item graph.

    With s the exponent of each entry and c the coefficients,

        P_ij = (Σ_u x_ui · x_uj · d_u^(-2·alpha) · (n_i · n_j)^(alpha - 1))^s
        scores = max(0, c_1 · X P + c_2 · X P² + ...)

    (Park et al., "Turbo-CF: matrix decomposition-free graph filtering for fast recommendation",
    2024; its second filter is c = (2, -1), its third c = (0.71, 0.1, -0.01). The paper keeps all
    of P. Here an item keeps itself and its strongest neighbors, which bounds the memory; with as
    many neighbors as items it is the paper's.)

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        neighbors: Largest number of other items that add to the score of an item.
        alpha: How the normalization is divided between customers (1) and items (0).
        exponent: s; positive.
        coefficients: c, from the first power of P; without any, no item has a score.

    Returns:
        The scorer.

    Raises:
        ValueError: `neighbors` is below 1, alpha is not from 0 to 1 or s is not positive.
    """
    check_at_least("alpha", alpha, 0)
    check_at_least("1 - alpha", 1 - alpha, 0)
    if not exponent > 0:
        raise ValueError(f"exponent must be positive, not {exponent}")
    graph = compact(_item_graph(inputs, alpha, neighbors=neighbors).power(exponent))
    signals = compact(inputs.bought)

    def score(customers: slice) -> ScoreBlock:
        signal = signals[customers]
        total = csr_array(signal.shape, dtype=np.float32)
        for coefficient in coefficients:
            signal = signal @ graph
            total = total + coefficient * signal
        block: ScoreBlock = total.toarray()
        return np.maximum(block, 0, out=block)

    return score


def gf_cf(
    inputs: GeneratorInputs,
    *,
    neighbors: int = 600,
    n_factors: int = 256,
    low_pass_weight: float = 0.3,
) -> Scorer:
    """Score by a linear and an ideal low-pass filter of the item graph.

    With R = D_u^-½ X D_i^-½ and V the first k right singular vectors of R (columns),

        scores = max(0, X R'R + w · X D_i^-½ V V' D_i^½)

    (Shen et al., "How powerful is graph convolution for recommendation?", 2021.) Of the graph R'R
    an item keeps itself and its strongest neighbors, as in `turbo_cf`. V is found by a randomized
    SVD with a fixed seed.

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        neighbors: Largest number of other items that add to the linear score of an item.
        n_factors: k, the dimension of the smooth part.
        low_pass_weight: w, weight of the ideal filter. Not negative.

    Returns:
        The scorer.

    Raises:
        ValueError: `neighbors` or `n_factors` is below 1, or w is negative.
    """
    check_at_least("n_factors", n_factors, 1)
    check_at_least("low_pass_weight", low_pass_weight, 0)
    graph = compact(_item_graph(inputs, 0.5, neighbors=neighbors))
    into, out_of = _smooth_part(inputs, n_factors)
    signals, into = compact(inputs.bought), np.float32(low_pass_weight) * into

    def score(customers: slice) -> ScoreBlock:
        signal = signals[customers]
        with threadpool_limits(limits=1, user_api="blas"):
            block: ScoreBlock = (signal @ into) @ out_of
        block += (signal @ graph).toarray()
        return np.maximum(block, 0, out=block)

    return score


def _item_graph(inputs: GeneratorInputs, alpha: float, *, neighbors: int) -> csr_array:
    """R'R with R = D_u^-alpha X D_i^(alpha - 1): the diagonal and the strongest of each column."""
    bought = inputs.bought
    customer = power(np.diff(bought.indptr), -2 * alpha)
    scale = power(inputs.interactions.item_popularity, alpha - 1)
    others = top_sources(bought, customer=customer, source=scale, target=scale, neighbors=neighbors)
    return csr_array(others + diags_array(scale**2 * (customer @ bought)))


def _smooth_part(
    inputs: GeneratorInputs, n_factors: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """D_i^-½ V of shape (n_items, k) and V' D_i^½ of shape (k, n_items), k at most the rank."""
    popularity = inputs.interactions.item_popularity
    customer = diags_array(power(np.diff(inputs.bought.indptr), -0.5))
    item = diags_array(power(popularity, -0.5))
    normalized = compact(csr_array(customer @ inputs.bought @ item))
    if normalized.nnz == 0:
        nothing = np.zeros((normalized.shape[1], 0), dtype=np.float32)
        return nothing, nothing.T
    # More threads of BLAS may sum in another order, here and above.
    with threadpool_limits(limits=1, user_api="blas"):
        _, values, vectors = randomized_svd(
            normalized, min(n_factors, *normalized.shape), random_state=0
        )
    # The vectors of singular value 0 are no part of the spectrum, but noise.
    vectors = vectors[values > _LEAST_VALUE]
    into = item @ vectors.T
    out_of = vectors * np.sqrt(popularity)
    return into.astype(np.float32), out_of.astype(np.float32)
