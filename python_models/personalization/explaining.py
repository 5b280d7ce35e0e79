"""Why an item is proposed to a customer: which of their purchases speaks most for it."""

from typing import Final, NamedTuple

import numpy as np
from scipy.sparse import csr_array, sparray

from personalization.generators.base import GeneratorInputs, entries_at
from personalization.interactions import IntArray, TextArray

# Pairs explained at once, which bounds memory.
_BLOCK_PAIRS: Final = 2**15


class Reasons(NamedTuple):
    """Why pairs of customers and items are proposed; all of shape (n_pairs,)."""

    code: TextArray
    source: IntArray
    """Position of the item that is the reason, -1 where no single item is."""


def explain(
    inputs: GeneratorInputs,
    neighbors: sparray | None,
    customer: IntArray,
    item: IntArray,
    *,
    otherwise: str | TextArray,
) -> Reasons:
    """Find the reason of each customer-item pair.

    It is the purchase of the very item ("bought_before"), else the purchase that speaks most for
    it ("similar_to_bought", see `strongest_sources`).

    Args:
        inputs: The state of the shop.
        neighbors: How strongly bought items (rows) speak for items (columns), shape
            (n_items, n_items); None where scores are not such a sum.
        customer: Shape (n_pairs,), positions.
        item: Shape (n_pairs,), positions.
        otherwise: The code where no purchase speaks for the item; one, or one per pair.

    Returns:
        The reasons.
    """
    is_bought = entries_at(inputs.bought, customer, item) > 0
    source = np.where(is_bought, item, -1)
    if neighbors is not None:
        source[~is_bought] = strongest_sources(
            inputs, neighbors, customer[~is_bought], item[~is_bought]
        )
    code = np.where(source >= 0, "similar_to_bought", otherwise)
    return Reasons(np.where(is_bought, "bought_before", code), source)


def strongest_sources(
    inputs: GeneratorInputs, neighbors: sparray, customer: IntArray, item: IntArray
) -> IntArray:
    """Find the bought item that adds most to the score of each customer-item pair.

    With x_c the purchases of customer c, an item-based generator scores item j by
    Σ_i x_ci · W_ij; the strongest source is the bought i ≠ j with the largest W_ij. Ties go to the
    larger decayed weight of the customer, then the more popular item, then the lower id.

    Args:
        inputs: The state of the shop.
        neighbors: W, shape (n_items, n_items), sources as rows and targets as columns.
        customer: Shape (n_pairs,), positions.
        item: Shape (n_pairs,), positions.

    Returns:
        Positions of the sources, -1 where no bought item is one; shape (n_pairs,).
    """
    weights = inputs.interactions.weights
    by_target = csr_array(neighbors.T)
    sources = np.full(len(customer), -1, dtype=np.int64)
    for start in range(0, len(customer), _BLOCK_PAIRS):
        block = slice(start, start + _BLOCK_PAIRS)
        found = by_target[item[block]].multiply(inputs.bought[customer[block]]).tocoo()
        pair, source = found.coords
        is_cause = (found.data > 0) & (source != item[block][pair])
        pair, source, strength = pair[is_cause], source[is_cause], found.data[is_cause].round(9)
        if len(pair) == 0:
            continue
        starts = np.flatnonzero(np.diff(pair, prepend=-1))  # rows come in order
        best = np.maximum.reduceat(strength, starts)
        is_best = strength == np.repeat(best, np.diff(starts, append=len(pair)))
        pair, source = pair[is_best], source[is_best]
        weight = entries_at(weights, customer[block][pair], source)
        order = np.lexsort((inputs.tie_breaks[source], -weight, pair))
        first = np.flatnonzero(np.diff(pair[order], prepend=-1))
        sources[start + pair[order][first]] = source[order][first]
    return sources
