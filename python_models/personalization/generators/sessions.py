"""What similar baskets or visits hold, for customers and for visitors nobody knows."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, diags_array

from personalization.generators.base import (
    GeneratorInputs,
    ScoreBlock,
    Scorer,
    blocks,
    unit_rows,
)
from personalization.interactions import (
    FloatArray,
    IntArray,
    check_at_least,
    check_columns,
    rank_within,
)


class _PastSessions(NamedTuple):
    """Sessions to find neighbors among."""

    holds: csr_array
    """Whether a session holds an item, as 1.0; shape (n_sessions, n_items)."""
    similarity_by_item: csr_array
    """What an item adds to the similarity with each session; shape (n_items, n_sessions)."""
    idf: FloatArray
    """How telling each item is; shape (n_items,)."""


def session_scores(
    sessions: csr_array,
    session_age_days: FloatArray,
    current: csr_array,
    *,
    neighbors: int = 200,
    sample_size: int = 5000,
    recency_days: float = 365.0,
) -> FloatArray:
    """Score all items for current sessions by the past sessions that are most like them.

    With s the vector of a current session (the weights of its items), n the 0-1 vector of a past
    one, age(n) its age, and D the diagonal of idf(i) = log(1 + n_sessions / sessions with i):

        similarity(s, n) = cosine(D s, D n) · exp(-age(n) / τ)
        score(s, i) = Σ similarity(s, n) over the nearest sessions n that hold i

    Neighbors are looked for only among the `sample_size` latest sessions that share an item with
    s. Equal similarities (to 6 digits) go to the later session. This is V-SKNN (Ludewig and
    Jannach, "Evaluation of session-based recommendation algorithms", 2018) with the age of STAN
    (Garg et al., "Sequence and time aware neighborhood for session-based recommendations", SIGIR
    2019). What these make of the order of items, the caller says by the weights of `current`;
    past sessions are sets.

    Args:
        sessions: Shape (n_sessions, n_items), ascending in time; an entry is an item of it.
        session_age_days: Shape (n_sessions,), days since each session.
        current: Shape (n_current, n_items), a positive weight for each item of a session, say
            larger for later ones.
        neighbors: Largest number of neighbors of a session.
        sample_size: Latest sessions to look at.
        recency_days: τ, after which a session counts 1/e of a new one.

    Returns:
        Scores, shape (n_current, n_items); 0 where no neighbor holds the item. Items of the
        current session are scored like the others.

    Raises:
        ValueError: A parameter is out of range, or shapes do not fit.
    """
    _check_parameters(neighbors, sample_size, recency_days)
    if len(session_age_days) != sessions.shape[0] or current.shape[1] != sessions.shape[1]:
        raise ValueError(
            f"sessions of shape {sessions.shape} do not fit {len(session_age_days)} ages "
            f"and current sessions of shape {current.shape}"
        )
    past = _prepare(sessions, session_age_days, recency_days)
    nobody = np.full(current.shape[0], -1)
    return _scores(past, current, nobody, neighbors=neighbors, sample_size=sample_size)


def session_knn(
    inputs: GeneratorInputs,
    *,
    neighbors: int = 500,
    sample_size: int = 5000,
    recency_days: float = 365.0,
) -> Scorer:
    """Score items by the baskets most like the customer's latest one.

    `session_scores` with orders as sessions and the latest order of a customer as the current
    one, which is not among its own neighbors. All items of an order weigh the same.

    Args:
        inputs: Needs `basket`, `customer`, `item` and `age_days` of `baskets`.
        neighbors: As in `session_scores`.
        sample_size: As in `session_scores`.
        recency_days: As in `session_scores`.

    Returns:
        The scorer; 0 for all items when a customer has no orders.

    Raises:
        ValueError: A parameter is out of range, or `baskets` lacks a column.
    """
    _check_parameters(neighbors, sample_size, recency_days)
    check_columns(inputs.baskets, ["basket", "customer", "item", "age_days"])
    n_customers, n_items = inputs.bought.shape
    session, baskets = pd.factorize(inputs.baskets["basket"], sort=True)
    sessions = csr_array(
        (np.ones(len(session)), (session, inputs.baskets["item"].to_numpy(np.int64))),
        shape=(len(baskets), n_items),
    )
    age_days = np.zeros(len(baskets))
    age_days[session] = inputs.baskets["age_days"].to_numpy(np.float64)
    latest = np.full(n_customers, -1)
    np.maximum.at(latest, inputs.baskets["customer"].to_numpy(np.int64), session)
    past = _prepare(sessions, age_days, recency_days)

    with_orders = np.flatnonzero(latest >= 0)
    choice = csr_array(
        (np.ones(len(with_orders)), (with_orders, latest[with_orders])),
        shape=(n_customers, len(baskets)),
    )
    current = csr_array(choice @ past.holds)

    def score(rows: slice) -> ScoreBlock:
        return _scores(
            past, current[rows], latest[rows], neighbors=neighbors, sample_size=sample_size
        )

    return score


def _check_parameters(neighbors: int, sample_size: int, recency_days: float) -> None:
    """Raise a ValueError for a parameter that is out of range."""
    check_at_least("neighbors", neighbors, 1)
    check_at_least("sample_size", sample_size, 1)
    if not recency_days > 0:
        raise ValueError(f"recency_days must be positive, not {recency_days}")


def _prepare(sessions: csr_array, age_days: FloatArray, recency_days: float) -> _PastSessions:
    """Compute all that does not depend on the current sessions."""
    holds = csr_array(sessions.astype(bool).astype(np.float64))
    n_sessions, n_items = holds.shape
    n_holding = np.bincount(holds.indices, minlength=n_items)
    idf = np.log1p(n_sessions / np.maximum(n_holding, 1))
    recency = diags_array(np.exp(-age_days / recency_days))
    similarity = csr_array(recency @ unit_rows(csr_array(holds @ diags_array(idf))))
    by_item = csr_array(similarity.T)
    by_item.sort_indices()
    return _PastSessions(holds, by_item, idf)


def _scores(
    past: _PastSessions,
    current: csr_array,
    own_session: IntArray,
    *,
    neighbors: int,
    sample_size: int,
) -> FloatArray:
    """Score items for current sessions, of which some are past sessions too (or -1)."""
    weights = unit_rows(csr_array(current @ diags_array(past.idf)))
    scores = np.zeros(current.shape)
    for block in blocks(weights.shape[0], past.holds.shape[0]):
        similarity = csr_array(weights[block] @ past.similarity_by_item)
        nearest = _nearest(similarity, own_session[block], k=neighbors, sample_size=sample_size)
        scores[block] = (nearest @ past.holds).toarray()
    return scores


def _nearest(
    similarity: csr_array, own_session: IntArray, *, k: int, sample_size: int
) -> csr_array:
    """Keep the k largest among the `sample_size` last entries of each row, without its own."""
    similarity.sort_indices()
    row = np.repeat(np.arange(similarity.shape[0]), np.diff(similarity.indptr))
    is_other = similarity.indices != own_session[row]
    row, session, value = row[is_other], similarity.indices[is_other], similarity.data[is_other]
    ends = np.cumsum(np.bincount(row, minlength=similarity.shape[0]))
    is_late = ends[row] - np.arange(len(row)) <= sample_size
    row, session, value = row[is_late], session[is_late], value[is_late]
    order, rank = rank_within(row, value, similarity.shape[1] - 1 - session)
    nearest = order[rank <= k]
    return csr_array((value[nearest], (row[nearest], session[nearest])), shape=similarity.shape)
