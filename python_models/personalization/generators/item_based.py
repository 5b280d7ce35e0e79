"""Neighborhoods of items: a customer is scored by what is similar to what they bought.

All four methods weight the same sum of co-purchases. With x_ui = 1 where customer u bought item i:

    W_ij = t_j · s_i · Σ_u c_u · x_ui · x_uj        (source i, target j)

and differ only in the weights c of customers, s of sources and t of targets. So each is the
product of two scaled matrices, and one sparse top-k product computes them all without ever holding
all pairs. A target keeps its `neighbors` strongest sources, itself excluded (`rp3_beta` then
scales what is kept by source), and

    score(u, j) = Σ_i x_ui · W_ij
"""

from typing import Final

import numpy as np
from scipy.sparse import csc_array, csr_array, csr_matrix, safely_cast_index_arrays, sparray
from sparse_dot_topn import sp_matmul_topn
from threadpoolctl import threadpool_info

from personalization.generators.base import GeneratorInputs, ScoreBlock, Scorer
from personalization.interactions import FloatArray, IntArray, check_at_least

NEIGHBORS: Final = 150
"""Sources that a target keeps by default."""

ALPHA: Final = 0.57
"""Exponent of the probability of a step of a walk by default."""


def cosine(inputs: GeneratorInputs, *, neighbors: int = NEIGHBORS) -> Scorer:
    """Score by the cosine of items: s_i = n_i^-½, t_j = n_j^-½ for n customers of an item.

    (Sarwar et al., "Item-based collaborative filtering recommendation algorithms", 2001.)

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        neighbors: Largest number of sources per target.

    Returns:
        The scorer.

    Raises:
        ValueError: `neighbors` is below 1.
    """
    scale = power(_popularity(inputs.bought), -0.5)
    weights = top_sources(inputs.bought, source=scale, target=scale, neighbors=neighbors)
    return ItemScorer(inputs.bought, weights)


def tf_idf(inputs: GeneratorInputs, *, neighbors: int = NEIGHBORS) -> Scorer:
    """Score by the cosine of items whose customers are weighted by their idf.

    With m items in all and d_u items of customer u, idf_u = max(0, log(m / (1 + d_u))): who buys
    everything says little. Then c_u = idf_u², and s_i = t_i is one over the norm of item i.

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        neighbors: Largest number of sources per target.

    Returns:
        The scorer.

    Raises:
        ValueError: `neighbors` is below 1.
    """
    customer = _idf(inputs.bought) ** 2
    scale = power(customer @ inputs.bought, -0.5)
    weights = top_sources(
        inputs.bought, customer=customer, source=scale, target=scale, neighbors=neighbors
    )
    return ItemScorer(inputs.bought, weights)


def bm25(
    inputs: GeneratorInputs, *, neighbors: int = NEIGHBORS, k1: float = 1.2, b: float = 0.75
) -> Scorer:
    """Score by the dot product of items under Okapi BM25, an item being a text of its customers.

    With n_i customers of item i and their mean n over items, c_u = idf_u² as in `tf_idf` and

        s_i = t_i = (k1 + 1) / (k1 · (1 - b + b · n_i / n) + 1)

    (Robertson and Zaragoza, "The probabilistic relevance framework: BM25 and beyond", 2009.)

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        neighbors: Largest number of sources per target.
        k1: How slowly repetition saturates; on yes-or-no data, how much b matters. Not negative.
        b: How much popular items are discounted, from 0 to 1.

    Returns:
        The scorer.

    Raises:
        ValueError: An argument is out of range.
    """
    check_at_least("k1", k1, 0)
    check_at_least("b", b, 0)
    check_at_least("1 - b", 1 - b, 0)
    popularity = _popularity(inputs.bought)
    mean = popularity.mean() if popularity.any() else 1.0
    scale = (k1 + 1) / (k1 * (1 - b + b * popularity / mean) + 1)
    weights = top_sources(
        inputs.bought,
        customer=_idf(inputs.bought) ** 2,
        source=scale,
        target=scale,
        neighbors=neighbors,
    )
    return ItemScorer(inputs.bought, weights)


