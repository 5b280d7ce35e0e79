"""What a generator may know, and how its scores become ranked lists."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal, NamedTuple, Protocol, Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from personalization.interactions import (
    FloatArray,
    IntArray,
    Interactions,
    check_at_least,
    check_columns,
    check_ids,
    check_positive,
    check_unique,
    round_scores,
)

RECENT_DAYS: Final = 28
"""What happened "of late" did so in this many days, everywhere in the package."""

Scope: TypeAlias = Literal["all", "new"]
"""Whether lists may hold what the customer bought before, or only what is new to them."""

ScoreBlock: TypeAlias = NDArray[np.floating]
"""Scores of some customers (rows) for all items (columns)."""

Scorer: TypeAlias = Callable[[slice], ScoreBlock]
"""Scores the customers of a slice: shape (n_sliced, n_items), not negative, 0 for no opinion.

Each block is a new array, which its receiver may write to.
"""

# Entries of one dense block of customers by items, which bounds memory.
_BLOCK_ENTRIES: Final = 2**22
# Shares of the customer's best score that round alike differ by less than this: by the unit of
# the last digit and by the noise of floats.
_PRECISION: Final = 2e-6
# Groups of columns whose maxima bound the k-th best score of a row from below.
_GROUPS_PER_PICK: Final = 16


@dataclass(frozen=True, eq=False)
class GeneratorInputs:
    """The state of a shop at one cutoff: all that a generator may look at.

    Attributes:
        interactions: Time-decayed number of orders per customer (row) and item (column). A
            customer without history is an empty row, an item that nobody bought an empty column.
        items: One row per item, in the order of `interactions.item_ids`, with whatever is known
            of it: `department`, `category`, `brand`, `size`, `item_name`. Without columns when
            nothing is.
        customers: One row per customer, in the order of `interactions.customer_ids`: `segment`
            and others. Without columns when nothing is known.
        history: One row per customer and item bought: `customer` and `item` (positions), and what
            is known of these purchases: `purchase_count`, `days_since_last_purchase`,
            `days_since_first_purchase`, `recent_purchase_count` (orders in the last 28 days).
            Without columns when no times are known.
        baskets: One row per order and item: `basket` (number, ascending in time), `customer` and
            `item` (positions), `age_days`. Without columns when no times are known.
    """

    interactions: Interactions
    items: pd.DataFrame = field(default_factory=pd.DataFrame)
    customers: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    baskets: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def from_frames(
        cls,
        interactions: pd.DataFrame,
        *,
        customers: pd.DataFrame | None = None,
        items: pd.DataFrame | None = None,
        baskets: pd.DataFrame | None = None,
    ) -> Self:
        """Put positions in place of ids, in any row order.

        Args:
            interactions: One row per customer and item: `customer_id` and `item_id` (text),
                `weight` (positive) and any further columns, which become `history`.
            customers: One row per customer to serve besides those of `interactions`:
                `customer_id` and any further columns.
            items: One row per item to offer besides those of `interactions`: `item_id` and any
                further columns.
            baskets: One row per order and item: `basket` (ascending in time), `customer_id`,
                `item_id`, `age_days`. Rows of other customers or items than the above are ignored.

        Returns:
            The inputs, customers and items in ascending order of their ids.

        Raises:
            ValueError: A column is missing, an id is null, not text or repeated, or a weight is
                not a positive finite number.
        """
        ids = ["customer_id", "item_id"]
        check_columns(interactions, [*ids, "weight"])
        check_ids(interactions, ids)
        check_positive(interactions, "weight")
        # Ids are many times repeated: from here on, each is handled once.
        customer_code, customer_ids = pd.factorize(interactions["customer_id"])
        item_code, item_ids = pd.factorize(interactions["item_id"])
        customers = _complete(customers, customer_ids, "customer_id")
        items = _complete(items, item_ids, "item_id")
        customer_index, item_index = pd.Index(customers["customer_id"]), pd.Index(items["item_id"])
        customer = customer_index.get_indexer(customer_ids)[customer_code]
        item = item_index.get_indexer(item_ids)[item_code]
        weights = csr_array(
            (interactions["weight"].to_numpy(np.float64), (customer, item)),
            shape=(len(customers), len(items)),
        )
        if weights.nnz < len(interactions):
            raise ValueError("duplicate rows for customer_id, item_id")
        weights.sort_indices()
        history = interactions.drop(columns=[*ids, "weight"])
        if len(history.columns):
            history = history.assign(customer=customer, item=item)
        positions = pd.DataFrame()
        if baskets is not None:
            check_columns(baskets, ["basket", *ids, "age_days"])
            customer_code, customer_ids = pd.factorize(
                baskets["customer_id"], use_na_sentinel=False
            )
            item_code, item_ids = pd.factorize(baskets["item_id"], use_na_sentinel=False)
            positions = baskets[["basket", "age_days"]].assign(
                customer=customer_index.get_indexer(customer_ids)[customer_code],
                item=item_index.get_indexer(item_ids)[item_code],
            )
            positions = positions[(positions["customer"] >= 0) & (positions["item"] >= 0)]
        return cls(
            Interactions(
                weights,
                customers["customer_id"].to_numpy(object),
                items["item_id"].to_numpy(object),
            ),
            items=items.drop(columns="item_id"),
            customers=customers.drop(columns="customer_id"),
            history=history,
            baskets=positions,
        )

    @cached_property
    def bought(self) -> csr_array:
        """Whether a customer bought an item, as 1.0; shape (n_customers, n_items)."""
        weights = self.interactions.weights
        # With 64-bit indices, each product of a block would first convert the other matrix.
        width = np.int32 if max(weights.nnz, *weights.shape) < 2**31 else np.int64
        indices, indptr = weights.indices.astype(width), weights.indptr.astype(width)
        return csr_array((np.ones(weights.nnz), indices, indptr), shape=weights.shape)

    @cached_property
    def tie_breaks(self) -> IntArray:
        """Place of each item in the order that breaks ties: popular first, then by id."""
        return self.interactions.tie_breaks


def _complete(known: pd.DataFrame | None, ids: pd.Index, column: str) -> pd.DataFrame:
    """Sort what is known by id, with a row of nulls for each further id."""
    known = pd.DataFrame({column: pd.array([], dtype="str")}) if known is None else known
    check_columns(known, [column])
    check_ids(known, [column])
    check_unique(known, [column])
    every_id = np.unique(np.concatenate([known[column].to_numpy(object), ids.to_numpy(object)]))
    return known.set_index(column).reindex(every_id).rename_axis(column).reset_index()


class Generator(Protocol):
    """A function that learns from the inputs how to score any item for any customer."""

    def __call__(self, inputs: GeneratorInputs) -> Scorer:
        """Fit; parameters of the method are further keyword arguments with defaults."""


class Picks(NamedTuple):
    """Ranked customer-item pairs as positions, by customer and rank; all of shape (n_picks,)."""

    customer: IntArray
    item: IntArray
    rank: IntArray
    score: NDArray[np.float64]
    """Share of the customer's best score, 1 for the best item."""


