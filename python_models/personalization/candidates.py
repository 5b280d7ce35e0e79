"""Candidate generators: each proposes items to customers and says why.

Every generator has the signature of `Generator` and returns the same long table, so that one
query can merge, filter and evaluate them all. To add one, write the function and give it an
entry in `GENERATORS`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Final, NamedTuple, Protocol

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from personalization.interactions import (
    FloatArray,
    IntArray,
    Interactions,
    check_at_least,
    check_columns,
    check_finite,
    check_ids,
    check_unique,
    rank_within,
    round_scores,
)

# Entries of one dense block of customers by items, which bounds memory.
_BLOCK_ENTRIES: Final = 2**22
# Picks explained at once, for the same reason.
_BLOCK_PICKS: Final = 2**16
_COLUMNS: Final = (
    "customer_id",
    "item_id",
    "generator",
    "score",
    "rank",
    "reason_code",
    "reason_item_id",
    "is_bought",
)


@dataclass(frozen=True)
class CandidateInputs:
    """What every generator may look at: the state of the shop at one cutoff.

    Attributes:
        interactions: One row per customer and item bought before the cutoff: `customer_id` and
            `item_id` (text), `weight` (time-decayed number of orders, positive),
            `purchase_count` (orders), `days_since_last_purchase` and `recent_purchase_count`
            (orders in the 28 days before the cutoff).
        similarities: One row per item and neighbor: `item_id`, `neighbor_item_id` and `score`,
            as `item_similarities` returns them. May be empty; items nobody bought are ignored.
        customer_ids: Customers to serve, also those who never bought anything. By default the
            customers of `interactions`.

    Raises:
        ValueError: A frame lacks a column, or holds null ids, duplicates or impossible numbers.
    """

    interactions: pd.DataFrame
    similarities: pd.DataFrame
    customer_ids: Iterable[str] | None = None

    def __post_init__(self) -> None:
        """Check everything but what `Interactions.from_frame` checks."""
        minimums = {
            "purchase_count": 1,
            "days_since_last_purchase": 0,
            "recent_purchase_count": 0,
        }
        check_columns(self.interactions, ["customer_id", "item_id", "weight", *minimums])
        for column, minimum in minimums.items():
            check_finite(self.interactions, column, minimum=minimum)
        check_columns(self.similarities, ["item_id", "neighbor_item_id", "score"])
        check_ids(self.similarities, ["item_id", "neighbor_item_id"])
        check_unique(self.similarities, ["item_id", "neighbor_item_id"])
        check_finite(self.similarities, "score", minimum=0)

    @cached_property
    def bought(self) -> Interactions:
        """The decayed weights of all customers."""
        return Interactions.from_frame(self.interactions)

    @cached_property
    def served(self) -> Interactions:
        """The decayed weights of the customers to serve; a row without entries is a cold one."""
        if self.customer_ids is None:
            return self.bought
        wanted = pd.DataFrame({"customer_id": list(self.customer_ids)}, dtype=object)
        check_ids(wanted, ["customer_id"])
        customer_ids = np.unique(wanted["customer_id"].to_numpy(object))
        known = pd.Index(self.bought.customer_ids).get_indexer(pd.Index(customer_ids))
        rows = np.flatnonzero(known >= 0)
        selection = csr_array(
            (np.ones(len(rows)), (rows, known[rows])),
            shape=(len(customer_ids), len(self.bought.customer_ids)),
        )
        weights = selection @ self.bought.weights
        weights.sort_indices()
        return Interactions(weights, customer_ids, self.bought.item_ids)


class _Picks(NamedTuple):
    """Ranked customer-item pairs as matrix positions; all fields have shape (n_picks,)."""

    customer: IntArray
    item: IntArray
    score: FloatArray
    rank: IntArray


_NO_POSITIONS: Final = np.empty(0, dtype=np.int64)
_NO_PICKS: Final = _Picks(_NO_POSITIONS, _NO_POSITIONS, np.empty(0), _NO_POSITIONS)


class Generator(Protocol):
    """A function that proposes at most `k` items to every customer it has a reason to."""

    def __call__(self, inputs: CandidateInputs, *, k: int) -> pd.DataFrame:
        """Propose items.

        Args:
            inputs: The state of the shop at one cutoff.
            k: Largest number of candidates per customer.

        Returns:
            One row per candidate, sorted by `customer_id` and `rank`: `customer_id`, `item_id`,
            `score` (positive, comparable within the generator only), `rank` (1, 2, ... within
            the customer), `reason_code`, `reason_item_id` (null when no single item is the
            reason).
        """


def buy_again(inputs: CandidateInputs, *, k: int) -> pd.DataFrame:
    """Propose what the customer buys most often, recent orders counting more.

    The score is the decayed weight; items whose weight has decayed to 0.000000 are left out.
    Signature and result as in `Generator`.
    """
    check_at_least("k", k, 1)
    weights = inputs.served.weights.tocoo()
    score = round_scores(weights.data)
    is_scored = score > 0
    customer, item = (position[is_scored] for position in weights.coords)
    picks = _top_picks(customer, item, score[is_scored], inputs.bought, k=k)
    return _table(inputs, picks, reason_code="bought_before", reason_item=picks.item)


def similar_items(inputs: CandidateInputs, *, k: int, exclude_bought: bool = False) -> pd.DataFrame:
    """Propose items whose neighbors the customer has bought.

    With N(i) the neighbors of item i and w(c, j) the decayed weight of customer c for item j:

        score(c, i) = Σ log(1 + w(c, j)) · similarity(i, j) over j in N(i)

    (Deshpande and Karypis, "Item-based top-N recommendation algorithms", 2004, but with the
    neighbors of the proposed item instead of the bought one: out of time on grocery baskets that
    ranks better, and so does the logarithm.) The score is not divided by a norm of the customer,
    which would not change the ranking but would let a score rise when a purchase is taken away.

    The reason is the bought item that adds most to the score, ties by the larger weight, then
    popularity, then id; without it the score would be lower. Scores that round to 0 are left out.

    Args:
        inputs: The state of the shop at one cutoff.
        k: Largest number of candidates per customer.
        exclude_bought: Propose only items the customer has not bought.

    Returns:
        Candidates, as described in `Generator`.

    Raises:
        ValueError: k is below 1.
    """
    check_at_least("k", k, 1)
    similarity = _similarity_matrix(inputs)
    weights = inputs.served.weights.log1p()
    targets = np.flatnonzero(np.diff(similarity.indptr))
    neighbor_to_target = csr_array(similarity[targets].T)

    found = [_NO_PICKS]
    for block in _blocks(weights.shape[0], len(targets)):
        scores = round_scores((weights[block] @ neighbor_to_target).toarray())
        if exclude_bought:
            scores[weights[block][:, targets].nonzero()] = 0
        row, column = _contenders(scores, k)
        picks = _top_picks(row, targets[column], scores[row, column], inputs.bought, k=k)
        found.append(picks._replace(customer=picks.customer + block.start))
    picks = _concatenate(found)
    reason_item = _largest_contributions(weights, similarity, picks, inputs.bought)
    return _table(inputs, picks, reason_code="similar_to_bought", reason_item=reason_item)


def popular(inputs: CandidateInputs, *, k: int, exclude_bought: bool = False) -> pd.DataFrame:
    """Propose the items that most customers bought in the last 28 days.

    The one generator that also serves customers who never bought anything. The score is the
    number of customers.

    Args:
        inputs: The state of the shop at one cutoff.
        k: Largest number of candidates per customer.
        exclude_bought: Propose only items the customer has not bought.

    Returns:
        Candidates, as described in `Generator`; without a reason item.

    Raises:
        ValueError: k is below 1.
    """
    check_at_least("k", k, 1)
    is_recent = inputs.interactions["recent_purchase_count"] > 0
    recent_items = pd.Index(inputs.interactions.loc[is_recent, "item_id"])
    item = pd.Index(inputs.bought.item_ids).get_indexer(recent_items)
    n_customers = np.bincount(item, minlength=len(inputs.bought.item_ids))
    best_first = np.lexsort((_tie_breaks(inputs.bought), -n_customers))
    owned = inputs.served.weights.astype(bool)
    # Nobody can own more of the list's head than of the whole, so k items remain for everybody.
    n_skipped = int(np.diff(owned.indptr).max(initial=0)) if exclude_bought else 0
    head = best_first[: min(k + n_skipped, int(np.count_nonzero(n_customers)))]

    found = [_NO_PICKS]
    for block in _blocks(owned.shape[0], len(head)):
        is_open = np.ones((block.stop - block.start, len(head)), dtype=bool)
        if exclude_bought:
            is_open[owned[block][:, head].nonzero()] = False
        rank = np.cumsum(is_open, axis=1)
        row, column = np.nonzero(is_open & (rank <= k))
        score = n_customers[head[column]].astype(np.float64)
        found.append(_Picks(row + block.start, head[column], score, rank[row, column]))
    return _table(inputs, _concatenate(found), reason_code="popular", reason_item=None)


GENERATORS: Final[Mapping[str, Generator]] = {
    "buy_again": buy_again,
    "similar_items": similar_items,
    "similar_new_items": partial(similar_items, exclude_bought=True),
    "popular": popular,
    "popular_new_items": partial(popular, exclude_bought=True),
}
"""The generators by name. The plain ones rank everything; the `new` ones what is not yet bought."""


def generate_candidates(
    inputs: CandidateInputs,
    *,
    k: int = 100,
    generators: Mapping[str, Generator] = GENERATORS,
) -> pd.DataFrame:
    """Run the generators and concatenate their candidates.

    Args:
        inputs: The state of the shop at one cutoff.
        k: Largest number of candidates per customer and generator.
        generators: Generator functions by name.

    Returns:
        The columns of `Generator`, `generator` (its name) and `is_bought` (the customer bought
        the item before the cutoff), sorted by generator in the order given, `customer_id` and
        `rank`.

    Raises:
        ValueError: k is below 1 or the interactions are not as `CandidateInputs` describes.
    """
    check_at_least("k", k, 1)
    tables = [
        generator(inputs, k=k).assign(generator=name) for name, generator in generators.items()
    ]
    candidates = pd.concat(
        [_table(inputs, _NO_PICKS, reason_code="", reason_item=None).assign(generator=""), *tables]
    )
    bought = pd.MultiIndex.from_frame(inputs.interactions[["customer_id", "item_id"]])
    pairs = pd.MultiIndex.from_frame(candidates[["customer_id", "item_id"]])
    return candidates.assign(
        generator=candidates["generator"].astype("str"), is_bought=pairs.isin(bought)
    ).reset_index(drop=True)[list(_COLUMNS)]


def _tie_breaks(bought: Interactions) -> IntArray:
    """Place of each item in the order that breaks ties, shape (n_items,)."""
    places = np.empty(len(bought.item_ids), dtype=np.int64)
    places[bought.items_by_popularity] = np.arange(len(places))
    return places


def _similarity_matrix(inputs: CandidateInputs) -> csr_array:
    """Similarity of each item (row) to its neighbors (columns), shape (n_items, n_items)."""
    catalog = pd.Index(inputs.bought.item_ids)
    row = catalog.get_indexer(pd.Index(inputs.similarities["item_id"]))
    column = catalog.get_indexer(pd.Index(inputs.similarities["neighbor_item_id"]))
    score = inputs.similarities["score"].to_numpy(np.float64)
    keep = (row >= 0) & (column >= 0) & (row != column) & (score > 0)
    matrix = csr_array((score[keep], (row[keep], column[keep])), shape=(len(catalog),) * 2)
    matrix.sort_indices()
    return matrix


def _blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Split rows into slices of at most `_BLOCK_ENTRIES` entries, at least one row each."""
    size = max(1, _BLOCK_ENTRIES // max(1, n_columns))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def _contenders(scores: FloatArray, k: int) -> tuple[IntArray, IntArray]:
    """Rows and columns of the positive scores that reach the k-th largest of their row."""
    least = np.zeros(len(scores))
    if k < scores.shape[1]:
        least = np.partition(scores, -k, axis=1)[:, -k]
    row, column = np.nonzero((scores > 0) & (scores >= least[:, np.newaxis]))
    return row, column


def _top_picks(
    customer: IntArray, item: IntArray, score: FloatArray, bought: Interactions, *, k: int
) -> _Picks:
    """Rank the items of each customer and keep the k best."""
    order, rank = rank_within(customer, score, _tie_breaks(bought)[item])
    best = order[rank <= k]
    return _Picks(customer[best], item[best], score[best], rank[rank <= k])


def _concatenate(parts: Sequence[_Picks]) -> _Picks:
    """Join picks made block by block."""
    customer, item, score, rank = map(np.concatenate, zip(*parts, strict=True))
    return _Picks(customer, item, score, rank)


def _largest_contributions(
    weights: csr_array, similarity: csr_array, picks: _Picks, bought: Interactions
) -> IntArray:
    """The bought item that adds most to the score of each pick, shape (n_picks,)."""
    tie_breaks = _tie_breaks(bought)
    reasons = [np.empty(0, dtype=np.int64)]
    for start in range(0, len(picks.item), _BLOCK_PICKS):
        block = slice(start, start + _BLOCK_PICKS)
        neighbors = similarity[picks.item[block]].tocoo()
        pick, item = neighbors.coords
        weight = weights[picks.customer[block][pick], item]
        contribution = weight * neighbors.data
        # Every pick has a neighbor, so each stretch of equal `pick` is one pick, in order.
        starts = np.flatnonzero(np.diff(pick, prepend=-1))
        largest = np.flatnonzero(contribution == np.maximum.reduceat(contribution, starts)[pick])
        order = np.lexsort((tie_breaks[item[largest]], -weight[largest], pick[largest]))
        first = np.unique(pick[largest][order], return_index=True)[1]
        reasons.append(item[largest][order][first])
    return np.concatenate(reasons)


def _table(
    inputs: CandidateInputs,
    picks: _Picks,
    *,
    reason_code: str,
    reason_item: IntArray | None,
) -> pd.DataFrame:
    """Put ids in place of positions."""
    n_picks = len(picks.item)
    item_ids = pd.array(inputs.bought.item_ids, dtype="str")
    reasons = np.full(n_picks, -1) if reason_item is None else reason_item
    return pd.DataFrame(
        {
            "customer_id": pd.array(inputs.served.customer_ids, dtype="str").take(picks.customer),
            "item_id": item_ids.take(picks.item),
            "score": picks.score,
            "rank": picks.rank,
            "reason_code": pd.array([reason_code], dtype="str").repeat(n_picks),
            "reason_item_id": item_ids.take(reasons, allow_fill=True),
        }
    )
