"""Which purchase a return takes back, where the shop does not say."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence

import pandas as pd


def match_returns(
    purchases: pd.DataFrame, returns: pd.DataFrame, same: Sequence[str]
) -> pd.DataFrame:
    """Match each return to the latest earlier purchase that has enough units left.

    Returns are tried one after another as they came, so that a unit is given back once only. A
    return is never split: one that takes back what was bought on two lines stays unmatched.

    Args:
        purchases: One row per line bought: `order_line_id`, `invoiced_at`, `quantity` (positive)
            and the columns of `same`. Rows of one time are tried from the last of them.
        returns: The same per line given back, with a negative `quantity`.
        same: Columns in which a return must equal its purchase.

    Returns:
        `order_line_id` of the return and `returned_order_line_id`, the line it takes back; one row
        for each return that has one, ordered by `order_line_id`.
    """
    bought: dict[tuple[object, ...], list[tuple[pd.Timestamp, str]]] = defaultdict(list)
    left: dict[str, object] = {}
    matches: list[tuple[str, str]] = []

    purchases = purchases.sort_values(["invoiced_at", "order_line_id"])
    returns = returns.sort_values(["invoiced_at", "order_line_id"])
    columns = ["order_line_id", "invoiced_at", "quantity", *same]

    for line, moment, quantity, *key in purchases[columns].itertuples(index=False):
        bought[tuple(key)].append((moment, line))
        left[line] = quantity

    for line, moment, quantity, *key in returns[columns].itertuples(index=False):
        candidates = bought[tuple(key)]
        known = bisect_right(candidates, moment, key=lambda candidate: candidate[0])
        for _, purchase in reversed(candidates[:known]):
            if left[purchase] >= -quantity:
                left[purchase] += quantity
                matches.append((line, purchase))
                break

    columns = ["order_line_id", "returned_order_line_id"]
    matched = pd.DataFrame(sorted(matches), columns=columns)
    return matched.astype("string")