def rp3_beta(
    inputs: GeneratorInputs,
    *,
    neighbors: int = NEIGHBORS,
    alpha: float = ALPHA,
    beta: float = 0.0,
) -> Scorer:
    """Score by random walks of three steps over the graph of customers and items.

    The weights are those of `rp3_beta_neighbors`: of the probabilities of the walks, raised to
    alpha and discounted by the popularity of the target, the strongest per target, as shares of
    their source. (P3alpha of Cooper et al., 2014, and RP3beta of Paudel et al., 2017.)

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        neighbors: Largest number of sources per target.
        alpha: Exponent of the probability of a step.
        beta: Exponent of the discount of popular targets.

    Returns:
        The scorer.

    Raises:
        ValueError: `neighbors` is below 1, or an exponent is negative.
    """
    weights = rp3_beta_neighbors(inputs.bought, neighbors=neighbors, alpha=alpha, beta=beta)
    return ItemScorer(inputs.bought, weights)


def rp3_beta_neighbors(
    bought: csr_array,
    *,
    neighbors: int = NEIGHBORS,
    alpha: float = ALPHA,
    beta: float = 0.0,
    n_threads: int | None = None,
) -> csc_array:
    """Weigh the walks from an item over its customers to another item.

    A step from an item goes to each of its n_i customers, a step from a customer to each of their
    d_u items with equal probability; every probability is raised to alpha:

        W_ij = Σ_u x_ui · x_uj · (1 / n_i)^alpha · (1 / d_u)^alpha / n_j^beta

    Of these the `neighbors` strongest sources of each target are kept. Then each is divided by
    the sum over its source of what is kept and of the walks back to itself:

        W_ij / (W_ii + Σ_t W_it)  over the targets t that keep i

    Popular sources lose most of their targets, and the rest of their walks should not lose their
    weight with them.

    (Cooper et al., "Random walks in recommender systems: exact computation and simulations",
    2014, for alpha, as P3alpha; Paudel et al., "Updatable, accurate, diverse, and scalable
    recommendations for interactive applications", 2017, for beta, who keep the strongest targets
    of a source instead. Keeping sources lets every item be recommended, and ranks better.)

    Args:
        bought: Ones where a customer (row) bought an item (column).
        neighbors: Largest number of sources per target.
        alpha: Exponent of the probability of a step.
        beta: Exponent of the discount of popular targets.
        n_threads: Threads of the product, by default as many as OpenMP may use; they do not
            change the result.

    Returns:
        The weights, with sources as rows and targets as columns; shape (n_items, n_items).

    Raises:
        ValueError: `neighbors` or `n_threads` is below 1, or an exponent is negative.
    """
    check_at_least("alpha", alpha, 0)
    check_at_least("beta", beta, 0)
    popularity = _popularity(bought)
    customer = power(np.diff(bought.indptr), -alpha)
    source, target = power(popularity, -alpha), power(popularity, -beta)
    weights = top_sources(
        bought,
        customer=customer,
        source=source,
        target=target,
        neighbors=neighbors,
        n_threads=n_threads,
    )
    back = source * target * (customer @ bought)
    total = back + np.bincount(weights.indices, weights.data, minlength=len(back))
    weights.data *= power(total, -1)[weights.indices]
    return weights


