"""Item-to-item similarity from co-purchases: exact, sparse and reproducible."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, csr_matrix, diags_array
from sparse_dot_topn import sp_matmul_topn

from personalization.interactions import (
    BoolArray,
    FloatArray,
    IntArray,
    Interactions,
    check_at_least,
    rank_within,
    round_scores,
)

# Neighbors fetched beyond k, so that few rows end in a tie and need a second, wider fetch.
_SLACK: Final = 14
# How much wider each further fetch is than the one before.
_WIDENING: Final = 4
# Entries of one block of fetched neighbors, and pairs of one block of counts; both bound memory.
_BLOCK_ENTRIES: Final = 2**18
_BLOCK_PAIRS: Final = 2**16


class _Pairs(NamedTuple):
    """Ranked neighbor pairs; all fields have shape (n_pairs,)."""

    source: IntArray
    neighbor: IntArray
    rank: IntArray
    score: FloatArray


def item_similarities(
    interactions: pd.DataFrame,
    *,
    k: int = 50,
    shrinkage: float = 0.0,
    min_support: int = 5,
    n_threads: int = 1,
) -> pd.DataFrame:
    """Find the k most similar items of every item by shrunk cosine.

    With x_i the vector of item i's weights over customers and λ the shrinkage:

        score(i, j) = <x_i, x_j> / sqrt((|x_i|² + λ) (|x_j|² + λ))

    Since the denominator factors by item, the score is a plain dot product of scaled vectors, so
    a sparse top-k product computes it exactly without ever holding all pairs. λ = 0 is the
    cosine; a larger λ mistrusts items with few customers (after Koren and Bell, "Advances in
    Collaborative Filtering", 2011, whose shrinkage multiplies the similarity by n / (n + λ)).

    Neighbors are ranked by score rounded to 6 digits, then popularity (number of customers,
    descending), then item id (ascending). The result is the same for every `n_threads`.

    Args:
        interactions: Columns `customer_id` (text), `item_id` (text), `weight` (positive).
        k: Largest number of neighbors per item.
        shrinkage: λ, in units of squared weight: with weights of 1, a number of customers.
        min_support: Items with fewer customers than this are left out.
        n_threads: Threads of the sparse product.

    Returns:
        One row per item and neighbor, sorted by `item_id` and `rank`: `item_id`,
        `neighbor_item_id`, `rank` (from 1), `score`, `cosine` (the score at λ = 0) and `support`
        (number of customers with both items, at least 1). No item is its own neighbor.

    Raises:
        ValueError: An argument is out of range or `interactions` is not as described.
    """
    check_at_least("k", k, 1)
    check_at_least("shrinkage", shrinkage, 0)
    check_at_least("min_support", min_support, 1)
    check_at_least("n_threads", n_threads, 1)
    matrix = Interactions.from_frame(interactions)
    matrix = matrix.select_items(np.flatnonzero(matrix.item_popularity >= min_support))
    square_norms = matrix.weights.power(2).sum(axis=0)
    scales = np.sqrt(square_norms + shrinkage)
    pairs = _top_neighbors(matrix, 1 / scales, k=k, n_threads=n_threads)

    shrinking = scales / np.sqrt(square_norms)
    cosine = pairs.score * shrinking[pairs.source] * shrinking[pairs.neighbor]
    item_ids = pd.array(matrix.item_ids, dtype="str")
    return pd.DataFrame(
        {
            "item_id": item_ids.take(pairs.source),
            "neighbor_item_id": item_ids.take(pairs.neighbor),
            "rank": pairs.rank,
            "score": round_scores(pairs.score),
            "cosine": round_scores(cosine),
            "support": _support(matrix, pairs, cosine),
        }
    )


def _top_neighbors(matrix: Interactions, scales: FloatArray, *, k: int, n_threads: int) -> _Pairs:
    """Rank the k best neighbors of every item by the dot product of scaled columns.

    A fetch of the best `width` neighbors drops tied scores arbitrarily at its boundary, so a row
    is accepted only when that boundary cannot matter; the other rows are fetched again, wider.
    """
    scaled = matrix.weights @ diags_array(scales)
    by_popularity = matrix.items_by_popularity
    # In popularity order a column's number is its tie-break, and the busy columns share cache.
    # Rows stay in id order, which spreads the busy ones evenly over threads.
    rows, columns = csr_matrix(scaled.T), csr_matrix(scaled[:, by_popularity])
    columns.sort_indices()
    position = matrix.tie_breaks

    nothing = np.empty(0, dtype=np.int64)
    accepted = [_Pairs(nothing, nothing, nothing, np.empty(0))]
    pending, width = np.arange(len(by_popularity)), k + 1 + _SLACK
    while len(pending):
        undecided = []
        block_size = max(1, _BLOCK_ENTRIES // width)
        for start in range(0, len(pending), block_size):
            block = pending[start : start + block_size]
            top = sp_matmul_topn(
                rows[block], columns, top_n=min(width, len(position)), n_threads=n_threads
            )
            is_decided, pairs = _rank_block(top, position[block], width=width, k=k)
            undecided.append(block[~is_decided])
            accepted.append(
                pairs._replace(source=block[pairs.source], neighbor=by_popularity[pairs.neighbor])
            )
        pending, width = np.concatenate(undecided), width * _WIDENING
    source, neighbor, rank, score = map(np.concatenate, zip(*accepted, strict=True))
    order = np.lexsort((rank, source))
    return _Pairs(source[order], neighbor[order], rank[order], score[order])


def _rank_block(
    top: csr_matrix, own_column: IntArray, *, width: int, k: int
) -> tuple[BoolArray, _Pairs]:
    """Rank the fetched neighbors of each row; tell which rows are decided by what was fetched.

    Whatever a fetch left out scores at most as much as the lowest score it returned. So a row is
    decided when k neighbors score strictly more than that, or when nothing was left out.

    Args:
        top: Shape (n_rows, n_items), the `width` largest entries of each row of the product.
        own_column: Shape (n_rows,), the column that is the row's item itself.
        width: Number of entries asked for per row.
        k: Largest number of neighbors per row.

    Returns:
        Whether each row is decided, shape (n_rows,), and the pairs of the decided rows, as row
        and column numbers of `top`.
    """
    sizes = np.diff(top.indptr)
    row = np.repeat(np.arange(len(sizes)), sizes)
    rounded = round_scores(top.data)
    lowest = np.minimum.reduceat(rounded, top.indptr[:-1])
    is_neighbor = top.indices != own_column[row]
    n_above = np.bincount(row[is_neighbor & (rounded > lowest[row])], minlength=len(sizes))
    nothing_left_out = (sizes < width) | (sizes == top.shape[1])
    is_decided = nothing_left_out | (n_above >= k)
    keep = np.flatnonzero(is_neighbor & is_decided[row])
    order, rank = rank_within(row[keep], rounded[keep], top.indices[keep])
    keep, rank = keep[order[rank <= k]], rank[rank <= k]
    return is_decided, _Pairs(row[keep], top.indices[keep], rank, top.data[keep])


def count_both(matrix: Interactions, item: IntArray, neighbor: IntArray) -> IntArray:
    """Count the customers who have both items of each pair.

    Args:
        matrix: Who has what; any weight counts as one.
        item: Shape (n_pairs,), positions.
        neighbor: Shape (n_pairs,), positions.

    Returns:
        The counts, shape (n_pairs,).
    """
    has_item = csr_array(matrix.weights.T.astype(bool).astype(np.int64))
    support = np.empty(len(item), dtype=np.int64)
    for start in range(0, len(support), _BLOCK_PAIRS):
        block = slice(start, start + _BLOCK_PAIRS)
        both = has_item[item[block]].multiply(has_item[neighbor[block]])
        support[block] = both.sum(axis=1)
    return support


def _support(matrix: Interactions, pairs: _Pairs, cosine: FloatArray) -> IntArray:
    """Count the customers who have both items of each ranked pair, shape (n_pairs,)."""
    weights = matrix.weights
    if np.all(weights.data == weights.data[:1]):
        # With equal weights the cosine is support / sqrt(popularity · popularity).
        popularity = matrix.item_popularity
        product = popularity[pairs.source] * popularity[pairs.neighbor]
        support: IntArray = np.rint(cosine * np.sqrt(product)).astype(np.int64)
        return support
    return count_both(matrix, pairs.source, pairs.neighbor)
