"""Blends of generators whose scores are on one scale by construction."""

from scipy.sparse import csr_array, hstack, vstack

from personalization.generators.base import GeneratorInputs, Scorer
from personalization.generators.item_based import product_scorer, rp3_beta_neighbors
from personalization.generators.user_based import user_rp3_neighbors
from personalization.interactions import check_at_least


def graph_blend(inputs: GeneratorInputs, *, user_weight: float = 0.4) -> Scorer:
    """Score by random walks over near items and over near customers.

        scores = (1 - w) · rp3_beta + w · user_rp3

    Both sum the same walks but keep different ones, so each finds items that the other misses.
    Both hand on a customer's purchases without making more of them: the scores sum to about the
    number of items bought, so they need no other scaling. With X the zero-one matrix of customers
    by items, I the weights of items and C those of customers, it is one sparse product:

        scores = [(1 - w) · X, w · C] [I; X]

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        user_weight: w, from 0 to 1.

    Returns:
        The scorer.

    Raises:
        ValueError: w is not from 0 to 1.
    """
    check_at_least("user_weight", user_weight, 0)
    check_at_least("1 - user_weight", 1 - user_weight, 0)
    bought = inputs.bought
    signals = hstack([(1 - user_weight) * bought, user_weight * user_rp3_neighbors(bought)])
    weights = vstack([rp3_beta_neighbors(bought), bought])
    return product_scorer(csr_array(signals), csr_array(weights))
