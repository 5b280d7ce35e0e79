"""The nearest items of every item, by several measures, in one table."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from personalization.generators.content import content_neighbors
from personalization.generators.item_based import rp3_beta_neighbors
from personalization.interactions import IntArray, Interactions, rank_within
from personalization.similarity import count_both, item_similarities


def item_neighbors(
    purchases: pd.DataFrame,
    items: pd.DataFrame,
    *,
    k: int,
    shrinkage: float,
    min_support: int,
    max_per_name: int,
    min_content_score: float,
) -> pd.DataFrame:
    """Find the k nearest items of every item by three measures.

    - cosine: by who buys them (`item_similarities`);
    - rp3_beta: by random walks from the neighbor over its customers to the item
      (`rp3_beta_neighbors`);
    - content: by department, category, brand, size and name (`content_neighbors`), also for items
      that nobody bought. Neighbors are items on offer only, which stand in for one that is not.

    Args:
        purchases: One row per customer and item: `customer_id`, `item_id`, `weight`.
        items: One row per item: `item_id`, what describes it, and `is_offered`.
        k: Largest number of neighbors per item and measure.
        shrinkage: Of the cosine.
        min_support: Items with fewer customers have no neighbors by cosine and rp3_beta.
        max_per_name: Largest number of an item's neighbors by content with one `product_name`.
        min_content_score: Lowest score of a neighbor by content.

    Returns:
        One row per `algorithm`, `item_id` and `rank`, sorted so: `neighbor_item_id`, `score` and
        `support`, the number of customers who bought both.
    """
    every = Interactions.from_frame(purchases)
    matrix = every.select_items(np.flatnonzero(every.item_popularity >= min_support))
    by_cosine = item_similarities(purchases, k=k, shrinkage=shrinkage, min_support=min_support)
    tables = [
        by_cosine.drop(columns="cosine").assign(algorithm="cosine"),
        _by_walks(matrix, k=k).assign(algorithm="rp3_beta"),
        _by_content(
            every, items, k=k, max_per_name=max_per_name, min_score=min_content_score
        ).assign(algorithm="content"),
    ]
    columns = ["algorithm", "item_id", "rank", "neighbor_item_id", "score", "support"]
    return pd.concat(tables, ignore_index=True)[columns]


def _by_walks(matrix: Interactions, *, k: int) -> pd.DataFrame:
    """The neighbors from which most random walks lead to the item."""
    bought = csr_array(matrix.weights.astype(bool).astype(np.float64))
    walks = rp3_beta_neighbors(bought, neighbors=k).tocoo()
    neighbor, item = (position.astype(np.int64) for position in walks.coords)
    order, rank = rank_within(item, walks.data, matrix.tie_breaks[neighbor])
    item, neighbor = item[order], neighbor[order]
    return _table(matrix, item, neighbor, rank, walks.data[order])


def _by_content(
    matrix: Interactions, items: pd.DataFrame, *, k: int, max_per_name: int, min_score: float
) -> pd.DataFrame:
    """The neighbors whose description is most alike; items nobody bought have no support."""
    items = items.sort_values("item_id", ignore_index=True)
    ids = pd.array(items["item_id"].to_numpy(object), dtype="str")
    position = pd.Index(matrix.item_ids).get_indexer(pd.Index(items["item_id"]))
    popularity = np.zeros(len(items), dtype=np.int64)
    popularity[position >= 0] = matrix.item_popularity[position[position >= 0]]
    found = content_neighbors(
        items.rename(columns={"product_name": "item_name"}),
        k=k,
        is_offered=items["is_offered"].to_numpy(bool),
        popularity=popularity,
        max_per_name=max_per_name,
        min_score=min_score,
    )
    item, neighbor = (position[found[column]] for column in ("item", "neighbor"))
    support = np.zeros(len(found), dtype=np.int64)
    is_sold = (item >= 0) & (neighbor >= 0)
    support[is_sold] = count_both(matrix, item[is_sold], neighbor[is_sold])
    return pd.DataFrame(
        {
            "item_id": ids.take(found["item"].to_numpy()),
            "neighbor_item_id": ids.take(found["neighbor"].to_numpy()),
            "rank": found["rank"],
            "score": found["score"],
            "support": support,
        }
    )


def _table(
    matrix: Interactions,
    item: IntArray,
    neighbor: IntArray,
    rank: IntArray,
    score: np.ndarray,
) -> pd.DataFrame:
    ids = pd.array(matrix.item_ids, dtype="str")
    return pd.DataFrame(
        {
            "item_id": ids.take(item),
            "neighbor_item_id": ids.take(neighbor),
            "rank": rank,
            "score": score.round(6),
            "support": count_both(matrix, item, neighbor),
        }
    )