def top_items(
    inputs: GeneratorInputs, scorer: Scorer, *, k: int, exclude_bought: bool = False
) -> Picks:
    """Rank the best items of every customer.

    Scores are compared as shares of the customer's best, rounded to 6 digits; ties go to the
    more popular item, then the lower id. Items without a positive score are never picked.

    Args:
        inputs: The state of the shop at one cutoff.
        scorer: What a generator made of them.
        k: Largest number of items per customer.
        exclude_bought: Rank only items that are new to the customer.

    Returns:
        The picks of all customers.

    Raises:
        ValueError: k is below 1.
    """
    return _top_lists(inputs, scorer, k, scopes=(exclude_bought,))[0]


def top_items_and_new_items(inputs: GeneratorInputs, scorer: Scorer, *, k: int) -> list[Picks]:
    """Rank the best of all items, and apart from them the best of those new to the customer.

    As two calls of `top_items`, but each score is computed once.
    """
    return _top_lists(inputs, scorer, k, scopes=(False, True))


def _top_lists(
    inputs: GeneratorInputs, scorer: Scorer, k: int, *, scopes: tuple[bool, ...]
) -> list[Picks]:
    """The picks of each scope: without (True) or with (False) what the customer bought."""
    check_at_least("k", k, 1)
    nothing = np.empty(0, dtype=np.int64)
    found = [[Picks(nothing, nothing, nothing, np.empty(0))] for _ in scopes]
    for block in blocks(*inputs.bought.shape):
        scores = scorer(block)
        for picks_of_scope, exclude_bought in zip(found, scopes, strict=True):
            if exclude_bought:
                scores[inputs.bought[block].nonzero()] = 0
            picks = top_of_block(scores, inputs.tie_breaks, k)
            picks_of_scope.append(picks._replace(customer=picks.customer + block.start))
    return [Picks(*map(np.concatenate, zip(*parts, strict=True))) for parts in found]


