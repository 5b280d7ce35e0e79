"""What is predicted of a customer, and the models that compete for it, from simple to elaborate."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from personalization.interactions import FloatArray
from personalization.predictions import next_orders, propensity, spending
from personalization.predictions.propensity import Predictor, Rung

Fit = Callable[[pd.DataFrame, FloatArray, pd.DataFrame], Predictor]
"""Fits to features and outcomes of past cutoffs, and to the customers of today."""


@dataclass(frozen=True)
class Candidate:
    """A model that may be chosen.

    Attributes:
        name: As tables name it.
        fit: Learns from features and outcomes of past cutoffs, and from the customers that are
            to be predicted, of whom no outcome is known.
        learns: Whether it looks at past outcomes; a rule does not and needs none.
        features: The columns of `rhythm_features` that it looks at; None for all.
        settings: Its parameters in one line.
    """

    name: str
    fit: Fit
    learns: bool = True
    features: Sequence[str] | None = None
    settings: str = ""


@dataclass(frozen=True)
class Target:
    """Something that is predicted of each customer at a cutoff.

    Attributes:
        name: As tables name it.
        outcome: The column of `int_customer_outcomes_observed` with what came true.
        days: From the cutoff until the outcome is known.
        candidates: From simple to elaborate; the first is the baseline.
        is_probability: Whether it is a probability and not an amount.
        lowest: What it cannot fall below.
        highest: What it cannot exceed.
    """

    name: str
    outcome: str
    days: int
    candidates: tuple[Candidate, ...]
    is_probability: bool = False
    lowest: float = 0.0
    highest: float = np.inf

    def losses(self, predicted: FloatArray, actual: FloatArray) -> FloatArray:
        """What each prediction costs: nats for a probability, else the absolute error."""
        if self.is_probability:
            return propensity.log_loss_by_row(predicted, actual > 0)
        loss: FloatArray = np.abs(predicted - actual)
        return loss


def _classifier(rung: Rung) -> Candidate:
    def fit(features: pd.DataFrame, outcome: FloatArray, _: pd.DataFrame) -> Predictor:
        return rung.fit(features, outcome > 0)

    return Candidate(rung.name, fit, features=rung.columns, settings=_in_one_line(rung.make()))


def _rule(name: str, predictor: Predictor, features: Sequence[str]) -> Candidate:
    return Candidate(
        name, lambda _features, _outcome, _today: predictor, learns=False, features=features
    )


def _spend_candidates(days: int) -> tuple[Candidate, ...]:
    recent, always = ("amount_84d",), ("tenure_days", "amount_paid")
    return (
        _rule("last_12_weeks", spending.last_12_weeks(days), recent),
        _rule("lifetime_rate", spending.lifetime_rate(days), always),
        _rule("blend", spending.blend(days), (*recent, *always)),
        Candidate(
            "bg_nbd_gamma_gamma",
            lambda _features, _outcome, today: spending.bg_nbd_gamma_gamma(today, days),
            learns=False,
            features=("recency_days", "tenure_days", "order_days", "amount_paid"),
            settings="maximum likelihood, on the customers of the cutoff themselves",
        ),
    )


def _boosted_spend(days: int) -> Candidate:
    def fit(features: pd.DataFrame, outcome: FloatArray, _: pd.DataFrame) -> Predictor:
        return spending.gradient_boosting(features, outcome, days)

    return Candidate("gradient_boosting", fit, settings=_in_one_line(spending.median_trees()))


def _in_one_line(model: object) -> str:
    return " ".join(repr(model).split())


# Forests and support vectors stand beside purchases only: they cost most of the time.
_LIGHT: Final = ("recency_rule", "rfm_logistic", "logistic", "gradient_boosting")


def targets(*, churn_days: int = 56, lifetime_days: int = 182) -> tuple[Target, ...]:
    """Everything that is predicted.

    Args:
        churn_days: Days without an order that make a customer lost.
        lifetime_days: Days whose spend judges the models of the lifetime value.

    Returns:
        The targets, each with its ladder.

    Raises:
        ValueError: A number of days is below 1.
    """
    if min(churn_days, lifetime_days) < 1:
        raise ValueError("churn_days and lifetime_days must be at least 1")
    rungs = {rung.name: rung for rung in propensity.LADDER}
    return (
        Target(
            "purchase_28d",
            "has_ordered_28d",
            28,
            tuple(_classifier(rung) for rung in propensity.LADDER),
            is_probability=True,
        ),
        Target(
            "churn",
            "has_churned",
            churn_days,
            tuple(_classifier(rungs[name]) for name in _LIGHT),
            is_probability=True,
        ),
        Target("spend_28d", "spend_28d", 28, (*_spend_candidates(28), _boosted_spend(28))),
        Target("spend_91d", "spend_91d", 91, (*_spend_candidates(91), _boosted_spend(91))),
        Target("lifetime_value", "spend_lifetime", lifetime_days, _spend_candidates(lifetime_days)),
        Target(
            "next_order",
            "days_until_next_order",
            next_orders.LONGEST_DAYS,
            (
                _rule("usual_gap", next_orders.usual_gap, ("median_gap_days",)),
                Candidate(
                    "gradient_boosting",
                    lambda features, outcome, _: next_orders.gradient_boosting(features, outcome),
                    settings=_in_one_line(spending.median_trees()),
                ),
            ),
            lowest=1.0,
            highest=next_orders.LONGEST_DAYS,
        ),
    )
