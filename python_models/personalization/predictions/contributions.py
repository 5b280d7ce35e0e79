"""Why a prediction is what it is: how much each side of a customer's behavior moves it."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from math import factorial
from typing import Final

import numpy as np
import pandas as pd

from personalization.interactions import FloatArray, check_columns
from personalization.predictions.propensity import Predictor

_RECENT: Final = (7, 14, 21, 28)
_LONGER: Final = (42, 56, 84, 112, 168, 364)

CAUSES: Final[Mapping[str, Sequence[str]]] = {
    "last_order": ("recency_days", "shorter_gap_share"),
    "recent_orders": (
        *(f"orders_{days}d" for days in _RECENT),
        *(f"amount_{days}d" for days in _RECENT),
        *(f"week_{week}" for week in range(4)),
        *(f"decayed_orders_{days}d" for days in (7, 14)),
        *(f"decayed_amount_{days}d" for days in (7, 14)),
    ),
    "order_habit": (
        "tenure_days",
        "order_days",
        "order_day_rate",
        *(f"orders_{days}d" for days in _LONGER),
        *(f"week_{week}" for week in range(4, 12)),
        *(f"decayed_orders_{days}d" for days in (28, 56, 112, 224)),
        "active_week_share",
        "active_month_share",
    ),
    "order_rhythm": (
        "median_gap_days",
        "long_gap_days",
        "longest_gap_days",
        "latest_gap_days",
        "longest_latest_gap_days",
    ),
    "spending": (
        "amount_paid",
        *(f"amount_{days}d" for days in _LONGER),
        *(f"decayed_amount_{days}d" for days in (28, 56, 112, 224)),
    ),
}
"""What a reason can name, and the columns of `rhythm_features` that tell it; each in one only."""


def reference_customer(features: pd.DataFrame) -> pd.Series:
    """The middle customer, against whom causes are measured: the median of each feature.

    Of two middle values it is the lower one, since half an order is no history of a customer.
    """
    return features.quantile(0.5, interpolation="lower")


def contributions(
    predict: Predictor,
    features: pd.DataFrame,
    reference: pd.Series,
    causes: Mapping[str, Sequence[str]] = CAUSES,
) -> pd.DataFrame:
    """How much each cause moves a prediction away from that of a reference customer.

    The Shapley value of each group of columns, computed over all subsets of groups: the mean
    change of the prediction when the group is set from the reference to the customer's values,
    over all orders of doing so. They add up to the difference of the two predictions exactly, and
    a group that the model does not look at has 0. (Lundberg and Lee, "A unified approach to
    interpreting model predictions", 2017; with one reference, Sundararajan and Najmi, "The many
    Shapley values for model explanation", 2020.)

    Args:
        predict: The model; called once per subset, 2 to the power of the number of causes.
        features: One row per customer.
        reference: A value per column; it may be null where the model takes nulls.
        causes: The columns of each cause; every column must belong to one.

    Returns:
        One row per customer with the index of `features` and one column per cause, in the unit of
        the prediction.

    Raises:
        ValueError: A column is missing or belongs to no cause.
    """
    columns = [column for group in causes.values() for column in group]
    check_columns(features, columns)
    if set(features.columns) - set(columns):
        raise ValueError(f"columns without a cause: {set(features.columns) - set(columns)}")
    middle = pd.DataFrame(
        np.broadcast_to(reference[features.columns].to_numpy(np.float64), features.shape),
        index=features.index,
        columns=features.columns,
    )
    value: dict[frozenset[str], FloatArray] = {}
    for size in range(len(causes) + 1):
        for members in combinations(causes, size):
            own = [column for cause in members for column in causes[cause]]
            rows = middle.copy()
            rows[own] = features[own]
            value[frozenset(members)] = predict(rows)
    n_causes = len(causes)
    table = {}
    for cause in causes:
        total = np.zeros(len(features))
        for without, before in value.items():
            if cause in without:
                continue
            weight = (
                factorial(len(without))
                * factorial(n_causes - len(without) - 1)
                / factorial(n_causes)
            )
            total += weight * (value[without | {cause}] - before)
        table[cause] = total
    return pd.DataFrame(table, index=features.index)


def strongest(table: pd.DataFrame, n_reasons: int = 3) -> pd.DataFrame:
    """The causes that move each prediction most, in either direction.

    Args:
        table: What `contributions` returns.
        n_reasons: How many to keep.

    Returns:
        One row per customer (`customer_id`) and `reason_rank` (from 1) with `cause` and
        `contribution`, rounded to 6 digits; causes that move nothing are left out, ties go to the
        cause named first.
    """
    size = table.round(6)
    order = np.argsort(-np.abs(size.to_numpy()), axis=1, kind="stable")[:, :n_reasons]
    rows = np.repeat(np.arange(len(size)), order.shape[1])
    found = pd.DataFrame(
        {
            "customer_id": size.index.to_numpy()[rows],
            "reason_rank": np.tile(np.arange(1, order.shape[1] + 1), len(size)),
            "cause": np.asarray(size.columns, dtype=object)[order.ravel()],
            "contribution": size.to_numpy()[rows, order.ravel()],
        }
    )
    return found[found["contribution"] != 0].reset_index(drop=True)


def telling_features(
    predict: Predictor,
    features: pd.DataFrame,
    reference: pd.Series,
    reasons: pd.DataFrame,
    causes: Mapping[str, Sequence[str]] = CAUSES,
) -> pd.DataFrame:
    """The column of each reason's cause that says most of it.

    It is the column that, set back to the reference alone, moves the prediction most against the
    contribution of the cause; so no reason quotes what the model did not look at.

    Args:
        predict: The model; called once per column.
        features: One row per customer.
        reference: A value per column.
        reasons: What `strongest` returns for these customers.
        causes: The columns of each cause.

    Returns:
        The reasons with the `feature`, its `value` and that of the reference (`reference_value`),
        null where it has none; ties go to the column named first.
    """
    now = predict(features)
    row = features.index.get_indexer(pd.Index(reasons["customer_id"]))
    sign = np.sign(reasons["contribution"].to_numpy(np.float64))
    most = np.full(len(reasons), -np.inf)
    chosen = np.full(len(reasons), "", dtype=object)
    for cause, columns in causes.items():
        is_own = (reasons["cause"] == cause).to_numpy()
        if not is_own.any():
            continue
        for column in columns:
            without = predict(features.assign(**{column: reference[column]}))
            part = (np.round(now - without, 6)[row] * sign)[is_own]
            is_more = part > most[is_own]
            most[is_own] = np.where(is_more, part, most[is_own])
            chosen[is_own] = np.where(is_more, column, chosen[is_own])
    place = features.columns.get_indexer(pd.Index(chosen))
    return reasons.assign(
        feature=chosen,
        value=features.to_numpy(np.float64)[row, place],
        reference_value=reference[features.columns].to_numpy(np.float64)[place],
    )
