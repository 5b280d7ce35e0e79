"""How many anomalies would be found: ordinary orders are made anomalous, one way at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

import numpy as np
import pandas as pd

from personalization.anomalies import Limits, numbers, rule_findings
from personalization.interactions import FloatArray, check_at_least

Frames: TypeAlias = tuple[pd.DataFrame, pd.DataFrame]
"""Orders, and in the same row one product of each, null where it has none to go by."""

_COUPON_SHARE: Final = 0.8
_COUPON_REFERENCES: Final = [
    "usual_coupon_amount_7d",
    "coupon_amount_spread",
    "usual_coupon_share",
    "coupon_share_spread",
    "earlier_coupon_orders",
]
_DIGITS: Final = 6
_TYPES: Final = {
    "injection": "str",
    "anomaly_type": "str",
    "injected": "int64",
    "found": "int64",
    "found_as_type": "int64",
    "recall": "float64",
    "recall_as_type": "float64",
    "baseline_recall": "float64",
    "precision_as_type": "float64",
    "baseline_precision": "float64",
    "flagged_share": "float64",
}


@dataclass(frozen=True)
class Injection:
    """A way of making orders anomalous.

    Attributes:
        name: As tables name it.
        anomaly_type: What they should be found as.
        apply: Changes the orders and their products; rows stay in place.
    """

    name: str
    anomaly_type: str
    apply: Callable[[pd.DataFrame, pd.DataFrame], Frames]


def _scale_product(
    orders: pd.DataFrame, products: pd.DataFrame, *, quantity: float = 1, price: float = 1
) -> Frames:
    added = products["amount_paid"] * (quantity * price - 1)
    return (
        orders.assign(amount_paid=orders["amount_paid"] + added),
        products.assign(
            quantity=products["quantity"] * quantity,
            unit_price=products["unit_price"] * price,
            amount_paid=products["amount_paid"] + added,
            list_amount=products["list_amount"] * quantity * price,
        ),
    )


def _pay_with_coupons(orders: pd.DataFrame, products: pd.DataFrame) -> Frames:
    # A manufacturer's coupon is part of what the shop receives: the amount stays as it is.
    return (
        orders.assign(
            coupon_amount_7d=orders["amount_paid"] * _COUPON_SHARE, coupon_share=_COUPON_SHARE
        ),
        products,
    )


def _spend_more(orders: pd.DataFrame, products: pd.DataFrame, *, factor: float) -> Frames:
    return orders.assign(amount_paid=orders["customer_usual_amount"] * factor), products


INJECTIONS: Final = (
    Injection("bulk_20_times", "bulk_purchase", partial(_scale_product, quantity=20)),
    Injection("price_a_twentieth", "price_error", partial(_scale_product, price=0.05)),
    Injection("price_10_times", "price_error", partial(_scale_product, price=10)),
    Injection("coupons_for_80_percent", "coupon_abuse", _pay_with_coupons),
    Injection("amount_20_times_usual", "unusual_amount", partial(_spend_more, factor=20)),
)
"""The ways in which orders are made anomalous."""


def ordinary_orders(orders: pd.DataFrame, anomalous: pd.Series, *, n_orders: int) -> pd.DataFrame:
    """Choose orders to make anomalous, evenly spread over time.

    Args:
        orders: As for `find_anomalies`.
        anomalous: The ids of those that are anomalous already.
        n_orders: How many to choose at most.

    Returns:
        The chosen rows, in the order of time. Where an order has no coupons, it is compared with
        what was usual at the latest order before it that has.

    Raises:
        ValueError: `n_orders` is below 1.
    """
    check_at_least("n_orders", n_orders, 1)
    in_time = orders.sort_values(["ordered_at", "order_id"], ignore_index=True)
    in_time[_COUPON_REFERENCES] = in_time[_COUPON_REFERENCES].ffill()
    ordinary = in_time[~in_time["order_id"].isin(anomalous)]
    step = max(1, -(-len(ordinary) // n_orders))
    return ordinary[::step].reset_index(drop=True)


def backtest_anomalies(
    sample: pd.DataFrame,
    products: pd.DataFrame,
    limits: Limits,
    *,
    orders: pd.DataFrame,
    anomalies: pd.DataFrame,
) -> pd.DataFrame:
    """Make orders anomalous, and count how many of them the rules find.

    In each order the dearest product with enough earlier sales stands for the others. What is
    usual stays as it was: no injected order is part of the history of another. Only injections
    that put at least `min_amount` at stake count. The baseline is a global z-score of the amount:
    it finds the orders with the highest amounts, with the bar so high that it finds as many of the
    shop's own orders as the rules find of the type.

    The precision is that of a search among the injected orders and as many untouched ones, of which
    as large a share is found as of all the shop's orders. It is a lower bound: some of these are
    anomalous indeed.

    Args:
        sample: The orders to change, from `ordinary_orders`.
        products: Their products, as for `find_anomalies`, with `amount_paid`.
        limits: Those that the shop's anomalies were found with.
        orders: All the shop's orders, of which `amount_paid` (currency) is looked at.
        anomalies: What `find_anomalies` found among these.

    Returns:
        One row per injection: `injection`, `anomaly_type`, `injected` (orders changed), `found`
        (as whatever type), `found_as_type`, `recall`, `recall_as_type`, `baseline_recall` (null
        where nothing was injected), `precision_as_type`, `baseline_precision` (null where nothing
        was found) and `flagged_share` (of all orders, 0 to 1, those that are of the type as they
        are; null without orders).
    """
    known = products[products["earlier_sales"] >= limits.min_history]
    dearest = known.sort_values(
        ["order_id", "list_amount", "product_id"], ascending=[True, False, True]
    ).drop_duplicates("order_id")
    lines = dearest.set_index("order_id").reindex(sample["order_id"]).reset_index()
    amounts = numbers(orders, "amount_paid")
    highest_first = np.sort(amounts)[::-1]
    types = pd.concat([anomalies["anomaly_type"], anomalies["other_anomaly_types"].dropna()])
    n_of_type = types.str.split(",").explode().value_counts()
    rows = []
    for injection in INJECTIONS:
        changed, changed_lines = injection.apply(sample, lines)
        is_injected = _at_stake(sample, changed) >= limits.min_amount
        changed, changed_lines = changed[is_injected], changed_lines[is_injected]
        findings = rule_findings(changed, changed_lines, limits)
        n_flagged = int(n_of_type.get(injection.anomaly_type, 0))
        bar = highest_first[n_flagged] if n_flagged < len(highest_first) else np.inf
        rows.append(
            {
                "injection": injection.name,
                "anomaly_type": injection.anomaly_type,
                "injected": len(changed),
                "found": findings["order_id"].nunique(),
                "found_as_type": int((findings["anomaly_type"] == injection.anomaly_type).sum()),
                "baseline_found": (numbers(changed, "amount_paid") > bar).sum(),
                "flagged_share": n_flagged / len(orders) if len(orders) else np.nan,
                "baseline_flagged_share": np.mean(amounts > bar) if len(orders) else np.nan,
            }
        )
    result = pd.DataFrame(rows)
    injected = result["injected"].where(result["injected"] > 0)
    result["recall"] = result["found"] / injected
    result["recall_as_type"] = result["found_as_type"] / injected
    result["baseline_recall"] = result["baseline_found"] / injected
    result["precision_as_type"] = _precision(result["recall_as_type"], result["flagged_share"])
    result["baseline_precision"] = _precision(
        result["baseline_recall"], result["baseline_flagged_share"]
    )
    return result[list(_TYPES)].astype(_TYPES).round(_DIGITS)


def _precision(recall: pd.Series, flagged_share: pd.Series) -> pd.Series:
    """The share of injected orders among the found ones, where as many others are searched."""
    return recall / (recall + flagged_share)


def _at_stake(before: pd.DataFrame, after: pd.DataFrame) -> FloatArray:
    """The money that an injection is about: the change of the amount, or coupons added."""
    amount = np.abs(numbers(after, "amount_paid") - numbers(before, "amount_paid"))
    coupons = np.nan_to_num(numbers(after, "coupon_amount_7d")) - np.nan_to_num(
        numbers(before, "coupon_amount_7d")
    )
    return np.fmax(amount, coupons)
