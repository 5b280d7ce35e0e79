"""Neighborhoods of customers: what similar customers bought."""

from typing import Final

import numpy as np
from scipy.sparse import csr_array, diags_array

from personalization.generators.base import GeneratorInputs, Scorer
from personalization.generators.item_based import ALPHA, power, product_scorer, top_sources
from personalization.interactions import check_at_least

NEIGHBORS: Final = 100
"""Neighbors of a customer by default."""


def user_knn(inputs: GeneratorInputs, *, neighbors: int = NEIGHBORS) -> Scorer:
    """Score by the purchases of the most similar other customers.

    With d_u items of customer u, N(u) the `neighbors` customers nearest to u and x_vj = 1 where
    customer v bought item j:

        similarity(u, v) = Σ_i x_ui · x_vi / sqrt(d_u · d_v)
        score(u, j) = Σ similarity(u, v) · x_vj over v in N(u)

    (Herlocker et al., "An algorithmic framework for performing collaborative filtering", 1999, on
    purchases instead of ratings.) Which of several customers tied at the last place is a neighbor
    is arbitrary, but always the same.

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        neighbors: Largest number of neighbors per customer.

    Returns:
        The scorer.

    Raises:
        ValueError: `neighbors` is below 1.
    """
    bought = inputs.bought
    scale = power(np.diff(bought.indptr), -0.5)
    similarity = top_sources(csr_array(bought.T), source=scale, target=scale, neighbors=neighbors)
    return product_scorer(csr_array(similarity.T), bought)


def user_rp3(
    inputs: GeneratorInputs, *, neighbors: int = NEIGHBORS, alpha: float = ALPHA
) -> Scorer:
    """Score by random walks of three steps, cut down to the nearest customers on the way.

    The score of a customer for item j is the sum of `user_rp3_neighbors` over those who bought j.

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        neighbors: Largest number of neighbors per customer.
        alpha: Exponent of the probability of a step.

    Returns:
        The scorer.

    Raises:
        ValueError: `neighbors` is below 1 or alpha is negative.
    """
    walks = user_rp3_neighbors(inputs.bought, neighbors=neighbors, alpha=alpha)
    return product_scorer(walks, inputs.bought)


def user_rp3_neighbors(
    bought: csr_array, *, neighbors: int = NEIGHBORS, alpha: float = ALPHA
) -> csr_array:
    """Weigh the walks from a customer over the items they bought to other customers.

    `rp3_beta` sums walks over a customer u, an item i, a customer v and an item j, and keeps those
    where i is near j. The same walks can be summed over i first, and kept where v is near u:

        W_uv = Σ_i x_ui · x_vi · (1 / n_i)^alpha · (1 / d_v)^alpha

    with n_i customers of item i and d_v items of customer v. Of these the `neighbors` strongest
    other customers v are kept and scaled so that Σ_v W_uv · d_v = d_u: the scores of a customer
    sum to the number of items bought, as they about do in `rp3_beta`.

    Args:
        bought: Ones where a customer (row) bought an item (column).
        neighbors: Largest number of neighbors per customer.
        alpha: Exponent of the probability of a step.

    Returns:
        W, with each customer as a row and the neighbors as columns; shape
        (n_customers, n_customers).

    Raises:
        ValueError: `neighbors` is below 1 or alpha is negative.
    """
    check_at_least("alpha", alpha, 0)
    popularity = np.bincount(bought.indices, minlength=bought.shape[1])
    n_bought = np.diff(bought.indptr)
    walks = csr_array(
        top_sources(
            csr_array(bought.T),
            customer=power(popularity, -alpha),
            source=power(n_bought, -alpha),
            target=np.ones(len(n_bought)),
            neighbors=neighbors,
        ).T
    )
    return csr_array(diags_array(n_bought * power(walks @ n_bought, -1)) @ walks)
