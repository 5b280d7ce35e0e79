"""The surfaces of the shop: which candidates go into which list, under the shop's rules."""

from functools import partial
from typing import Final

import numpy as np
import pandas as pd

from personalization.interactions import check_columns
from personalization.reranking import explore, rerank

_PROPOSAL: Final = [
    "customer_id",
    "surface",
    "item_id",
    "score",
    "reason_code",
    "reason_item_id",
    "scored_by",
]
_PRODUCT: Final = [
    "item_id",
    "surface",
    "boost",
    "recent_customers",
    "popularity",
    "category",
    "is_exploration",
]
_TYPES: Final = {
    "customer_id": "str",
    "surface": "str",
    "rank": "int64",
    "item_id": "str",
    "score": "float64",
    "reason_code": "str",
    "reason_item_id": "str",
    "scored_by": "str",
    "is_exploration": "bool",
}


def propose(
    ranked: pd.DataFrame,
    candidates: pd.DataFrame,
    segment_lists: pd.DataFrame,
    bought: pd.DataFrame,
) -> pd.DataFrame:
    """Sort candidates into surfaces.

    - for_you: what the ranker finds;
    - buy_again: what the ranker finds among the customer's own products;
    - discover: what it finds among products new to the customer;
    - trending: what sells better than it used to;
    - cold_start: for customers of whom too little is known, what their segment buys.

    Args:
        ranked: The newest rows of `rank_in_time`.
        candidates: As `generate_candidates` returns them, of `trending`.
        segment_lists: Lists for cold customers: `customer_id`, `item_id`, `score`, `reason_code`.
        bought: What customers bought: `customer_id`, `item_id`, `is_too_soon` to offer it again.

    Returns:
        One row per customer, surface and item.
    """
    parts = [
        ranked.assign(surface="for_you"),
        ranked[ranked["is_bought"]].assign(surface="buy_again"),
        ranked[~ranked["is_bought"]].assign(surface="discover"),
        candidates[(candidates["generator"] == "trending") & (candidates["scope"] == "all")].assign(
            surface="trending", scored_by="trending"
        ),
        segment_lists.assign(surface="cold_start", scored_by="segment_popularity"),
    ]
    proposals = pd.concat([part.reindex(columns=_PROPOSAL) for part in parts], ignore_index=True)
    proposals["reason_item_id"] = proposals["reason_item_id"].astype("str")
    return _without(proposals, bought[bought["is_too_soon"]])


def arrange(
    proposals: pd.DataFrame,
    products: pd.DataFrame,
    wanted: pd.DataFrame,
    bought: pd.DataFrame,
    *,
    length: int,
    max_per_category: int | None,
    diversity: float,
    exploration_share: float,
    seed: int,
) -> pd.DataFrame:
    """Make the lists that customers see.

    Only what is admitted to a surface is placed, its score times its boost, in the order of
    `rerank`. What remains empty of a list that should be full goes to what is popular. Lists of
    cold_start give a share of their places to `explore`, since of these customers nothing is known
    that it could spoil.

    Args:
        proposals: As `propose` returns them.
        products: One row per item and surface to which it is admitted: `item_id`, `surface`,
            `boost`, `recent_customers` and `popularity` (of late and ever), `category`,
            `is_exploration` (may be drawn by `explore`).
        wanted: The lists to fill: `customer_id`, `surface`.
        bought: What customers bought: `customer_id`, `item_id`, `is_too_soon` to offer it again.
        length: Largest number of items of a list.
        max_per_category: Largest number of items of one category in a list; None for no limit.
        diversity: How much a further item of a category loses, see `rerank`.
        exploration_share: Part of each list of cold_start to give to exploration.
        seed: Of the exploration.

    Returns:
        One row per `customer_id`, `surface` and `rank`, sorted so: `item_id`, `score` (with the
        boost; of what fills a list, its customers of late as a share of the largest number),
        `reason_code`, `reason_item_id`, `scored_by` and `is_exploration`.

    Raises:
        ValueError: A column is missing or a number is out of range.
    """
    check_columns(proposals, _PROPOSAL)
    check_columns(products, _PRODUCT)
    check_columns(wanted, ["customer_id", "surface"])
    check_columns(bought, ["customer_id", "item_id", "is_too_soon"])
    offers = products.drop(columns="is_exploration")
    admitted = proposals.merge(offers, on=["surface", "item_id"]).assign(tier=1)
    admitted["score"] = (admitted["score"] * admitted["boost"]).round(6)
    place = partial(rerank, length=length, max_per_category=max_per_category, diversity=diversity)
    lists = [pd.DataFrame(columns=list(_TYPES)).astype(_TYPES)]
    for surface in sorted({*admitted["surface"], *wanted["surface"]}):
        placed = place(admitted[admitted["surface"] == surface])
        sizes = placed["customer_id"].value_counts()
        customers = wanted.loc[wanted["surface"] == surface, "customer_id"]
        short = customers[customers.map(sizes).fillna(0) < length]
        if len(short):
            never = bought if surface == "discover" else bought[bought["is_too_soon"]]
            fillers = _fillers(
                short, offers[offers["surface"] == surface], length, max_per_category
            )
            fillers = _without(fillers, never[never["customer_id"].isin(short)])
            is_short = placed["customer_id"].isin(short)
            both = pd.concat([placed[is_short].drop(columns="rank"), fillers], ignore_index=True)
            both = both.drop_duplicates(["customer_id", "item_id"])
            placed = pd.concat([placed[~is_short], place(both)], ignore_index=True)
        if surface == "cold_start":
            pool = products[(products["surface"] == surface) & products["is_exploration"]]
            placed = explore(
                placed,
                pool[["item_id", "category", "popularity"]],
                known=bought[bought["customer_id"].isin(customers)],
                share=exploration_share,
                seed=seed,
                max_per_category=max_per_category,
            )
            is_drawn = placed["is_exploration"].to_numpy(bool)
            placed.loc[is_drawn, ["reason_code", "scored_by"]] = "exploration"
        else:
            placed = placed.assign(is_exploration=False)
        lists.append(placed.assign(surface=surface)[list(_TYPES)])
    return pd.concat(lists, ignore_index=True).sort_values(
        ["customer_id", "surface", "rank"], ignore_index=True
    )


def _fillers(
    customers: pd.Series, products: pd.DataFrame, length: int, max_per_category: int | None
) -> pd.DataFrame:
    """Pair customers with what is popular: enough to fill a list under the limit of categories."""
    products = products.sort_values(
        ["recent_customers", "popularity", "item_id"], ascending=[False, False, True]
    )
    place = np.arange(len(products))
    in_category = products.groupby("category", dropna=False).cumcount()
    products = products[(place < 10 * length) | (in_category < (max_per_category or 0))]
    best = max(products["recent_customers"].max(), 1) if len(products) else 1
    return customers.to_frame("customer_id").merge(
        products.assign(
            score=(products["recent_customers"] / best).round(6),
            tier=2,
            reason_code="popular",
            reason_item_id=pd.Series(pd.NA, index=products.index, dtype="str"),
            scored_by="popular",
        ),
        how="cross",
    )


def _without(rows: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Leave out rows of these customers and items."""
    keys = ["customer_id", "item_id"]
    is_pair = pd.MultiIndex.from_frame(rows[keys]).isin(pd.MultiIndex.from_frame(pairs[keys]))
    return rows[~is_pair].reset_index(drop=True)
