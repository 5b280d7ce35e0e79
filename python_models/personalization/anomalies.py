"""Orders unlike what is usual: for the customer, the store, the product and the shop.

What is usual is measured beforehand, from earlier orders only, as a middle and a spread of
logarithms, since money and counts deviate by factors and not by amounts. Here an order is set
against it. Rules find what has a name, an isolation forest what is rare without one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from sklearn.ensemble import IsolationForest
from threadpoolctl import threadpool_limits

from personalization.interactions import (
    BoolArray,
    FloatArray,
    check_at_least,
    check_columns,
    check_finite,
    check_ids,
    check_unique,
)

ANOMALY_TYPES: Final = (
    "price_error",
    "coupon_abuse",
    "bulk_purchase",
    "unusual_amount",
    "unusual_order",
)
"""From the most to the least telling: of two with the same score, the first names the order."""

MIX_FEATURES: Final = (
    "amount_paid",
    "order_lines",
    "units",
    "piece_price",
    "discount_share",
    "order_hour",
)
"""What the isolation forest looks at. Coupons have a rule of their own."""

ORDER_COLUMNS: Final = (
    "order_id",
    "ordered_at",
    "order_hour",
    "order_lines",
    "units",
    "amount_paid",
    "discount_share",
    "customer_usual_amount",
    "customer_amount_spread",
    "customer_earlier_orders",
    "store_usual_amount",
    "store_amount_spread",
    "store_earlier_orders",
    "coupon_amount_7d",
    "usual_coupon_amount_7d",
    "coupon_amount_spread",
    "coupon_share",
    "usual_coupon_share",
    "coupon_share_spread",
    "earlier_coupon_orders",
    "customer_usual_coupon_amount_7d",
)
"""What is read of `int_order_signals_measured`."""

PRODUCT_COLUMNS: Final = (
    "order_id",
    "product_id",
    "quantity",
    "list_amount",
    "unit_price",
    "usual_unit_price",
    "usual_price_deviation",
    "price_spread",
    "earlier_priced_sales",
    "usual_quantity",
    "quantity_spread",
    "earlier_sales",
    "customer_usual_quantity",
)
"""What is read of `int_order_products_compared`."""

# The least spreads. Where all earlier sales agree to the cent, the next one that does not is no
# anomaly yet: at a threshold of 3, an amount must be 2.5 times as high as usual, a price 4 times as
# high or low, a quantity 12 times as high.
_AMOUNT_FLOOR: Final = float(np.log(2.5)) / 3
_PRICE_FLOOR: Final = float(np.log(4)) / 3
_QUANTITY_FLOOR: Final = float(np.log(12)) / 3
# A product has a price if half of its sales deviate from the usual one by no more than a tenth.
# Otherwise its price is an amount, as of what is weighed or filled up, and cannot be wrong.
_PRICE_AGREEMENT: Final = float(np.log(1.1))
# What is free counts as this share of what is usual, so that its logarithm is finite.
_LEAST_RATIO: Final = 0.01
# What a customer does in less than so many times their own usual measure is a habit.
_HABIT: Final = 3.0
# The forest learns from at most so many orders, evenly spread over time.
_MAX_FIT_ORDERS: Final = 20_000
_N_TREES: Final = 100
_DIGITS: Final = 6

_FINDING_TYPES: Final = {
    "order_id": "str",
    "anomaly_type": "str",
    "score": "float64",
    "measure": "str",
    "product_id": "str",
    "observed_value": "float64",
    "typical_value": "float64",
    "amount_at_stake": "float64",
}
_ANOMALY_TYPES: Final = {
    **_FINDING_TYPES,
    "other_anomaly_types": "str",
    "customer_z": "float64",
    "store_z": "float64",
    "isolation_score": "float64",
}


@dataclass(frozen=True)
class Limits:
    """From where on an order is anomalous.

    Attributes:
        threshold: Robust z-score from which on a rule finds an order.
        min_history: Earlier orders or sales below which there is nothing to compare with.
        min_amount: What must be at stake, in the shop's currency.
        contamination: Largest share of orders that are unusual for their mix.
    """

    threshold: float = 3.0
    min_history: int = 5
    min_amount: float = 5.0
    contamination: float = 0.001

    def __post_init__(self) -> None:
        """Raise a ValueError that names the first limit which is out of range."""
        check_at_least("threshold", self.threshold, np.finfo(np.float64).tiny)
        check_at_least("min_history", self.min_history, 1)
        check_at_least("min_amount", self.min_amount, 0)
        check_at_least("contamination", self.contamination, 0)


def robust_z(
    observed: FloatArray, usual: FloatArray, spread: FloatArray, *, floor: float
) -> FloatArray:
    """How many robust standard deviations something is from what is usual, in logarithms.

    The modified z-score of Iglewicz and Hoaglin, "How to detect and handle outliers", 1993, on
    logarithms: median and median absolute deviation in the place of mean and standard deviation,
    which outliers would draw to themselves. Its .6745 is already in `spread`, as is a second
    estimate from the 90 % quantile of the deviations (macro `robust_spread`), of which the wider
    counts; that of prices is told from their 98 % quantile. `floor` keeps a spread of zero from
    making everything infinite.

    Args:
        observed: Shape (n,), not negative; what is free counts as a hundredth of what is usual.
        usual: Shape (n,), the median of what was before, positive or NaN.
        spread: Shape (n,), the robust standard deviation of logarithms, or NaN.
        floor: The least spread.

    Returns:
        Shape (n,), positive above what is usual; NaN where `usual` or `spread` is.
    """
    ratio = np.maximum(observed / usual, _LEAST_RATIO)
    return np.asarray(np.log(ratio) / np.maximum(spread, floor), dtype=np.float64)


def combined_z(*scores: FloatArray) -> FloatArray:
    """Combine z-scores by Stouffer's method: their sum over the root of their number.

    Args:
        scores: Each of shape (n,), NaN where there was nothing to compare with.

    Returns:
        Shape (n,), of the scores that there are; NaN where there is none.
    """
    together = np.vstack(scores)
    number = (~np.isnan(together)).sum(axis=0)
    total = np.nansum(together, axis=0)
    return np.where(number > 0, total / np.sqrt(np.maximum(number, 1)), np.nan)


def amount_scores(orders: pd.DataFrame, limits: Limits) -> tuple[FloatArray, FloatArray]:
    """How unusual the amounts are: z-scores for the customers and for the stores.

    Args:
        orders: As for `find_anomalies`.
        limits: Its `min_history` says how many earlier orders are too few.

    Returns:
        Two arrays of shape (n_orders,), NaN where there are too few earlier orders.
    """
    amount = numbers(orders, "amount_paid")

    def score(whose: str) -> FloatArray:
        z = robust_z(
            amount,
            numbers(orders, f"{whose}_usual_amount"),
            numbers(orders, f"{whose}_amount_spread"),
            floor=_AMOUNT_FLOOR,
        )
        return np.where(numbers(orders, f"{whose}_earlier_orders") >= limits.min_history, z, np.nan)

    return score("customer"), score("store")


def rule_findings(orders: pd.DataFrame, products: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """Find the anomalies that have a name.

    - price_error: before discounts, a product costs far more or less than usual, and than all but
      2 % of its latest sales; only if it has a price, from which half of these differ by at most a
      tenth;
    - bulk_purchase: far more of a product than sales of it usually hold, and at least three times
      what the customer usually takes;
    - coupon_abuse: the coupons of the customer's week, and their share of the order, are together
      far beyond those of other orders with coupons, and at least three times the customer's usual;
    - unusual_amount: the amount is, for customer and store together, far above what is usual; for
      the store alone where the customer has too few earlier orders.

    Args:
        orders: As for `find_anomalies`.
        products: As for `find_anomalies`.
        limits: What is far, and what is too little to matter.

    Returns:
        At most one row per order and type, the one with the highest score: `order_id`,
        `anomaly_type`, `score` (|z| over the threshold, at least 1), `measure` (the column that
        deviates), `product_id` (null where it is none), `observed_value`, `typical_value` and
        `amount_at_stake` (currency).
    """
    found = pd.concat(
        [
            _price_errors(products, limits),
            _bulk_purchases(products, limits),
            _coupon_abuse(orders, limits),
            _unusual_amounts(orders, limits),
        ],
        ignore_index=True,
    )
    return found.sort_values(
        ["order_id", "anomaly_type", "score", "product_id"], ascending=[True, True, False, True]
    ).drop_duplicates(["order_id", "anomaly_type"], ignore_index=True)


class MixForest:
    """An isolation forest over what orders are made of.

    Liu, Ting and Zhou, "Isolation forest", 2008: what a random tree cuts off after few splits is
    rare. Counts and money enter as logarithms. What is judged may be what was learned from: a few
    odd orders among many hardly change the forest.
    """

    def __init__(self, orders: pd.DataFrame, *, seed: int) -> None:
        """Learn from orders, of which there must be at least one."""
        features = _mix(orders)
        keys = orders[["ordered_at", "order_id"]].reset_index(drop=True)
        in_time = keys.sort_values(["ordered_at", "order_id"]).index.to_numpy()
        step = -(-len(features) // _MAX_FIT_ORDERS)
        self._middle: FloatArray = np.median(features, axis=0)
        self._forest = IsolationForest(n_estimators=_N_TREES, random_state=seed, n_jobs=1)
        with threadpool_limits(limits=1):
            self._forest.fit(features[in_time[::step]])

    def score(self, orders: pd.DataFrame) -> FloatArray:
        """Anomaly scores of orders, 0 to 1, near 1 for the rarest; shape (n_orders,)."""
        return self._score(_mix(orders))

    def reasons(self, orders: pd.DataFrame) -> pd.DataFrame:
        """Which single feature makes each order rare: the one whose middle value calms it most.

        Returns:
            One row per order: `measure`, `observed_value` and `typical_value`, the middle of the
            orders learned from.
        """
        features = _mix(orders)
        calmed = np.empty(features.shape)
        for feature in range(features.shape[1]):
            changed = features.copy()
            changed[:, feature] = self._middle[feature]
            calmed[:, feature] = self._score(changed)
        chosen = calmed.argmin(axis=1)
        observed = _from_log(features)[np.arange(len(features)), chosen]
        typical = _from_log(self._middle[np.newaxis])[0, chosen]
        return pd.DataFrame(
            {
                "measure": np.asarray(MIX_FEATURES, dtype=object)[chosen],
                "observed_value": observed,
                "typical_value": typical,
            }
        )

    def _score(self, features: FloatArray) -> FloatArray:
        with threadpool_limits(limits=1):
            return np.asarray(-self._forest.score_samples(features), dtype=np.float64).round(
                _DIGITS
            )


def find_anomalies(
    orders: pd.DataFrame, products: pd.DataFrame, limits: Limits, *, seed: int = 0
) -> pd.DataFrame:
    """Find the orders that are unlike what is usual.

    Args:
        orders: One row per `order_id` (text), with `ORDER_COLUMNS`; null where there is nothing to
            compare with.
        products: One row per `order_id` and `product_id` (text), with `PRODUCT_COLUMNS`; only
            products that may be anomalous need be there.
        limits: From where on an order is anomalous.
        seed: Seed of the isolation forest.

    Returns:
        One row per anomalous order, sorted by `order_id`: what `rule_findings` says of the type
        with the highest score (ties by `ANOMALY_TYPES`), `other_anomaly_types` (comma-separated,
        the highest score first; null for none), `customer_z` and `store_z` (of the amount; null
        where there are too few earlier orders) and `isolation_score` (0 to 1). The score of an
        unusual_order is its isolation score over the highest of an order that is not one.

    Raises:
        ValueError: A column is missing or not numeric, an id is null, or a row is double.
    """
    _check(orders, ["order_id"], ORDER_COLUMNS)
    _check(products, ["order_id", "product_id"], PRODUCT_COLUMNS)
    for column in ("order_lines", "units", "amount_paid", "order_hour"):
        check_finite(orders, column)
    if orders.empty:
        return _typed(pd.DataFrame(), _ANOMALY_TYPES)
    forest = MixForest(orders, seed=seed)
    isolation = forest.score(orders)
    findings = pd.concat(
        [
            rule_findings(orders, products, limits),
            _unusual_orders(orders, forest, isolation, limits),
        ],
        ignore_index=True,
    )
    customer_z, store_z = amount_scores(orders, limits)
    scores = pd.DataFrame(
        {
            "order_id": orders["order_id"],
            "customer_z": customer_z.round(_DIGITS),
            "store_z": store_z.round(_DIGITS),
            "isolation_score": isolation,
        }
    )
    return _typed(_one_row_per_order(findings).merge(scores, on="order_id"), _ANOMALY_TYPES)


def _price_errors(products: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    price = numbers(products, "unit_price")
    usual = numbers(products, "usual_unit_price")
    quantity = numbers(products, "quantity")
    z = robust_z(price, usual, numbers(products, "price_spread"), floor=_PRICE_FLOOR)
    return _findings(
        products,
        "price_error",
        measure="unit_price",
        z=np.abs(z),
        usual=usual,
        at_stake=np.abs(price - usual) * quantity,
        is_eligible=(numbers(products, "earlier_priced_sales") >= limits.min_history)
        & (numbers(products, "usual_price_deviation") <= _PRICE_AGREEMENT),
        limits=limits,
    )


def _bulk_purchases(products: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    quantity = numbers(products, "quantity")
    usual = numbers(products, "usual_quantity")
    z = robust_z(quantity, usual, numbers(products, "quantity_spread"), floor=_QUANTITY_FLOOR)
    # More than usual, at what one of it costs in this order.
    at_stake = numbers(products, "list_amount") * (1 - usual / quantity)
    return _findings(
        products,
        "bulk_purchase",
        measure="quantity",
        z=z,
        usual=usual,
        at_stake=at_stake,
        is_eligible=(numbers(products, "earlier_sales") >= limits.min_history)
        & ~_is_habit(quantity, numbers(products, "customer_usual_quantity")),
        limits=limits,
    )


def _coupon_abuse(orders: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    amount = numbers(orders, "coupon_amount_7d")
    usual = numbers(orders, "usual_coupon_amount_7d")
    amount_z = robust_z(amount, usual, numbers(orders, "coupon_amount_spread"), floor=_AMOUNT_FLOOR)
    share_z = robust_z(
        numbers(orders, "coupon_share"),
        numbers(orders, "usual_coupon_share"),
        numbers(orders, "coupon_share_spread"),
        floor=_AMOUNT_FLOOR,
    )
    return _findings(
        orders,
        "coupon_abuse",
        measure="coupon_amount_7d",
        z=combined_z(amount_z, share_z),
        usual=usual,
        at_stake=amount,
        is_eligible=(numbers(orders, "earlier_coupon_orders") >= limits.min_history)
        & ~_is_habit(amount, numbers(orders, "customer_usual_coupon_amount_7d")),
        limits=limits,
    )


def _unusual_amounts(orders: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    customer_z, store_z = amount_scores(orders, limits)
    usual = np.where(
        np.isnan(customer_z),
        numbers(orders, "store_usual_amount"),
        numbers(orders, "customer_usual_amount"),
    )
    return _findings(
        orders,
        "unusual_amount",
        measure="amount_paid",
        z=combined_z(customer_z, store_z),
        usual=usual,
        at_stake=numbers(orders, "amount_paid") - usual,
        is_eligible=np.ones(len(orders), dtype=bool),
        limits=limits,
    )


def _unusual_orders(
    orders: pd.DataFrame, forest: MixForest, isolation: FloatArray, limits: Limits
) -> pd.DataFrame:
    """The rarest mixes, no more of them than the contamination allows."""
    is_eligible = numbers(orders, "amount_paid") >= limits.min_amount
    rarest_first = np.sort(isolation[is_eligible])[::-1]
    # Orders as rare as the first that is left out are left out too.
    n_allowed = int(limits.contamination * len(orders))
    bar = rarest_first[n_allowed] if n_allowed < len(rarest_first) else np.inf
    is_rare = is_eligible & (isolation > bar)
    rare = orders[is_rare].reset_index(drop=True)
    if rare.empty:
        return _typed(pd.DataFrame(), _FINDING_TYPES)
    found = forest.reasons(rare).assign(
        order_id=rare["order_id"],
        anomaly_type="unusual_order",
        score=isolation[is_rare] / bar,
        product_id=None,
        amount_at_stake=rare["amount_paid"],
    )
    return _typed(found, _FINDING_TYPES)


def _findings(
    frame: pd.DataFrame,
    anomaly_type: str,
    *,
    measure: str,
    z: FloatArray,
    usual: FloatArray,
    at_stake: FloatArray,
    is_eligible: BoolArray,
    limits: Limits,
) -> pd.DataFrame:
    """The rows beyond the threshold with enough at stake; comparisons with NaN are false."""
    score = z.round(_DIGITS) / limits.threshold
    is_found = is_eligible & (score >= 1) & (at_stake.round(2) >= limits.min_amount)
    found = frame.loc[is_found]
    return _typed(
        pd.DataFrame(
            {
                "order_id": found["order_id"],
                "anomaly_type": anomaly_type,
                "score": score[is_found],
                "measure": measure,
                "product_id": found.get("product_id"),
                "observed_value": found[measure],
                "typical_value": usual[is_found],
                "amount_at_stake": at_stake[is_found],
            }
        ),
        _FINDING_TYPES,
    )


def _is_habit(observed: FloatArray, own_usual: FloatArray) -> BoolArray:
    """Whether the customer usually does about as much; not, where nothing is known of that."""
    return np.asarray(observed < _HABIT * own_usual, dtype=bool)


def _one_row_per_order(findings: pd.DataFrame) -> pd.DataFrame:
    """Keep the finding with the highest score, and name the others."""
    priority = findings["anomaly_type"].map({name: n for n, name in enumerate(ANOMALY_TYPES)})
    ranked = findings.assign(priority=priority).sort_values(
        ["order_id", "score", "priority"], ascending=[True, False, True], ignore_index=True
    )
    is_first = ~ranked.duplicated("order_id")
    others = ranked[~is_first].groupby("order_id")["anomaly_type"].agg(",".join)
    first = ranked[is_first].drop(columns="priority")
    return first.assign(other_anomaly_types=first["order_id"].map(others))


def _mix(orders: pd.DataFrame) -> FloatArray:
    """The features of `MIX_FEATURES`, shape (n_orders, n_features)."""
    amount = np.maximum(numbers(orders, "amount_paid"), 0)
    units = np.maximum(numbers(orders, "units"), 0)
    return np.column_stack(
        [
            np.log1p(amount),
            np.log1p(numbers(orders, "order_lines")),
            np.log1p(units),
            np.log1p(amount / np.maximum(units, 1)),
            np.nan_to_num(numbers(orders, "discount_share")),
            numbers(orders, "order_hour"),
        ]
    )


def _from_log(features: FloatArray) -> FloatArray:
    """Undo the logarithms of `_mix`."""
    is_log = np.isin(MIX_FEATURES, ("amount_paid", "order_lines", "units", "piece_price"))
    return np.where(is_log, np.expm1(np.where(is_log, features, 0)), features)


def numbers(frame: pd.DataFrame, column: str) -> FloatArray:
    """A column as floats, NaN where it is null; shape (n_rows,)."""
    return frame[column].to_numpy(np.float64, na_value=np.nan)


def _check(frame: pd.DataFrame, keys: Sequence[str], columns: Sequence[str]) -> None:
    check_columns(frame, columns)
    check_ids(frame, keys)
    check_unique(frame, keys)


def _typed(frame: pd.DataFrame, types: dict[str, str]) -> pd.DataFrame:
    """Give a frame, even an empty one, its columns, their types, and numbers their digits."""
    return frame.reindex(columns=list(types)).astype(types).round(_DIGITS).reset_index(drop=True)
