"""Customer-item interactions as a sparse matrix, and the one way this package ranks scores."""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Self, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

BoolArray: TypeAlias = NDArray[np.bool_]
FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
TextArray: TypeAlias = NDArray[np.object_]

SCORE_DIGITS = 6
"""Scores are rounded to this many digits before ranking, so float noise never decides a rank."""


class MissingInputError(ValueError):
    """The data lack what a function needs; no fault of the data or of the function."""


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Weights of customer-item pairs, with the ids that label the rows and the columns.

    Attributes:
        weights: Sparse matrix of shape (n_customers, n_items); every stored weight is positive.
        customer_ids: Shape (n_customers,), ascending.
        item_ids: Shape (n_items,), ascending.
    """

    weights: csr_array
    customer_ids: TextArray
    item_ids: TextArray

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Self:
        """Build the matrix from one row per customer-item pair, in any row order.

        Args:
            frame: Columns `customer_id` (text), `item_id` (text) and `weight` (positive number).

        Returns:
            The interactions; of shape (0, 0) for an empty frame.

        Raises:
            ValueError: A column is missing, an id is null or not text, a weight is not a
                positive finite number, or a pair occurs twice.
        """
        check_columns(frame, ["customer_id", "item_id", "weight"])
        check_ids(frame, ["customer_id", "item_id"])
        check_positive(frame, "weight")
        rows, customer_ids = pd.factorize(frame["customer_id"], sort=True)
        columns, item_ids = pd.factorize(frame["item_id"], sort=True)
        weights = csr_array(
            (frame["weight"].to_numpy(np.float64), (rows, columns)),
            shape=(len(customer_ids), len(item_ids)),
        )
        if weights.nnz < len(frame):
            raise ValueError("duplicate rows for customer_id, item_id")
        weights.sort_indices()
        return cls(weights, customer_ids.to_numpy(object), item_ids.to_numpy(object))

    @property
    def item_popularity(self) -> IntArray:
        """Number of customers of each item, shape (n_items,)."""
        return np.bincount(self.weights.indices, minlength=len(self.item_ids)).astype(np.int64)

    @property
    def items_by_popularity(self) -> IntArray:
        """Item positions from the most to the least popular, ties by id, shape (n_items,).

        This is the order that breaks ties between equal scores everywhere in the package.
        """
        return np.argsort(-self.item_popularity, kind="stable").astype(np.int64)

    @property
    def tie_breaks(self) -> IntArray:
        """Place of each item in `items_by_popularity`, shape (n_items,)."""
        return places_by_popularity(self.item_popularity)

    def positions(self, pairs: pd.DataFrame) -> tuple[IntArray, IntArray]:
        """Look up ids.

        Args:
            pairs: Columns `customer_id` and `item_id`.

        Returns:
            Positions of the customers and of the items, -1 for unknown ones; shape (n_pairs,).
        """
        customer = pd.Index(self.customer_ids).get_indexer(pd.Index(pairs["customer_id"]))
        item = pd.Index(self.item_ids).get_indexer(pd.Index(pairs["item_id"]))
        return customer.astype(np.int64), item.astype(np.int64)

    def select_items(self, positions: IntArray) -> Self:
        """Keep only the items at the given ascending positions; every customer stays."""
        return type(self)(
            csr_array(self.weights[:, positions]), self.customer_ids, self.item_ids[positions]
        )


def places_by_popularity(popularity: IntArray) -> IntArray:
    """Place of each item when sorted from the most popular on, ties by position; shape as given."""
    places = np.empty(len(popularity), dtype=np.int64)
    places[np.argsort(-popularity, kind="stable")] = np.arange(len(popularity))
    return places


def rank_within(
    groups: IntArray, scores: FloatArray, tie_breaks: IntArray
) -> tuple[IntArray, IntArray]:
    """Rank scores within groups: highest rounded score first, ties by the lowest tie-break.

    Args:
        groups: Shape (n,), the group of each score, from 0.
        scores: Shape (n,), not negative; compared after `round_scores`.
        tie_breaks: Shape (n,), from 0, unique within a group.

    Returns:
        The positions that sort the input by group and rank, and the ranks (1, 2, ...) in that
        order; both of shape (n,).
    """
    if len(scores) == 0:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    units = np.rint(scores * 10**SCORE_DIGITS).astype(np.int64)
    keys = (groups, units.max() - units, tie_breaks)
    sizes = tuple(int(key.max()) + 1 for key in keys)
    if math.prod(sizes) < 2**63:
        # One integer that sorts like the three keys: several times faster than lexsort.
        order = np.argsort(np.ravel_multi_index(keys, sizes), kind="stable")
    else:
        order = np.lexsort(keys[::-1])
    group_sizes = np.bincount(groups)
    starts = np.cumsum(group_sizes) - group_sizes
    return order, np.arange(len(order)) - starts[groups[order]] + 1


def round_scores(scores: FloatArray) -> FloatArray:
    """Round scores to `SCORE_DIGITS` digits."""
    return np.round(scores, SCORE_DIGITS)


def check_columns(frame: pd.DataFrame, columns: Collection[str]) -> None:
    """Raise a MissingInputError that names the columns which `frame` lacks."""
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise MissingInputError(f"missing column(s): {', '.join(missing)}")


def check_ids(frame: pd.DataFrame, columns: Collection[str]) -> None:
    """Raise a ValueError that names the first column with an id that is null or not text."""
    for column in columns:
        if frame[column].isna().any():
            raise ValueError(f"column {column} has null ids")
        if not frame.empty and not pd.api.types.is_string_dtype(frame[column]):
            raise ValueError(f"column {column} must be text, not {frame[column].dtype}")


def check_unique(frame: pd.DataFrame, columns: Collection[str]) -> None:
    """Raise a ValueError when two rows agree in all of `columns`."""
    if frame.duplicated(list(columns)).any():
        raise ValueError(f"duplicate rows for {', '.join(columns)}")


def check_finite(frame: pd.DataFrame, column: str, *, minimum: float = -np.inf) -> None:
    """Raise a ValueError unless all of `column` are finite numbers of at least `minimum`."""
    if frame.empty:
        return
    if not pd.api.types.is_numeric_dtype(frame[column]):
        raise ValueError(f"column {column} must be numeric, not {frame[column].dtype}")
    values = frame[column].to_numpy(np.float64, na_value=np.nan)
    if not np.isfinite(values).all():
        raise ValueError(f"column {column} has null or infinite values")
    if (values < minimum).any():
        raise ValueError(f"column {column} has values below {minimum}")


def check_positive(frame: pd.DataFrame, column: str) -> None:
    """Raise a ValueError unless all of `column` are positive finite numbers."""
    check_finite(frame, column)
    if (frame[column] <= 0).any():
        raise ValueError(f"column {column} has values that are not positive")


def check_at_least(name: str, value: float, minimum: float) -> None:
    """Raise a ValueError that names the argument when it is below `minimum` or not a number."""
    if not value >= minimum:
        raise ValueError(f"{name} must be at least {minimum}, not {value}")
