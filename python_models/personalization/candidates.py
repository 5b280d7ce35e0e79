"""The candidates of all generators in one table, each with its reason."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import pandas as pd

from personalization.explaining import Reasons, explain
from personalization.generators.base import (
    Generator,
    GeneratorInputs,
    Picks,
    top_items_and_new_items,
)
from personalization.generators.item_based import rp3_beta_neighbors
from personalization.generators.registry import SOURCES_PER_ITEM

_TYPES: Final = {
    "generator": "str",
    "scope": "str",
    "customer_id": "str",
    "rank": "int64",
    "item_id": "str",
    "score": "float64",
    "reason_code": "str",
    "reason_item_id": "str",
}
# Generators that give all customers of a kind the same list have one reason for all of it.
_SHARED_REASONS: Final = ("popular", "popular_in_segment", "trending")


def generate_candidates(
    inputs: GeneratorInputs, generators: Mapping[str, Generator], *, k: int
) -> pd.DataFrame:
    """Run the generators and put their best items into one table.

    The reason is a purchase of the customer (see `explain`), else what the generator looks at.

    Args:
        inputs: The state of the shop at one cutoff.
        generators: Generators by name.
        k: Largest number of items per list.

    Returns:
        One row per `generator`, `scope` ("all" items, or those "new" to the customer),
        `customer_id` and `rank`, sorted so: `item_id`, `score` (as a share of the best of the
        list), `reason_code` and `reason_item_id` (null where no single item is the reason).

    Raises:
        ValueError: k is below 1, or a generator lacks what it needs.
    """
    lists = [
        (name, scope, picks)
        for name, generator in generators.items()
        for scope, picks in zip(
            ("all", "new"), top_items_and_new_items(inputs, generator(inputs), k=k), strict=True
        )
    ]
    reason_of = _reasons(inputs, [picks for name, _, picks in lists if name not in _SHARED_REASONS])
    tables = [pd.DataFrame(columns=list(_TYPES)).astype(_TYPES)]
    for name, scope, picks in lists:
        if name in _SHARED_REASONS:
            nothing = np.full(len(picks.item), -1)
            reasons = Reasons(np.full(len(picks.item), name), nothing)
        else:
            reasons = reason_of(picks)
        table = _table(inputs, picks, reasons)
        tables.append(table.assign(generator=name, scope=scope))
    return pd.concat(tables, ignore_index=True)[list(_TYPES)]


def _reasons(inputs: GeneratorInputs, lists: Sequence[Picks]) -> Callable[[Picks], Reasons]:
    """Find the reasons of all lists at once, since generators agree on much: a way to look up."""
    n_items = inputs.bought.shape[1]
    keys = [picks.customer * n_items + picks.item for picks in lists]
    known = np.unique(np.concatenate([np.empty(0, dtype=np.int64), *keys]))
    neighbors = rp3_beta_neighbors(inputs.bought, neighbors=SOURCES_PER_ITEM)
    customer, item = np.divmod(known, max(n_items, 1))
    found = explain(inputs, neighbors, customer, item, otherwise="similar_taste")

    def reason_of(picks: Picks) -> Reasons:
        place = np.searchsorted(known, picks.customer * n_items + picks.item)
        return Reasons(found.code[place], found.source[place])

    return reason_of


def _table(inputs: GeneratorInputs, picks: Picks, reasons: Reasons) -> pd.DataFrame:
    """Put ids in place of positions."""
    ids = inputs.interactions
    item_ids = pd.array(ids.item_ids, dtype="str")
    return pd.DataFrame(
        {
            "customer_id": pd.array(ids.customer_ids, dtype="str").take(picks.customer),
            "rank": picks.rank,
            "item_id": item_ids.take(picks.item),
            "score": picks.score,
            "reason_code": pd.array(reasons.code, dtype="str"),
            "reason_item_id": item_ids.take(reasons.source, allow_fill=True),
        }
    )
