"""Matrix factorization by alternating least squares."""

import numpy as np
from implicit.cpu.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from personalization.generators.base import GeneratorInputs, ScoreBlock, Scorer
from personalization.interactions import check_at_least


def als(
    inputs: GeneratorInputs,
    *,
    n_factors: int = 64,
    regularization: float = 0.01,
    confidence: float = 1.0,
    iterations: int = 15,
) -> Scorer:
    """Score by the product of factors of customers and items.

    With x_ui = 1 where customer u bought item i, the factors minimize

        Σ_ui c_ui · (x_ui - <f_u, g_i>)² + λ · (Σ_u |f_u|² + Σ_i |g_i|²)

    where c_ui is the confidence of a purchase and 1 elsewhere; score(u, i) = max(0, <f_u, g_i>).
    (Hu, Koren and Volinsky, "Collaborative filtering for implicit feedback datasets", 2008, by the
    library implicit, on one thread from a fixed random start.)

    By default c is 1: all pairs count alike, as in a truncated SVD (PureSVD; Cremonesi, Koren and
    Turrin, "Performance of recommender algorithms on top-N recommendation tasks", 2010). The
    paper's larger c draws every purchase, however rare, towards 1. Which is better depends on the
    data. NDCG@20 with 64 factors:

        c                             1      2      5      10     20
        demo, weeks 41-46, all items  .219   .206   .177   .140   .092
        demo, weeks 41-46, new items  .053   .052   .050   .044   .035
        Gowalla (check-ins)           .079   .098   .114   .122   .126

    The default is for shops like the demo, whose customers buy hundreds of items again and again.
    Where they know few of many items, take a larger c.

    Args:
        inputs: The state of the shop; which items were bought is all that is used.
        n_factors: Numbers per customer and item.
        regularization: λ; not negative.
        confidence: c of a purchase; at least 1, at which a purchase counts as much as none.
        iterations: Number of times that all factors are solved for.

    Returns:
        The scorer.

    Raises:
        ValueError: An argument is out of range.
    """
    check_at_least("n_factors", n_factors, 1)
    check_at_least("regularization", regularization, 0)
    check_at_least("confidence", confidence, 1)
    check_at_least("iterations", iterations, 1)
    # More threads of BLAS may sum in another order, here and below.
    with threadpool_limits(limits=1, user_api="blas"):
        model = AlternatingLeastSquares(
            factors=n_factors,
            regularization=regularization,
            alpha=confidence,
            iterations=iterations,
            num_threads=1,
            random_state=0,
        )
        model.fit(csr_matrix(inputs.bought, dtype=np.float32), show_progress=False)
    customer_factors, item_factors = model.user_factors, model.item_factors

    def score(customers: slice) -> ScoreBlock:
        with threadpool_limits(limits=1, user_api="blas"):
            block: ScoreBlock = customer_factors[customers] @ item_factors.T
        return np.maximum(block, 0, out=block)

    return score
