"""What the days of a customer's orders tell at a cutoff: the features of predictions."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

from personalization.interactions import (
    BoolArray,
    FloatArray,
    IntArray,
    check_columns,
    check_finite,
    check_ids,
    check_unique,
)

# Windows and half-lives, in days.
_WINDOWS: Final = (7, 14, 21, 28, 42, 56, 84, 112, 168, 364)
_HALF_LIVES: Final = (7, 14, 28, 56, 112, 224)
# So many of the latest weeks are told one by one.
_WEEKS: Final = 12
# The latest gaps between order days, which tell a habit of late from one of old.
_LATEST_GAPS: Final = 10
# Customers times days that are described at a time.
_BLOCK: Final = 2**24


def rhythm_features(order_days: pd.DataFrame, cutoff: date) -> pd.DataFrame:
    """Describe when and for how much each customer ordered before a cutoff.

    Only what had occurred and was known before the cutoff counts.

    Args:
        order_days: One row per `customer_id` (text), `order_date` and `known_date` (the day the
            orders came in), with `orders` and `amount_paid` (currency, not negative).
        cutoff: The day at whose start nothing later is known.

    Returns:
        One row per customer with an order known before the cutoff, by `customer_id` (the index):

        - `recency_days`, `tenure_days`: days since the last and since the first order day;
        - `order_days`, `order_day_rate`: their number, and per day of tenure;
        - `amount_paid`: the amount of all days;
        - `orders_7d` ..., `amount_7d` ...: orders and amount of the last days;
        - `week_0` ...: whether there was an order in each of the latest weeks, 0 is the last;
        - `decayed_orders_7d` ..., `decayed_amount_7d` ...: orders, and the logarithm of 1 + amount
          by day, each fading with this half-life;
        - `median_gap_days`, `long_gap_days` (the 90th percentile), `longest_gap_days`,
          `latest_gap_days` (the mean of the latest), `longest_latest_gap_days`: days between order
          days; null with less than two;
        - `shorter_gap_share`: share of gaps shorter than the days since the last order;
        - `active_week_share`, `active_month_share`: share of the last 26 weeks, and of the last 12
          periods of 28 days, with an order, as far as the data reach.

    Raises:
        ValueError: A column is missing, an id is null, a row is double, or an amount is negative.
    """
    keys = ["customer_id", "order_date", "known_date"]
    check_columns(order_days, [*keys, "orders", "amount_paid"])
    check_ids(order_days, ["customer_id"])
    check_unique(order_days, keys)
    check_finite(order_days, "orders", minimum=0)
    check_finite(order_days, "amount_paid", minimum=0)
    end = np.datetime64(cutoff, "D")
    known = order_days[
        (order_days["known_date"].to_numpy("datetime64[D]") < end)
        & (order_days["order_date"].to_numpy("datetime64[D]") < end)
    ]
    customer, ids = pd.factorize(known["customer_id"], sort=True)
    by_customer = np.argsort(customer, kind="stable")
    customer = customer[by_customer].astype(np.int64)
    days = known.iloc[by_customer]
    age = (end - days["order_date"].to_numpy("datetime64[D]")).astype(np.int64) - 1
    orders = days["orders"].to_numpy(np.float64)
    # Whole cents add up the same in any order.
    cents = np.rint(days["amount_paid"].to_numpy(np.float64) * 100)
    n_days = int(age.max(initial=-1)) + 1
    size = max(_BLOCK // max(n_days, 1), 1)
    blocks = []
    for first in range(0, max(len(ids), 1), size):
        rows = slice(*np.searchsorted(customer, [first, first + size]))
        shape = (min(size, len(ids) - first), n_days)
        cell = (customer[rows] - first) * n_days + age[rows]
        blocks.append(
            pd.DataFrame(
                _describe(
                    _spread(cell, orders[rows], shape), _spread(cell, cents[rows], shape) / 100
                )
            )
        )
    return pd.concat(blocks).set_index(pd.Index(ids, name="customer_id"))


def rhythm_table(order_days: pd.DataFrame, cutoffs: Sequence[date]) -> pd.DataFrame:
    """Describe the customers at several cutoffs, each by what was known then.

    Args:
        order_days: As in `rhythm_features`.
        cutoffs: The days.

    Returns:
        One row per `customer_id` and `as_of_date` with the features of `rhythm_features`.

    Raises:
        ValueError: As in `rhythm_features`.
    """
    tables = [
        rhythm_features(order_days, cutoff)
        .reset_index()
        .assign(as_of_date=pd.Timestamp(cutoff).as_unit("us"))
        for cutoff in sorted(cutoffs)
    ]
    if not tables:
        nobody = rhythm_features(order_days.iloc[:0], date.min).reset_index()
        tables = [nobody.assign(as_of_date=pd.Series(dtype="datetime64[us]"))]
    table = pd.concat(tables, ignore_index=True)
    return table[["customer_id", "as_of_date", *table.columns.drop(["customer_id", "as_of_date"])]]


def _spread(cell: IntArray, values: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Sum values by cell of a matrix."""
    sums = np.bincount(cell, values, minlength=shape[0] * shape[1])
    return np.asarray(sums, dtype=np.float64).reshape(shape)


