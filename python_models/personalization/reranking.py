"""From scored candidates to the list of a surface: limits, diversity, exploration."""

import hashlib
import math
from collections import Counter
from typing import Final

import numpy as np
import pandas as pd

from personalization.interactions import (
    FloatArray,
    IntArray,
    check_at_least,
    check_columns,
    check_finite,
    check_ids,
    check_unique,
)

# Digits to which values are compared, so float noise never decides a place.
_DIGITS: Final = 9


def rerank(
    candidates: pd.DataFrame,
    *,
    length: int = 20,
    max_per_category: int | None,
    diversity: float = 0.0,
) -> pd.DataFrame:
    """Make the list of each customer: by tier, then by score with diminishing gain per category.

    At each place the list takes, from the lowest tier that still has one, the candidate of
    largest gain. With s(i) the score as a share of the customer's best in the tier, and n the
    number of items above it, of any tier, that share its category:

        gain(i) = s(i) · (1 - diversity) ^ n

    The discount is that of alpha-nDCG (Clarke et al., "Novelty and Diversity in Information
    Retrieval Evaluation", 2008), alpha being the diversity. It stands in for the difference of
    maximal marginal relevance (Carbonell and Goldstein, "The Use of MMR", 1998), which needs scores
    and similarities on one scale: a share of the score lost means the same for every customer. As
    an item has one category, its n is its place
    among the candidates of that category, known without the list. So the greedy choice is a sort,
    no other list of a tier has a larger sum of gains, and more diversity never means fewer
    categories. A discount by the category's share of the list so far trades score for categories
    at the same rate, but saturates early.

    Diversity 0 is the order by score. At diversity 1 the best item of every category comes first,
    by score, then the rest, by score. Gains and shares are compared after rounding to 9 digits;
    equal gains go to the larger score, the more popular item, the lower id.

    Args:
        candidates: One row per customer and item, in any order: `customer_id`, `item_id` (text),
            `category` (all nulls together are one category), `tier` (whole number; the lower one
            is placed first), `score` (not negative, comparable within customer and tier),
            `popularity` (whole number). Further columns are kept.
        length: Largest number of items per customer.
        max_per_category: Largest number of items of one category in a list, of all tiers
            together. The list is shorter rather than break it. None for no limit.
        diversity: From 0 to 1.

    Returns:
        The candidates placed, with the columns given and `rank` (1, 2, ...), sorted by
        `customer_id` and `rank`.

    Raises:
        ValueError: An argument is out of range or `candidates` is not as described.
    """
    check_at_least("length", length, 1)
    limit = _category_limit(max_per_category)
    _check_share("diversity", diversity)
    keys = ["customer_id", "item_id"]
    check_columns(candidates, [*keys, "category", "tier", "score", "popularity"])
    check_ids(candidates, keys)
    check_unique(candidates, keys)
    check_finite(candidates, "tier")
    check_finite(candidates, "score", minimum=0)
    check_finite(candidates, "popularity")

    customer, item = (pd.factorize(candidates[key], sort=True)[0] for key in keys)
    tier, popularity = (candidates[key].to_numpy(np.int64) for key in ("tier", "popularity"))
    share = _shares_of_best(candidates["score"].to_numpy(np.float64), customer, tier)
    by_score = np.lexsort((item, -popularity, -share, tier, customer))
    customer, tier, share = customer[by_score], tier[by_score], share[by_score]
    category = pd.factorize(candidates["category"])[0][by_score]

    n_above = _count_above(customer, category)
    gain = np.round(share * (1 - diversity) ** n_above, _DIGITS)
    order = np.lexsort((-gain, tier, customer))  # stable: equal gains stay in the order by score
    order = order[n_above[order] < limit]
    rank = _count_above(customer[order]) + 1
    placed = by_score[order[rank <= length]]
    return candidates.iloc[placed].assign(rank=rank[rank <= length]).reset_index(drop=True)


