"""How likely a customer is to do something in a coming period: a ladder from a rule to trees.

A classifier learns from customers at past cutoffs whose period is over, and is asked about the
customers of a later one. The ladder goes from simple to elaborate; `choose` takes the simplest that
is no worse than the best by more than chance.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from personalization.interactions import BoolArray, FloatArray, IntArray, check_columns
from personalization.predictions.lifetimes import NotFittedError

Predictor: TypeAlias = Callable[[pd.DataFrame], FloatArray]
"""Gives each row of features a probability, shape (n_rows,)."""

# Probabilities are kept this far from 0 and 1, so that one surprise does not cost without limit.
_LEAST: Final = 1e-4
# What a customer without any gap between orders gets in its place, on the scale of logarithms.
_NO_GAP: Final = 7.0
# What support vectors and forests learn from: ten times the customers cost them 15 to 25 times as
# much.
_MOST_ROWS: Final = 20_000
_RFM: Final = ("recency_days", "orders_364d", "amount_364d")


@dataclass(frozen=True)
class Rung:
    """A step of the ladder.

    Attributes:
        name: As tables name it.
        make: Makes the scikit-learn classifier anew.
        columns: The features it looks at; None for all.
        least: How many rows it needs of those where it happened, and of those where it did not.
        most: How many rows it learns from at most, evenly spread, where its cost grows faster
            than they do; None for all.
    """

    name: str
    make: Callable[[], Any]
    columns: Sequence[str] | None = None
    least: int = 1
    most: int | None = None

    def fit(self, features: pd.DataFrame, happened: BoolArray) -> Predictor:
        """Learn from past cutoffs.

        Args:
            features: One row per customer and cutoff, as of `rhythm_features`.
            happened: Shape (n_rows,), whether it happened in the period after.

        Returns:
            The predictor. Where it always or never happened, it says just that.

        Raises:
            ValueError: There are no rows, or a column is missing.
            NotFittedError: It happened, or did not, too rarely to learn from.
        """
        if len(features) == 0:
            raise ValueError("there are no rows to learn from")
        columns = list(self.columns or features.columns)
        check_columns(features, columns)
        if self.most is not None:
            rows = evenly_spread(len(features), self.most)
            features, happened = features.iloc[rows], happened[rows]
        share = float(np.mean(happened))
        if share in (0.0, 1.0):
            return lambda rows: _within(np.full(len(rows), share))
        rarer = int(min(np.sum(happened), np.sum(~happened)))
        if rarer < self.least:
            raise NotFittedError(f"the rarer outcome needs {self.least} rows, not {rarer}")
        with threadpool_limits(limits=1):
            model = self.make().fit(on_log_scale(features[columns]), happened)

        def predict(rows: pd.DataFrame) -> FloatArray:
            if len(rows) == 0:
                return np.empty(0)
            with threadpool_limits(limits=1):
                probability = model.predict_proba(on_log_scale(rows[columns]))[:, 1]
            return _within(probability)

        return predict


class RecencyRule:
    """The rule to beat: who ordered as lately as this came again that often.

    The share of customers for whom it happened, by the time since their last order, made monotone
    by isotonic regression, up or down as the data say.
    """

    def fit(self, features: NDArray[np.float64], happened: BoolArray) -> "RecencyRule":
        """Learn the shares from one column of features."""
        days = features[:, 0]
        later = days[happened].mean() > days[~happened].mean()
        self._model = IsotonicRegression(increasing=bool(later), out_of_bounds="clip")
        self._model.fit(days, happened.astype(np.float64))
        return self

    def __repr__(self) -> str:
        """As other scikit-learn models show themselves."""
        return "RecencyRule()"

    def predict_proba(self, features: NDArray[np.float64]) -> FloatArray:
        """Probabilities of not happening and of happening, shape (n_rows, 2)."""
        happens = self._model.predict(features[:, 0])
        return np.column_stack([1 - happens, happens])


def _logistic(strength: float) -> Any:
    return make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=500))


LADDER: Final = (
    Rung("recency_rule", RecencyRule, ("recency_days",)),
    Rung("rfm_logistic", lambda: _logistic(1.0), _RFM),
    Rung("logistic", lambda: _logistic(0.01)),
    Rung(
        "svm",
        lambda: make_pipeline(
            StandardScaler(),
            CalibratedClassifierCV(LinearSVC(C=0.001, random_state=0), method="sigmoid", cv=3),
        ),
        least=3,
        most=_MOST_ROWS,
    ),
    Rung(
        "gradient_boosting",
        lambda: HistGradientBoostingClassifier(
            max_iter=200,
            learning_rate=0.03,
            max_leaf_nodes=8,
            min_samples_leaf=100,
            l2_regularization=20.0,
            max_features=0.3,
            early_stopping=False,
            random_state=0,
        ),
    ),
    Rung(
        "random_forest",
        lambda: RandomForestClassifier(
            50, min_samples_leaf=60, max_features=0.2, max_samples=0.25, random_state=0
        ),
        most=_MOST_ROWS,
    ),
)
"""From simple to elaborate, by the numbers they learn. The first is the baseline."""


def log_loss_by_row(probability: FloatArray, happened: BoolArray) -> FloatArray:
    """The logarithmic loss of each prediction, in nats, shape (n_rows,)."""
    within = _within(probability)
    loss: FloatArray = -np.log(np.where(happened, within, 1 - within))
    return loss


def choose(losses: Mapping[str, FloatArray]) -> str:
    """Choose the simplest model whose loss is within one standard error of the best.

    Args:
        losses: By model, from simple to elaborate, the loss on each row of cutoffs that none of
            them learned from; the same rows everywhere.

    Returns:
        The name of the chosen one. The standard error is that of the mean difference to the best
        on the same rows (the rule of Breiman et al., "Classification and Regression Trees", 1984).

    Raises:
        ValueError: There is nothing to choose from.
    """
    if not losses or any(len(loss) == 0 for loss in losses.values()):
        raise ValueError("there are no losses to choose by")
    best = min(losses, key=lambda name: float(np.mean(losses[name])))
    for name, loss in losses.items():
        excess = loss - losses[best]
        if excess.mean() <= excess.std() / np.sqrt(len(excess)):
            return name
    return best


def evenly_spread(n_rows: int, most: int) -> IntArray:
    """Places of at most so many rows, ascending and evenly spread over all of them."""
    if n_rows <= most:
        return np.arange(n_rows)
    return np.linspace(0, n_rows - 1, most).astype(np.int64)


def on_log_scale(features: pd.DataFrame) -> NDArray[np.float64]:
    """Logarithms of 1 + what was counted; without a gap between orders a very long one.

    Args:
        features: `rhythm_features`.

    Returns:
        Shape (n_rows, n_features), without nulls.
    """
    values = np.log1p(features.to_numpy(np.float64))
    return np.where(np.isnan(values), _NO_GAP, values)


def _within(probability: FloatArray) -> FloatArray:
    return np.asarray(np.clip(probability, _LEAST, 1 - _LEAST), dtype=np.float64)