def blocks(n_rows: int, n_columns: int) -> Iterator[slice]:
    """Split rows into slices of at most `_BLOCK_ENTRIES` entries, at least one row each."""
    size = max(1, _BLOCK_ENTRIES // max(1, n_columns))
    for start in range(0, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def entries_at(matrix: csr_array, row: IntArray, column: IntArray) -> FloatArray:
    """Look up entries of a sparse matrix, 0 where nothing is stored; shape (n_entries,)."""
    if len(row) == 0:  # scipy would answer with a sparse array
        return np.empty(0)
    entries: FloatArray = matrix[row, column]
    return entries


def unit_rows(matrix: csr_array) -> csr_array:
    """Scale rows to Euclidean length 1; rows without entries, or of zeros only, stay as they are.

    Unlike `sklearn.preprocessing.normalize`, it takes matrices without rows or columns, and
    numbers whose squares no float can hold.
    """
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    largest = np.zeros(matrix.shape[0], dtype=matrix.dtype)
    np.maximum.at(largest, row, np.abs(matrix.data))
    # By a power of two, since that rounds nothing.
    _, exponents = np.frexp(largest)
    scaled = csr_array(
        (np.ldexp(matrix.data, -exponents[row]), matrix.indices, matrix.indptr), shape=matrix.shape
    )
    lengths = np.sqrt(scaled.power(2).sum(axis=1))
    scaled.data /= np.where(lengths > 0, lengths, 1)[row]
    return scaled


def top_of_block(scores: ScoreBlock, tie_breaks: IntArray, k: int) -> Picks:
    """Rank the k best positive scores of each row, as `top_items` does."""
    n_rows, n_items = scores.shape
    best, least = _bounds(scores, k)
    floor = np.maximum(
        (least - _PRECISION * best).astype(scores.dtype), np.finfo(scores.dtype).smallest_subnormal
    )
    place = np.flatnonzero(scores >= floor[:, np.newaxis])
    row, item = np.divmod(place, max(n_items, 1))
    share = round_scores(scores.reshape(-1)[place].astype(np.float64) / best[row])
    order = np.lexsort((tie_breaks[item], -share, row))
    row, item, share = row[order], item[order], share[order]
    sizes = np.bincount(row, minlength=n_rows)
    rank = np.arange(len(row)) - (np.cumsum(sizes) - sizes)[row] + 1
    keep = (rank <= k) & (share > 0)
    return Picks(row[keep], item[keep], rank[keep], share[keep])


def _bounds(scores: ScoreBlock, k: int) -> tuple[FloatArray, FloatArray]:
    """The best score of each row, and a number that at least k of its scores reach.

    The latter is the k-th largest of the maxima of more than k groups of columns: one cheap pass
    instead of a partition of every row. It is 0 where there are too few columns.
    """
    n_rows, n_items = scores.shape
    n_groups = min(n_items, _GROUPS_PER_PICK * k)
    if n_groups <= k:
        return scores.max(axis=1, initial=0).astype(np.float64), np.zeros(n_rows)
    depth = n_items // n_groups
    grouped = depth * n_groups
    maxima = scores[:, :grouped].reshape(n_rows, depth, n_groups).max(axis=1)
    best = np.maximum(maxima.max(axis=1), scores[:, grouped:].max(axis=1, initial=0))
    least = np.partition(maxima, -k, axis=1)[:, -k]
    return best.astype(np.float64), least.astype(np.float64)