def _describe(orders: FloatArray, amounts: FloatArray) -> dict[str, FloatArray]:
    """Compute the features from orders and amounts by customer (row) and days of age (column)."""
    n_days = orders.shape[1]
    has_order = orders > 0
    nobody = np.empty(0, dtype=np.int64)
    recency: IntArray = has_order.argmax(axis=1) if n_days else nobody
    oldest: IntArray = n_days - 1 - has_order[:, ::-1].argmax(axis=1) if n_days else nobody
    tenure = oldest.astype(np.float64) + 1
    order_days = has_order.sum(axis=1).astype(np.float64)
    features: dict[str, FloatArray] = {
        "recency_days": recency.astype(np.float64) + 1,
        "tenure_days": tenure,
        "order_days": order_days,
        "order_day_rate": order_days / tenure,
        "amount_paid": amounts.sum(axis=1).round(2),
    }
    features |= {f"orders_{days}d": orders[:, :days].sum(axis=1) for days in _WINDOWS}
    features |= {f"amount_{days}d": amounts[:, :days].sum(axis=1).round(2) for days in _WINDOWS}
    for week in range(_WEEKS):
        of_week = has_order[:, 7 * week : 7 * week + 7]
        features[f"week_{week}"] = np.asarray(of_week.any(axis=1), dtype=np.float64)
    age = np.arange(n_days)
    for days in _HALF_LIVES:
        fade = 0.5 ** (age / days)
        features[f"decayed_orders_{days}d"] = np.round(orders @ fade, 9)
        features[f"decayed_amount_{days}d"] = np.round(np.log1p(amounts) @ fade, 9)
    features |= _describe_gaps(has_order, recency)
    features["active_week_share"] = _active_share(has_order, days=7, periods=26)
    features["active_month_share"] = _active_share(has_order, days=28, periods=12)
    return features


def _describe_gaps(has_order: BoolArray, recency: IntArray) -> dict[str, FloatArray]:
    """Describe the days between order days; null for customers without a gap."""
    n_customers = len(has_order)
    customer, age = np.nonzero(has_order)  # by customer, the latest day first
    is_gap = np.diff(customer, append=-1) == 0
    gap = np.diff(age, append=0)[is_gap].astype(np.float64)
    customer = customer[is_gap]
    sizes = np.bincount(customer, minlength=n_customers)
    starts = np.cumsum(sizes) - sizes
    place = np.arange(len(gap)) - starts[customer]
    is_late = place < _LATEST_GAPS
    count = np.where(sizes > 0, sizes, np.nan)

    def quantile(share: float) -> FloatArray:
        """The lowest gap that so large a share of the customer's gaps does not exceed."""
        ordered = gap[np.lexsort((gap, customer))]
        position = starts + np.ceil(share * sizes).astype(np.int64) - 1
        return np.where(
            sizes > 0, np.append(ordered, np.nan)[np.where(sizes > 0, position, -1)], np.nan
        )

    def longest(chosen: BoolArray) -> FloatArray:
        found = np.full(n_customers, np.nan)
        np.fmax.at(found, customer[chosen], gap[chosen])
        return found

    shorter = np.bincount(customer[gap < recency[customer] + 1], minlength=n_customers)
    latest = np.bincount(customer[is_late], gap[is_late], minlength=n_customers)
    return {
        "median_gap_days": quantile(0.5),
        "long_gap_days": quantile(0.9),
        "longest_gap_days": longest(np.ones(len(gap), dtype=bool)),
        "latest_gap_days": latest / np.minimum(count, _LATEST_GAPS),
        "longest_latest_gap_days": longest(is_late),
        "shorter_gap_share": shorter / count,
    }


def _active_share(has_order: BoolArray, *, days: int, periods: int) -> FloatArray:
    """Share of the latest whole periods of so many days in which a customer ordered."""
    n_customers, n_days = has_order.shape
    n_periods = min(periods, max(n_days // days, 1))
    reach = np.zeros((n_customers, n_periods * days), dtype=bool)
    width = min(n_days, n_periods * days)
    reach[:, :width] = has_order[:, :width]
    active = reach.reshape(n_customers, n_periods, days).any(axis=2)
    share: FloatArray = active.mean(axis=1)
    return share
