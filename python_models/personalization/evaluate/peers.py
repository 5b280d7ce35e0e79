"""Other libraries on the same inputs, each used as its documentation shows, on one thread.

Those that keep neighbors of items look at what our item-based generators look at, which items were
bought, and keep as many neighbors.
"""

import warnings
from functools import partial
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
from scipy.sparse import csr_array, csr_matrix, diags_array

from personalization.evaluate.contenders import Contender, ListMaker
from personalization.generators.base import GeneratorInputs, Picks, ScoreBlock, top_items
from personalization.generators.item_based import NEIGHBORS

_FACTORS: Final = 256
# So that one purchase counts 20 times as much as none. That is strong on public data, where
# hardly any pair is bought; see `generators.factorization.als` for data where it is too much.
_CONFIDENCE_PER_WEIGHT: Final = 19.0
# More says no more, and the 32-bit floats of implicit could overflow.
_HIGHEST_WEIGHT: Final = 1e5
_SEED: Final = 0
# Scores by which implicit fills up lists: items to leave out, and items without any neighbor.
_LEFT_OUT: Final = float(-np.finfo(np.float32).max)
_NO_NEIGHBOR: Final = 0.0


def fit_scikit_learn(inputs: GeneratorInputs) -> ListMaker:
    """Cosine neighbors of items by brute force (`sklearn.neighbors.NearestNeighbors`).

    An item's score is the summed similarity to what the customer bought, as for the other peers
    that find neighbors but make no lists.
    """
    from sklearn.neighbors import NearestNeighbors

    item_users = csr_matrix(inputs.bought.T)
    n_neighbors = min(NEIGHBORS + 1, item_users.shape[0])
    model = NearestNeighbors(metric="cosine", algorithm="brute").fit(item_users)
    distance = model.kneighbors_graph(item_users, n_neighbors, mode="distance")
    similarity = csr_array((1 - distance.data, distance.indices, distance.indptr), distance.shape)
    return _lists_by_similarity(inputs, similarity)


def fit_sparse_dot_topn(inputs: GeneratorInputs) -> ListMaker:
    """Cosine neighbors of items as the top entries of a sparse product (`sparse_dot_topn`)."""
    from sparse_dot_topn import sp_matmul_topn

    norms = np.sqrt(inputs.bought.sum(axis=0))
    scaled = csr_matrix(inputs.bought @ diags_array(1 / np.where(norms > 0, norms, 1)))
    top_n = min(NEIGHBORS + 1, max(1, scaled.shape[1]))
    return _lists_by_similarity(inputs, sp_matmul_topn(csr_matrix(scaled.T), scaled, top_n=top_n))


def fit_implicit_neighbors(recommender: str, inputs: GeneratorInputs) -> ListMaker:
    """Item neighbors by a recommender of `implicit.nearest_neighbours`."""
    from implicit import nearest_neighbours

    model = getattr(nearest_neighbours, recommender)(K=NEIGHBORS, num_threads=1)
    return _fit_implicit(model, csr_matrix(inputs.bought), filler=_NO_NEIGHBOR)


def fit_implicit_als(inputs: GeneratorInputs) -> ListMaker:
    """Matrix factorization by alternating least squares (`implicit.als`).

    The confidence of a purchase of weight w is 1 + alpha · w, as in the paper (Hu et al., 2008).
    The library takes confidences as they are: weights that have faded would fall below the 1 of
    what was not bought, and a purchase would count for less than none.
    """
    from implicit.als import AlternatingLeastSquares

    confidences = csr_matrix(inputs.interactions.weights)
    confidences.data = 1 + _CONFIDENCE_PER_WEIGHT * np.minimum(confidences.data, _HIGHEST_WEIGHT)
    model = AlternatingLeastSquares(factors=_FACTORS, alpha=1, num_threads=1, random_state=_SEED)
    return _fit_implicit(model, confidences, filler=_LEFT_OUT)


PEERS: Final = {
    peer.name: peer
    for peer in (
        Contender("sklearn", fit_scikit_learn, ("sklearn.neighbors",), is_peer=True),
        Contender("sparse_dot_topn", fit_sparse_dot_topn, ("sparse_dot_topn",), is_peer=True),
        Contender(
            "implicit_cosine",
            partial(fit_implicit_neighbors, "CosineRecommender"),
            ("implicit.nearest_neighbours",),
            is_peer=True,
        ),
        Contender(
            "implicit_bm25",
            partial(fit_implicit_neighbors, "BM25Recommender"),
            ("implicit.nearest_neighbours",),
            is_peer=True,
        ),
        Contender("implicit_als", fit_implicit_als, ("implicit.als",), is_peer=True),
    )
}
"""The peers by name."""


def is_installed(peer: Contender) -> bool:
    """Whether the packages of a peer can be imported."""
    return all(find_spec(package) for package in peer.packages)


def _lists_by_similarity(inputs: GeneratorInputs, similarity: csr_array) -> ListMaker:
    """Lists by the summed similarity to what the customer bought, an item's own left out."""
    others = csr_array(similarity - diags_array(similarity.diagonal()))

    def score(customers: slice) -> ScoreBlock:
        block: ScoreBlock = (inputs.bought[customers] @ others).toarray()
        return block

    return partial(top_items, inputs, score)


def _fit_implicit(model: Any, user_items: csr_matrix, *, filler: float) -> ListMaker:
    """Fit a model of implicit, which makes the lists itself; scores up to `filler` say nothing."""
    with warnings.catch_warnings():
        # It warns that it passes a matrix to itself in a slow format.
        warnings.simplefilter("ignore")
        model.fit(user_items, show_progress=False)
    n_users, n_items = user_items.shape

    def make_lists(*, k: int, exclude_bought: bool) -> Picks:
        items, scores = model.recommend(
            np.arange(n_users),
            user_items,
            N=min(k, n_items),
            filter_already_liked_items=exclude_bought,
        )
        user, place = np.nonzero((items >= 0) & (scores > filler))
        return Picks(
            user,
            items[user, place].astype(np.int64),
            place + 1,
            scores[user, place].astype(np.float64),
        )

    return make_lists
