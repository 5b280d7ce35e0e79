"""How much a customer will spend: rates, a model of customers' lifetimes, and boosted trees.

Every model looks at `rhythm_features` and tells the spend of the coming days, in currency.
"""

from typing import Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from personalization.interactions import FloatArray
from personalization.predictions.lifetimes import BgNbd, GammaGamma, PurchaseHistory
from personalization.predictions.propensity import Predictor, on_log_scale

# A rate over less time than this says little.
_SHORTEST_TENURE_DAYS: Final = 28
# Errors grow with the square root of what is spent; this much of it is noise for everyone.
_NOISE: Final = 20.0


def last_12_weeks(days: int) -> Predictor:
    """Spend goes on as in the last 84 days: the rule to beat."""
    return lambda features: features["amount_84d"].to_numpy(np.float64) * (days / 84)


def lifetime_rate(days: int) -> Predictor:
    """Spend goes on as on average since the first order, taken as 28 days ago at least."""

    def predict(features: pd.DataFrame) -> FloatArray:
        tenure = np.maximum(features["tenure_days"].to_numpy(np.float64), _SHORTEST_TENURE_DAYS)
        rate: FloatArray = features["amount_paid"].to_numpy(np.float64) / tenure
        return rate * days

    return predict


def blend(days: int) -> Predictor:
    """The mean of `last_12_weeks` and `lifetime_rate`."""
    recent, always = last_12_weeks(days), lifetime_rate(days)

    def predict(features: pd.DataFrame) -> FloatArray:
        mean: FloatArray = (recent(features) + always(features)) / 2
        return mean

    return predict


def bg_nbd_gamma_gamma(today: pd.DataFrame, days: int) -> Predictor:
    """Expected orders by BG/NBD times the expected amount of an order by Gamma-Gamma.

    Args:
        today: `rhythm_features` of the customers it is fitted to; days with orders are orders.
        days: Length of the period.

    Returns:
        The predictor. Where nobody spent anything, it says 0.

    Raises:
        NotFittedError: A model cannot be learned from so few or so equal customers.
    """
    order_days, amount = _amounts(today)
    if not (amount > 0).any():
        return lambda features: np.zeros(len(features))
    orders_model = BgNbd.fit(_history(today))
    paid = amount > 0
    amount_model = GammaGamma.fit(order_days[paid], amount[paid])

    def predict(features: pd.DataFrame) -> FloatArray:
        number, mean = _amounts(features)
        expected_orders = orders_model.expected_orders(_history(features), days / 7)
        expected_amount = amount_model.expected_amount(np.where(mean > 0, number, 0), mean)
        spend: FloatArray = expected_orders * expected_amount
        return spend

    return predict


def median_trees() -> HistGradientBoostingRegressor:
    """Small boosted trees for the median, which a few customers who spend a lot do not move."""
    return HistGradientBoostingRegressor(
        loss="absolute_error",
        max_iter=200,
        learning_rate=0.05,
        max_leaf_nodes=8,
        min_samples_leaf=60,
        l2_regularization=20.0,
        max_features=0.3,
        early_stopping=False,
        random_state=0,
    )


def gradient_boosting(features: pd.DataFrame, spend: FloatArray, days: int) -> Predictor:
    """Boosted trees that correct `blend`.

    They learn the error of the blend over the square root of what it expects, so that large
    customers do not drown small ones, and minimize the absolute error: the prediction is the
    middle of what is likely, which is below the mean where few customers spend a lot.

    Args:
        features: `rhythm_features` of customers at past cutoffs.
        spend: Shape (n_rows,), what they spent in the days after.
        days: Length of the period.

    Returns:
        The predictor.
    """
    expect = blend(days)

    def described(rows: pd.DataFrame) -> FloatArray:
        return np.column_stack([on_log_scale(rows), np.log1p(expect(rows))])

    def scale(rows: pd.DataFrame) -> FloatArray:
        root: FloatArray = np.sqrt(expect(rows) + _NOISE)
        return root

    model = median_trees()
    with threadpool_limits(limits=1):
        model.fit(described(features), (spend - expect(features)) / scale(features))

    def predict(rows: pd.DataFrame) -> FloatArray:
        with threadpool_limits(limits=1):
            correction = model.predict(described(rows)) * scale(rows)
        spend: FloatArray = np.maximum(expect(rows) + correction, 0.0)
        return spend

    return predict


def _history(features: pd.DataFrame) -> PurchaseHistory:
    """Days with orders as BG/NBD sees them, in weeks."""
    order_days = features["order_days"].to_numpy(np.float64)
    tenure = features["tenure_days"].to_numpy(np.float64)
    repeats = np.maximum(order_days - 1, 0)
    # A customer of one day has no time between first and last order, whatever the rest says.
    between = np.maximum(tenure - features["recency_days"].to_numpy(np.float64), 0)
    repeats = np.where(between > 0, repeats, 0)
    between = np.where(repeats > 0, between, 0)
    return PurchaseHistory(repeats, between / 7, np.maximum(tenure, between) / 7)


def _amounts(features: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Number of days with orders, and their mean amount."""
    order_days = features["order_days"].to_numpy(np.float64)
    return order_days, features["amount_paid"].to_numpy(np.float64) / np.maximum(order_days, 1)