def explore(
    lists: pd.DataFrame,
    pool: pd.DataFrame,
    *,
    known: pd.DataFrame | None = None,
    share: float,
    seed: int,
    max_per_category: int | None = None,
) -> pd.DataFrame:
    """Give the last places of each list to random items, to learn about what is little known.

    Of a list of n items the last round(share · n) places (half to even) are filled, the last one
    first, each with a uniform draw without replacement from the items of the pool that the list
    did not have, the customer does not know and whose category has room. Where none is left, the
    items above stay.

    A customer's draw depends on the seed, the customer's id, what they know and the pool only, not
    on other customers or the order of rows; a larger share adds draws and changes none.

    Args:
        lists: The result of `rerank`: `customer_id`, `item_id`, `category`, `score`,
            `popularity`, `rank` and further columns.
        pool: One row per item to explore: `item_id` (text), `category`, `popularity`.
        known: What customers know already: `customer_id`, `item_id`. By default nothing.
        share: Part of each list to give away, from 0 to 1.
        seed: A new seed gives new draws.
        max_per_category: Largest number of items of one category in a list; should be the limit
            the lists were made with. None for no limit.

    Returns:
        The lists with `is_exploration`, sorted by `customer_id` and `rank`. An item drawn takes
        over `rank` and `tier` of the place; its score is 0 (no opinion), further columns are null.

    Raises:
        ValueError: An argument is out of range or a frame is not as described.
    """
    _check_share("share", share)
    limit = _category_limit(max_per_category)
    of_pool = ["item_id", "category", "popularity"]
    check_columns(lists, ["customer_id", *of_pool, "score", "rank"])
    check_ids(lists, ["customer_id", "item_id"])
    check_unique(lists, ["customer_id", "item_id"])
    check_unique(lists, ["customer_id", "rank"])
    check_columns(pool, of_pool)
    check_ids(pool, ["item_id"])
    check_unique(pool, ["item_id"])
    if known is None:
        known = pd.DataFrame({"customer_id": [], "item_id": []}, dtype="str")
    check_columns(known, ["customer_id", "item_id"])

    lists = lists.sort_values(["customer_id", "rank"], ignore_index=True)
    pool = pool.sort_values("item_id", ignore_index=True)
    both = pd.concat([lists[of_pool], pool[of_pool]], ignore_index=True)
    category = pd.factorize(both["category"])[0]
    pool_index = pd.Index(pool["item_id"])
    listed = pool_index.get_indexer(pd.Index(lists["item_id"]))
    known_items = pool_index.get_indexer(pd.Index(known["item_id"]))
    known_of = known.groupby("customer_id").indices
    source = np.arange(len(lists))
    for customer_id, rows in lists.groupby("customer_id").indices.items():
        n_places = round(share * len(rows))
        if n_places == 0:
            continue
        drawn = _generator(seed, str(customer_id)).permutation(len(pool))
        taken = np.append(listed[rows], known_items[known_of.get(customer_id, [])])
        drawn = drawn[~np.isin(drawn, taken)] + len(lists)
        picks = _fit(category[rows], drawn, category, n_places=n_places, limit=limit)
        source[rows[::-1][: len(picks)]] = picks

    is_exploration = source >= len(lists)
    if not is_exploration.any():
        return lists.assign(is_exploration=False)
    further = lists.columns.difference([*of_pool, "customer_id", "rank", "tier", "score"])
    return lists.assign(
        **{column: both[column].take(source).array for column in of_pool},
        **{column: lists[column].mask(is_exploration) for column in further},
        score=lists["score"].mask(is_exploration, 0.0),
        is_exploration=is_exploration,
    )


def _fit(
    ranked: IntArray, drawn: IntArray, category: IntArray, *, n_places: int, limit: float
) -> list[int]:
    """Fill the places of a list from the last one upward, until no drawn item fits.

    Args:
        ranked: Categories of the items of the list, by rank.
        drawn: Items in the order drawn, as positions in `category`.
        category: Category of each item.
        n_places: Number of places to fill.
        limit: Largest number of items of one category.

    Returns:
        The items of the last place, the one before it, ...; at most `n_places`.
    """
    waiting: list[int] = drawn.tolist()
    counts = Counter(ranked.tolist())
    picks: list[int] = []
    for replaced in ranked[::-1][:n_places].tolist():
        counts[replaced] -= 1
        pick = next((item for item in waiting if counts[category[item]] < limit), None)
        if pick is None:
            break
        counts[category[pick]] += 1
        waiting.remove(pick)
        picks.append(pick)
    return picks


def _generator(seed: int, customer_id: str) -> np.random.Generator:
    """Random numbers of one customer: unlike Python's, this hash is the same in every process."""
    digest = hashlib.blake2b(f"{seed}:{customer_id}".encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))


def _shares_of_best(score: FloatArray, customer: IntArray, tier: IntArray) -> FloatArray:
    """Rounded score over the best of customer and tier, 0 where that is 0; shape (n,)."""
    best = pd.Series(score).groupby([customer, tier]).transform("max").to_numpy()
    shares: FloatArray = np.zeros(len(score))
    np.divide(score, best, out=shares, where=best > 0)
    return shares.round(_DIGITS)


def _count_above(*keys: IntArray) -> IntArray:
    """Number of earlier rows with the same keys, shape (n,)."""
    return pd.Series(keys[0]).groupby(list(keys)).cumcount().to_numpy().astype(np.int64)


def _category_limit(max_per_category: int | None) -> float:
    """Check the limit; infinite when there is none."""
    if max_per_category is None:
        return math.inf
    check_at_least("max_per_category", max_per_category, 1)
    return max_per_category


def _check_share(name: str, value: float) -> None:
    """Raise a ValueError that names the argument unless it is from 0 to 1."""
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be from 0 to 1, not {value}")
