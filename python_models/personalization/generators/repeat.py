"""What a customer buys again and again, alone or with help from similar customers."""

from typing import Final

import numpy as np
from scipy.sparse import csr_array, csr_matrix, diags_array
from sparse_dot_topn import sp_matmul_topn

from personalization.generators.base import GeneratorInputs, ScoreBlock, Scorer, unit_rows
from personalization.interactions import FloatArray, IntArray, check_at_least, check_columns

# Purchase intervals that an item's mean counts in the mean of one customer.
_CUSTOMER_PRIOR: Final = 1.0
# Customers, or purchase intervals, that the mean of all items counts in the mean of one.
_ITEM_PRIOR: Final = 5.0


def buy_again(inputs: GeneratorInputs) -> Scorer:
    """Score what the customer has bought by its decayed number of orders.

    Args:
        inputs: The state of the shop.

    Returns:
        The scorer; 0 for what the customer has not bought.
    """
    return _scorer(inputs.interactions.weights)


def buy_again_in_time(
    inputs: GeneratorInputs, *, shrinkage: float = 1.0, lapse: float = 0.2
) -> Scorer:
    """Score what the customer has bought by its expected rate, less so the longer it is overdue.

    With w the decayed weight, m(i) its mean over the customers of item i, t the days since the
    last purchase and d the mean days between purchases:

        score(c, i) = (w(c, i) + shrinkage · m(i)) · (1 + t(c, i) / d(c, i)) ** -lapse

    The first factor is the posterior mean of a purchase rate with a gamma prior around the item's
    mean, up to a factor that all items share: one purchase of milk promises more than one of a
    greeting card. The second is the survival function of a Pareto distribution: who went several
    intervals without an item has likely turned to another. Both follow the Poisson-gamma models
    of Bhagat et al., "Buy it again: modeling repeat purchase recommendations", KDD 2018. Theirs
    also scores an item down right after its purchase. There is no such dip here: over the six
    weeks after the demo's cutoff, what was just bought is what is likeliest bought again.

    Means of few observations are shrunk: d(c, i) to the item's mean, which counts as one
    interval; the means of an item to those of all items, which count as five customers or
    intervals. No d is shorter than a day.

    Args:
        inputs: Needs `customer`, `item`, `purchase_count`, `days_since_first_purchase` and
            `days_since_last_purchase` of `history`.
        shrinkage: Weight of what all customers of the item do.
        lapse: How fast an overdue item is given up; 0 for never.

    Returns:
        The scorer; 0 for what the customer has not bought.

    Raises:
        ValueError: A parameter is negative, or `history` lacks a column.
    """
    check_at_least("shrinkage", shrinkage, 0)
    check_at_least("lapse", lapse, 0)
    history = inputs.history
    check_columns(
        history,
        [
            "customer",
            "item",
            "purchase_count",
            "days_since_first_purchase",
            "days_since_last_purchase",
        ],
    )
    weights = inputs.interactions.weights
    overall = weights.sum() / max(weights.nnz, 1)
    item_means = (weights.sum(axis=0) + _ITEM_PRIOR * overall) / (
        inputs.interactions.item_popularity + _ITEM_PRIOR
    )
    rates = weights.copy()
    rates.data = rates.data + shrinkage * item_means[rates.indices]

    item = history["item"].to_numpy(np.int64)
    last = history["days_since_last_purchase"].to_numpy(np.float64)
    intervals = _mean_intervals(
        item,
        history["days_since_first_purchase"].to_numpy(np.float64) - last,
        history["purchase_count"].to_numpy(np.float64) - 1,
        n_items=weights.shape[1],
    )
    survival = csr_array(
        ((1 + last / intervals) ** -lapse, (history["customer"].to_numpy(np.int64), item)),
        shape=weights.shape,
    )
    return _scorer(csr_array(rates.multiply(survival)))


def tifu_knn(inputs: GeneratorInputs, *, neighbors: int = 100, blend: float = 0.7) -> Scorer:
    """Blend the customer's decayed purchases with those of the most similar customers.

    With w_c the vector of decayed weights of customer c and N(c) its nearest customers:

        score(c) = blend · w_c + (1 - blend) · mean of w_n over n in N(c)

    (TIFU-KNN: Hu et al., "Modeling personalized item frequency information for next-basket
    recommendation", SIGIR 2020.) As in the authors' code, N(c) holds c itself. Two things differ,
    because on the demo they rank better and a sparse top-k product finds them at any size: weights
    decay by weeks, not by groups of baskets, and customers are near by the cosine of log(1 + w),
    not by the Euclidean distance of w, for which everybody's nearest are those who buy little.
    Equal cosines in the last place of N(c) are resolved reproducibly, but by no rule.

    Args:
        inputs: The state of the shop.
        neighbors: Size of N(c).
        blend: Share of the customer's own purchases, 0 to 1.

    Returns:
        The scorer; 0 for all items when the customer has no history.

    Raises:
        ValueError: A parameter is out of range.
    """
    check_at_least("neighbors", neighbors, 1)
    if not 0 <= blend <= 1:
        raise ValueError(f"blend must be from 0 to 1, not {blend}")
    weights = inputs.interactions.weights
    nearest = _nearest_customers(weights, neighbors)

    def score(rows: slice) -> ScoreBlock:
        mixed = blend * weights[rows] + (1 - blend) * (nearest[rows] @ weights)
        block: ScoreBlock = mixed.toarray()
        return block

    return score


def _scorer(scores: csr_array) -> Scorer:
    """Serve scores that are all known beforehand."""

    def score(rows: slice) -> ScoreBlock:
        block: ScoreBlock = scores[rows].toarray()
        return block

    return score


def _mean_intervals(
    item: IntArray, span: FloatArray, n_intervals: FloatArray, *, n_items: int
) -> FloatArray:
    """Mean days between purchases of each customer and item, shrunk as `buy_again_in_time` says.

    Args:
        item: Shape (n_pairs,), the item of each pair of customer and item.
        span: Shape (n_pairs,), days from first to last purchase.
        n_intervals: Shape (n_pairs,), purchases but one.
        n_items: Number of items.
    """
    overall = span.sum() / max(n_intervals.sum(), 1)
    item_spans = np.bincount(item, weights=span, minlength=n_items)
    item_intervals = np.bincount(item, weights=n_intervals, minlength=n_items)
    item_means = (item_spans + _ITEM_PRIOR * overall) / (item_intervals + _ITEM_PRIOR)
    means = (span + _CUSTOMER_PRIOR * item_means[item]) / (n_intervals + _CUSTOMER_PRIOR)
    at_least_a_day: FloatArray = np.maximum(means, 1)
    return at_least_a_day


def _nearest_customers(weights: csr_array, k: int) -> csr_array:
    """Average the k nearest customers: rows that sum to 1, shape (n_customers, n_customers)."""
    if weights.nnz == 0:
        return csr_array((weights.shape[0], weights.shape[0]))
    directions = csr_matrix(unit_rows(weights.log1p()))
    # One thread: each row is summed in one order whatever the machine.
    nearest = sp_matmul_topn(
        directions, csr_matrix(directions.T), top_n=min(k, weights.shape[0]), n_threads=1
    )
    sizes = np.diff(nearest.indptr)
    is_nearest = csr_array(
        (np.ones(nearest.nnz), nearest.indices, nearest.indptr), shape=nearest.shape
    )
    is_nearest.sort_indices()
    return csr_array(diags_array(1 / np.maximum(sizes, 1)) @ is_nearest)
