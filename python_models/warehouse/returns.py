"""Which purchase a return takes back, where the shop does not say."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from operator import itemgetter

import pandas as pd


def match_returns(
    purchases: pd.DataFrame, returns: pd.DataFrame, same: Sequence[str]
) -> pd.DataFrame:
    """Match each return to the latest earlier purchase that has enough units left.

    Returns are tried one after another as they came, so that a unit is given back once only. A
    return is never split: one that takes back what was bought on two lines stays unmatched.

    Args:
        purchases: One row per line bought: `order_line_id`, `invoiced_at`, `quantity` (positive)
            and the columns of `same`. Of lines of one time, the last by id is tried first.
        returns: The same per line given back, with a negative `quantity`. A purchase of the same
            time is an earlier one.
        same: Columns in which a return must equal its purchase.

    Returns:
        `order_line_id` of the return and `returned_order_line_id`, the line it takes back; one row
        for each return that has one, ordered by `order_line_id`.
    """
    columns = ["order_line_id", "invoiced_at", "quantity", *same]
    in_time = ["invoiced_at", "order_line_id"]
    bought: dict[tuple[object, ...], list[tuple[pd.Timestamp, str]]] = defaultdict(list)
    left: dict[str, float] = {}
    for line, moment, quantity, *key in purchases.sort_values(in_time)[columns].to_numpy():
        bought[tuple(key)].append((moment, line))
        left[line] = quantity

    matches: list[tuple[str, str]] = []
    for line, moment, quantity, *key in returns.sort_values(in_time)[columns].to_numpy():
        candidates = bought.get(tuple(key), [])
        earlier = candidates[: bisect_right(candidates, moment, key=itemgetter(0))]
        for _, purchase in reversed(earlier):
            remainder = round(left[purchase] + quantity, 6)
            if remainder >= 0:
                left[purchase] = remainder
                matches.append((line, purchase))
                break
    return pd.DataFrame(
        sorted(matches), columns=["order_line_id", "returned_order_line_id"], dtype="string"
    )
