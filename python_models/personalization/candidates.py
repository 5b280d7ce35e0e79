"""The candidates of all generators in one table, each with its reason."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import pandas as pd

from personalization.explaining import Reasons, explain
from personalization.generators.base import (
    Generator,
    GeneratorInputs,
    Picks,
    Scorer,
    top_items_and_new_items,
)
from personalization.generators.item_based import ItemScorer

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

    The reason of a bought item is its purchase. Generators that add up what bought items say for
    others name the one that says most (see `explain`); the reason of the rest is what they look
    at: descriptions, or customers of similar taste.

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
    tables = [pd.DataFrame(columns=list(_TYPES)).astype(_TYPES)]
    for name, generator in generators.items():
        scorer = generator(inputs)
        for scope, picks in zip(
            ("all", "new"), top_items_and_new_items(inputs, scorer, k=k), strict=True
        ):
            table = _table(inputs, picks, _reasons(inputs, picks, name, scorer))
            tables.append(table.assign(generator=name, scope=scope))
    return pd.concat(tables, ignore_index=True)[list(_TYPES)]


def _reasons(inputs: GeneratorInputs, picks: Picks, generator: str, scorer: Scorer) -> Reasons:
    """Say why a generator picked each item."""
    if generator in _SHARED_REASONS:
        nothing = np.full(len(picks.item), -1)
        return Reasons(np.full(len(picks.item), generator), nothing)
    return explain(
        inputs,
        scorer.neighbors if isinstance(scorer, ItemScorer) else None,
        picks.customer,
        picks.item,
        otherwise="similar_description" if generator == "content" else "similar_taste",
    )


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