def top_sources(
    bought: csr_array,
    *,
    customer: FloatArray | None = None,
    source: FloatArray,
    target: FloatArray,
    neighbors: int,
    n_threads: int | None = None,
) -> csc_array:
    """Find the strongest sources of every target by weighted co-purchases.

    Which of several sources tied at the last place is kept is arbitrary, but always the same.

    Args:
        bought: Ones where a customer (row) bought an item (column).
        customer: Weight of each customer, not negative, shape (n_customers,). By default 1.
        source: Weight of each item as a source, not negative, shape (n_items,).
        target: Weight of each item as a target, not negative, shape (n_items,).
        neighbors: Largest number of sources per target.
        n_threads: Threads of the product, by default as many as OpenMP may use; they do not
            change the result.

    Returns:
        W_ij = target_j · source_i · Σ_u customer_u · bought_ui · bought_uj for the strongest
        sources i of each target j, without i = j; shape (n_items, n_items).

    Raises:
        ValueError: `neighbors` or `n_threads` is below 1.
    """
    check_at_least("neighbors", neighbors, 1)
    if n_threads is None:
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "openmp"]
        n_threads = max((pool["num_threads"] for pool in pools), default=1)
    check_at_least("n_threads", n_threads, 1)
    n_items = bought.shape[1]
    if n_items == 0:
        return csc_array((0, 0))
    sizes = np.diff(bought.indptr)
    # The product offers what was touched last first. Light customers, whose co-purchases weigh
    # most, come last, so that the heap of the best fills early: a seventh faster.
    heavy_first = np.argsort(-sizes, kind="stable")
    rows = csr_matrix(bought[heavy_first])
    weighted = rows.copy()
    weighted.data = source[rows.indices]
    if customer is not None:
        weighted.data *= np.repeat(customer[heavy_first], sizes[heavy_first])
    top = sp_matmul_topn(
        csr_matrix(rows.T),
        weighted,
        top_n=min(neighbors + 1, n_items),
        sort=True,
        n_threads=n_threads,
    )
    by_target = _without_self(top, neighbors)
    by_target.data *= np.repeat(target, np.diff(by_target.indptr))
    return by_target.T


class ItemScorer:
    """A scorer that adds up what each bought item says for others.

    Attributes:
        neighbors: How strongly items (rows) speak for items (columns), not negative; shape
            (n_items, n_items).
    """

    def __init__(self, owned: csr_array, neighbors: sparray) -> None:
        """Score by the weights of owned items, shape (n_customers, n_items), times `neighbors`."""
        self.neighbors = neighbors
        self._score = product_scorer(owned, neighbors)

    def __call__(self, customers: slice) -> ScoreBlock:
        """Score the customers of a slice."""
        return self._score(customers)


def product_scorer(left: csr_array, right: sparray) -> Scorer:
    """Score by the product of two sparse matrices, of which only the asked rows become dense.

    Args:
        left: Shape (n_customers, n).
        right: Shape (n, n_items).

    Returns:
        The scorer; its blocks are of 32-bit floats, summed in the order of `left`.
    """
    left, right = compact(left), compact(csr_array(right))

    def score(customers: slice) -> ScoreBlock:
        block: ScoreBlock = (left[customers] @ right).toarray()
        return block

    return score


def compact(matrix: csr_array) -> csr_array:
    """Use 32 bits for numbers and positions: scipy converts whole matrices where these differ."""
    indices, indptr = safely_cast_index_arrays(matrix, np.int32)
    return csr_array((matrix.data.astype(np.float32), indices, indptr), shape=matrix.shape)


def power(base: FloatArray | IntArray, exponent: float) -> FloatArray:
    """Raise positive numbers to a power; 0 stays 0, whatever the power."""
    result = np.zeros(len(base))
    return np.power(base.astype(np.float64), exponent, where=base > 0, out=result)


def _without_self(top: csr_matrix, n_kept: int) -> csr_array:
    """Drop the diagonal, or the last entry of a row of more than `n_kept` without it."""
    sizes = np.diff(top.indptr)
    n_entries = top.indptr[-1]
    row = np.repeat(np.arange(len(sizes), dtype=top.indices.dtype), sizes)
    is_dropped = top.indices[:n_entries] == row
    has_self = np.zeros(len(sizes), dtype=bool)
    has_self[row[is_dropped]] = True
    is_too_long = (sizes > n_kept) & ~has_self
    is_dropped[top.indptr[1:][is_too_long] - 1] = True
    indptr = np.concatenate([[0], np.cumsum(sizes - (has_self | is_too_long))])
    data, indices = (array[:n_entries][~is_dropped] for array in (top.data, top.indices))
    return csr_array((data, indices, indptr.astype(indices.dtype)), shape=top.shape)


def _popularity(bought: csr_array) -> FloatArray:
    """Number of customers of each item, shape (n_items,)."""
    return np.bincount(bought.indices, minlength=bought.shape[1]).astype(np.float64)


def _idf(bought: csr_array) -> FloatArray:
    """Inverse document frequency of each customer, not negative, shape (n_customers,)."""
    idf: FloatArray = np.log(max(bought.shape[1], 1) / (1 + np.diff(bought.indptr)))
    return np.maximum(idf, 0)
