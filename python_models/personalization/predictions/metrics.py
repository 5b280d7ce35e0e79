"""How good predictions are: by order, by size and by promise, and how sure one can be of it.

Every metric takes weights of the customers, one row per resample, and gives one value per row: the
bootstrap of Efron ("Bootstrap methods: another look at the jackknife", 1979) without copying a
customer. With weights of 1 they are the metrics of scikit-learn.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from personalization.interactions import FloatArray, check_at_least
from personalization.metrics import Interval, interval_of
from personalization.predictions.propensity import log_loss_by_row

Weights: TypeAlias = NDArray[np.int16]
"""How often each resample draws each customer, shape (1 + replicates, n_customers)."""

TOP_SHARE: Final = 0.1
"""The share of customers that `top_decile_lift` looks at."""

_BINS: Final = 10
# Weights held as floats at once, which bounds memory.
_BLOCK_WEIGHTS: Final = 2**21


@dataclass(frozen=True, eq=False)
class Sample:
    """Predictions for customers, what came of them, and how much each customer counts.

    Attributes:
        predicted: Probability, amount or days; shape (n_customers,), as all but the weights.
        actual: What happened: 0 or 1, amount or days.
        lower: Lower end of the interval that was predicted; NaN where there is none.
        upper: Its upper end.
        baseline: What the baseline predicted for the same customers; NaN where there is none.
        weights: Not negative; shape (n_rows, n_customers), a row for each time of judging.
    """

    predicted: FloatArray
    actual: FloatArray
    lower: FloatArray
    upper: FloatArray
    baseline: FloatArray
    weights: FloatArray | Weights

    @cached_property
    def by_score(self) -> tuple[FloatArray, FloatArray]:
        """Weights of who did it and of all by score, highest first; each (n_rows, n_scores)."""
        order = np.argsort(-self.predicted, kind="stable")
        starts = np.flatnonzero(np.diff(self.predicted[order], prepend=np.nan) != 0)
        if len(starts) == 0:
            return (np.zeros((len(self.weights), 0)),) * 2
        total = self.weights[:, order]
        positive = total * self.actual[order]
        return np.add.reduceat(positive, starts, axis=1), np.add.reduceat(total, starts, axis=1)

    def sum(self, values: FloatArray) -> FloatArray:
        """Weighted sums, shape (n_rows,).

        Not by matrix product, whose threads change the last digit.
        """
        sums: FloatArray = (self.weights * values).sum(axis=1)
        return sums

    def mean(self, values: FloatArray) -> FloatArray:
        """Weighted means, shape (n_rows,); NaN without customers."""
        return _divide(self.sum(values), self.weights.sum(axis=1))


Compute: TypeAlias = Callable[[Sample], FloatArray]
"""A metric: one value per row of weights, shape (n_rows,)."""


def auc(sample: Sample) -> FloatArray:
    """Area under the ROC curve: how often who did it was rated above who did not, ties half.

    (Hanley and McNeil, "The meaning and use of the area under a receiver operating characteristic
    curve", 1982.) NaN where all or none did it.
    """
    positive, total = sample.by_score
    negative = total - positive
    negative_below = negative[:, ::-1].cumsum(axis=1)[:, ::-1] - negative / 2
    concordant = (positive * negative_below).sum(axis=1)
    return _divide(concordant, positive.sum(axis=1) * negative.sum(axis=1))


def average_precision(sample: Sample) -> FloatArray:
    """Area under the curve of precision over recall: Σ (R(n) - R(n-1)) P(n) over thresholds n.

    NaN where nobody did it.
    """
    positive, total = sample.by_score
    # Before the first customer with a weight there is no precision, and no recall to multiply it.
    precision = positive.cumsum(axis=1) / np.maximum(total.cumsum(axis=1), 1)
    return _divide((positive * precision).sum(axis=1), positive.sum(axis=1))


def top_decile_lift(sample: Sample) -> FloatArray:
    """How much more often it happened among the tenth of customers rated highest than among all.

    Of customers rated alike at the edge of the tenth, each counts with the same part. NaN where it
    happened to nobody.
    """
    positive, total = sample.by_score
    n = total.sum(axis=1, keepdims=True)
    in_top = np.clip(TOP_SHARE * n - (total.cumsum(axis=1) - total), 0, total)
    captured = (positive * in_top / np.maximum(total, 1)).sum(axis=1)
    return _divide(captured, TOP_SHARE * positive.sum(axis=1))


def brier(sample: Sample) -> FloatArray:
    """Mean squared distance of the probability from what happened (Brier, 1950)."""
    return sample.mean((sample.predicted - sample.actual) ** 2)


def log_loss(sample: Sample) -> FloatArray:
    """Mean logarithmic loss, in nats; see `log_loss_by_row`."""
    return sample.mean(log_loss_by_row(sample.predicted, sample.actual == 1))


def calibration_error(sample: Sample) -> FloatArray:
    """Expected calibration error: mean distance of predicted from actual over ten equal bins.

    (Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian
    binning", 2015, with bins of equal numbers of customers.) Ties stay in the order of the
    customers; every resample uses the same bins. NaN without customers.
    """
    order = np.argsort(sample.predicted, kind="stable")
    bins = np.array_split(order, min(_BINS, len(order))) if len(order) else []
    gap = sample.predicted - sample.actual
    distances = np.zeros(len(sample.weights))
    for rows in bins:
        distances += np.abs((sample.weights[:, rows] * gap[rows]).sum(axis=1))
    return _divide(distances, sample.weights.sum(axis=1))


def mae(sample: Sample) -> FloatArray:
    """Mean absolute error."""
    return sample.mean(np.abs(sample.predicted - sample.actual))


def rmse(sample: Sample) -> FloatArray:
    """Root of the mean squared error."""
    root: FloatArray = np.sqrt(sample.mean((sample.predicted - sample.actual) ** 2))
    return root


def relative_mae(sample: Sample) -> FloatArray:
    """Mean absolute error over that of the baseline for the same customers and days.

    The scaled error of Hyndman and Koehler ("Another look at measures of forecast accuracy",
    2006) with the baseline as the naive forecast, taken on what was predicted instead of on what
    was learned from. Below 1 is better than the baseline; NaN where the baseline makes no error.
    """
    naive = sample.sum(np.abs(sample.baseline - sample.actual))
    return _divide(sample.sum(np.abs(sample.predicted - sample.actual)), naive)


def wape(sample: Sample) -> FloatArray:
    """Sum of absolute errors over the sum of what was; NaN where that is 0."""
    error = sample.sum(np.abs(sample.predicted - sample.actual))
    return _divide(error, sample.sum(np.abs(sample.actual)))


def bias(sample: Sample) -> FloatArray:
    """Mean of predicted less actual: above 0, too much is predicted."""
    return sample.mean(sample.predicted - sample.actual)


def interval_coverage(sample: Sample) -> FloatArray:
    """Share of customers whose actual value lies in the interval predicted, its ends included.

    NaN where a customer has no interval.
    """
    inside = (sample.lower <= sample.actual) & (sample.actual <= sample.upper)
    has_interval = np.isfinite(sample.upper - sample.lower)
    return sample.mean(np.where(has_interval, inside, np.nan))


def interval_width(sample: Sample) -> FloatArray:
    """Mean width of the intervals predicted; NaN where a customer has none."""
    return sample.mean(sample.upper - sample.lower)


@dataclass(frozen=True)
class Metric:
    """A metric and how to read it.

    Attributes:
        name: As tables name it.
        compute: What it is.
        better: Which values are better; None where neither end is.
        undefined: Why it may have no value.
        is_inflated: Whether noise alone raises it, so that resamples lie above the value.
    """

    name: str
    compute: Compute
    better: Literal["higher", "lower"] | None
    undefined: str = "no customers"
    is_inflated: bool = False


PROBABILITY_METRICS: Final = (
    Metric("auc", auc, "higher", "one outcome only"),
    Metric("average_precision", average_precision, "higher", "one outcome only"),
    Metric("top_decile_lift", top_decile_lift, "higher", "one outcome only"),
    Metric("brier", brier, "lower"),
    Metric("log_loss", log_loss, "lower"),
    Metric("calibration_error", calibration_error, "lower", is_inflated=True),
    Metric("bias", bias, None),
)
"""What probabilities are judged by."""

AMOUNT_METRICS: Final = (
    Metric("mae", mae, "lower"),
    Metric("rmse", rmse, "lower"),
    Metric("relative_mae", relative_mae, "lower", "no error of the baseline to compare with"),
    Metric("wape", wape, "lower", "nothing to divide by"),
    Metric("bias", bias, None),
    Metric("interval_coverage", interval_coverage, None, "no interval predicted"),
    Metric("interval_width", interval_width, None, "no interval predicted"),
)
"""What amounts and numbers of days are judged by."""


def resample_weights(n_customers: int, *, replicates: int = 200, seed: int = 0) -> Weights:
    """Draw customers with replacement, as many as there are, again and again.

    Args:
        n_customers: How many there are.
        replicates: Number of resamples.
        seed: Of the draws.

    Returns:
        How often each is drawn; the first row is all ones, the sample itself.

    Raises:
        ValueError: replicates is below 1.
    """
    check_at_least("replicates", replicates, 1)
    rng = np.random.default_rng(seed)
    weights: Weights = np.ones((1 + replicates, n_customers), dtype=np.int16)
    for row in range(1, len(weights)):
        draws = rng.integers(max(1, n_customers), size=n_customers)
        weights[row] = np.bincount(draws, minlength=n_customers)
    return weights


def draw(metrics: Sequence[Metric], sample: Sample) -> FloatArray:
    """Compute metrics of customers and of their resamples.

    Args:
        metrics: What to compute.
        sample: Of the customers, with the weights that `resample_weights` returns.

    Returns:
        Shape (1 + replicates, n_metrics), NaN where a metric is not defined. The same on any
        number of threads.
    """
    n_rows = max(1, _BLOCK_WEIGHTS // max(1, len(sample.actual)))
    blocks = []
    for start in range(0, len(sample.weights), n_rows):
        weights = sample.weights[start : start + n_rows].astype(np.float64)
        block = replace(sample, weights=weights)
        blocks.append(np.column_stack([metric.compute(block) for metric in metrics]))
    return np.concatenate(blocks)


def intervals(metrics: Sequence[Metric], draws: FloatArray) -> Interval:
    """Take 95 % percentile intervals from what `draw` returns, or from differences of such draws.

    Where noise alone raises a metric, it raises that of a resample, which has more of it, once
    again: such draws are moved until their median is the value (Efron and Tibshirani, "An
    Introduction to the Bootstrap", 1993, chapter 10).

    Args:
        metrics: Of the columns.
        draws: Shape (1 + replicates, n_metrics).

    Returns:
        Values and intervals, each of shape (n_metrics,). No interval where a resample has no value.
    """
    excess = np.median(draws[1:], axis=0) - draws[0]
    is_inflated = np.array([metric.is_inflated for metric in metrics])
    centered = draws - np.where(is_inflated, excess, 0)
    centered[0] = draws[0]
    return interval_of(centered)


def _divide(dividend: FloatArray, divisor: FloatArray) -> FloatArray:
    """The quotients, NaN where there is nothing to divide by."""
    nothing = np.full(len(dividend), np.nan)
    quotients: FloatArray = np.divide(dividend, divisor, out=nothing, where=divisor != 0)
    return quotients
