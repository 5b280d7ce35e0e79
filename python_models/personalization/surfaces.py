"""The surfaces of the shop: which candidates go into which list, under the shop's rules."""

from typing import Final

import pandas as pd

from personalization.interactions import check_columns
from personalization.reranking import explore, rerank

_PROPOSAL: Final = [
    "customer_id",
    "surface",
    "tier",
    "item_id",
    "score",
    "reason_code",
    "reason_item_id",
    "scored_by",
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
    bought_lately: pd.DataFrame,
) -> pd.DataFrame:
    """Sort candidates into surfaces and tiers; a tier only fills the places that lower ones leave.

    - for_you: what the ranker finds, then what is popular;
    - buy_again: what the ranker finds among the customer's own products;
    - discover: what it finds among products new to the customer, then what is popular and new;
    - trending: what sells better than it used to;
    - cold_start: for customers of whom too little is known, what their segment buys.

    Args:
        ranked: The newest rows of `rank_in_time`.
        candidates: As `generate_candidates` returns them, of `popular` and `trending`.
        segment_lists: Lists for cold customers: `customer_id`, `item_id`, `score`, `reason_code`.
        bought_lately: What is too soon to offer again: `customer_id`, `item_id`.

    Returns:
        One row per customer, surface, tier and item.
    """
    shared = candidates.assign(scored_by=candidates["generator"])
    popular = shared[shared["generator"] == "popular"]
    trending = shared[shared["generator"] == "trending"]
    parts = [
        ranked.assign(surface="for_you", tier=1),
        popular[popular["scope"] == "all"].assign(surface="for_you", tier=2),
        ranked[ranked["is_bought"]].assign(surface="buy_again", tier=1),
        ranked[~ranked["is_bought"]].assign(surface="discover", tier=1),
        popular[popular["scope"] == "new"].assign(surface="discover", tier=2),
        trending[trending["scope"] == "all"].assign(surface="trending", tier=1),
        segment_lists.assign(surface="cold_start", tier=1, scored_by="popular_in_segment"),
    ]
    proposals = pd.concat([part.reindex(columns=_PROPOSAL) for part in parts], ignore_index=True)
    proposals["reason_item_id"] = proposals["reason_item_id"].astype("str")
    too_soon = pd.MultiIndex.from_frame(bought_lately[["customer_id", "item_id"]])
    pairs = pd.MultiIndex.from_frame(proposals[["customer_id", "item_id"]])
    return proposals[~pairs.isin(too_soon)].reset_index(drop=True)


def arrange(
    proposals: pd.DataFrame,
    products: pd.DataFrame,
    *,
    length: int,
    max_per_category: int | None,
    diversity: float,
    exploration_share: float,
    seed: int,
) -> pd.DataFrame:
    """Make the lists that customers see.

    Only what is admitted to a surface is placed, its score times its boost; an item comes once in
    a list, from its lowest tier. Lists are then made by `rerank`, and those of cold_start give a
    share of their places to `explore`, since of these customers nothing is known that it could
    spoil.

    Args:
        proposals: As `propose` returns them.
        products: One row per item and surface to which it is admitted: `item_id`, `surface`,
            `boost`, `popularity`, `category`, `is_exploration` (may be drawn by `explore`).
        length: Largest number of items of a list.
        max_per_category: Largest number of items of one category in a list; None for no limit.
        diversity: How much a further item of a category loses, see `rerank`.
        exploration_share: Part of each list of cold_start to give to exploration.
        seed: Of the exploration.

    Returns:
        One row per `customer_id`, `surface` and `rank`, sorted so: `item_id`, `score` (with the
        boost), `reason_code`, `reason_item_id`, `scored_by` and `is_exploration`.

    Raises:
        ValueError: A column is missing or a number is out of range.
    """
    check_columns(proposals, _PROPOSAL)
    check_columns(
        products, ["item_id", "surface", "boost", "popularity", "category", "is_exploration"]
    )
    admitted = proposals.merge(products, on=["surface", "item_id"])
    admitted["score"] = (admitted["score"] * admitted["boost"]).round(6)
    admitted = admitted.sort_values(
        ["customer_id", "surface", "item_id", "tier", "score"],
        ascending=[True, True, True, True, False],
    ).drop_duplicates(["customer_id", "surface", "item_id"])
    lists = [pd.DataFrame(columns=list(_TYPES)).astype(_TYPES)]
    for surface, rows in admitted.groupby("surface", sort=True):
        placed = rerank(
            rows.drop(columns="is_exploration"),
            length=length,
            max_per_category=max_per_category,
            diversity=diversity,
        )
        pool = products[(products["surface"] == surface) & products["is_exploration"]]
        placed = explore(
            placed,
            pool[["item_id", "category", "popularity"]],
            share=exploration_share if surface == "cold_start" else 0.0,
            seed=seed,
            max_per_category=max_per_category,
        )
        is_drawn = placed["is_exploration"].to_numpy(bool)
        placed.loc[is_drawn, ["reason_code", "scored_by"]] = "exploration"
        placed.loc[is_drawn, "surface"] = surface
        lists.append(placed[list(_TYPES)])
    return pd.concat(lists, ignore_index=True).sort_values(
        ["customer_id", "surface", "rank"], ignore_index=True
    )
