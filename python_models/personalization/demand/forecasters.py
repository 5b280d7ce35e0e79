"""Forecasts of one series from its own past, and the rhythm of the month that all share.

All forecasters have one signature. Each row of a history is a series, in the unit of its demand,
NaN before it starts; the forecast is in the same unit, never negative, and NaN for a series that
the forecaster cannot forecast: one without history, or with less of it than it needs.
"""

from collections.abc import Callable
from importlib import import_module
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from personalization.demand.panel import Exogenous
from personalization.interactions import FloatArray, check_at_least

Forecaster: TypeAlias = Callable[[FloatArray, Exogenous, int], FloatArray]
"""From a history, exogenous data and a horizon to a forecast, shape (n_series, horizon)."""

_LEVEL_WEIGHTS: Final = np.arange(0.05, 0.96, 0.05)
_DAMPED: Final[FloatArray] = np.array(
    [
        (level, trend, damping)
        for level in (0.1, 0.2, 0.3, 0.4, 0.6)
        for trend in (0.02, 0.05, 0.1, 0.2)
        for damping in (0.8, 0.9)
    ]
)
# Estimates beyond this are drawn to it: the series would never come back to its mean.
_MOST_PERSISTENT: Final = 0.97
_LEAST_FOR_ARMA: Final = 12
# Weeks of the moving average that the rhythm of the month is measured against: two months.
_TREND_WEEKS: Final = 9
# A series' own rhythm is drawn to that of all as if by so much evidence, about as much as there is
# in a year.
_RHYTHM_PRIOR: Final = 5.0
# Added before logarithms, as a share of the mean of the series, so that 0 has one and weeks of few
# units are no outliers. It draws factors to 1 by about as much.
_LOG_OFFSET: Final = 0.1


def mean_of_last(n_weeks: int = 4) -> Forecaster:
    """The mean of the last weeks; of all, where there are fewer.

    Raises:
        ValueError: The number of weeks is below 1.
    """
    check_at_least("n_weeks", n_weeks, 1)

    def forecast(history: FloatArray, _: Exogenous, horizon: int) -> FloatArray:
        recent = history[:, -n_weeks:]
        count = (~np.isnan(recent)).sum(axis=1)
        with np.errstate(invalid="ignore"):
            return _level(np.nansum(recent, axis=1) / count, horizon)

    return forecast


def seasonal_naive(period: int = 52) -> Forecaster:
    """The week one season before; only for series of two seasons or more.

    With less than two, nobody can tell a season from chance.

    Raises:
        ValueError: The period is below 1.
    """
    check_at_least("period", period, 1)

    def forecast(history: FloatArray, _: Exogenous, horizon: int) -> FloatArray:
        result = np.full((len(history), horizon), np.nan)
        if history.shape[1] >= 2 * period:
            known = ~np.isnan(history[:, -2 * period])
            back = [-period + ahead % period for ahead in range(horizon)]
            result[known] = history[known][:, back]
        return result

    return forecast


def smoothing(history: FloatArray, _: Exogenous, horizon: int) -> FloatArray:
    """Simple exponential smoothing: recent weeks count more than earlier ones.

    The level starts at the first week; its weight, of .05 to .95, has the least sum of squares of
    one-week errors for the series. (Brown, "Statistical forecasting for inventory control", 1959.)
    """
    none = np.zeros_like(_LEVEL_WEIGHTS)
    level, _trend, _damping = _smooth(history, _LEVEL_WEIGHTS, none, none)
    return _level(level, horizon)


def damped_trend(history: FloatArray, _: Exogenous, horizon: int) -> FloatArray:
    """Exponential smoothing of a level and of a trend that fades.

    Weights by the least sum of squares of one-week errors, as in `smoothing`. (Gardner and
    McKenzie, "Forecasting trends in time series", 1985.)
    """
    level, trend, damping = _smooth(history, *_DAMPED.T)
    fading = np.cumsum(damping[:, None] ** np.arange(1, horizon + 1), axis=1)
    return _not_negative(level[:, None] + fading * trend[:, None])


def autoregression(order: int = 4, ridge: float = 0.2) -> Forecaster:
    """A week's distance from the mean as a weighted sum of those of the weeks before.

    The weights of each series solve the Yule-Walker equations with autocovariances that divide
    by the number of weeks, which never lets a forecast explode. (Box and Jenkins, "Time series
    analysis", 1970.)

    Args:
        order: Number of weeks looked back at; the forecaster needs one more.
        ridge: Added to the variance in the equations, as a share of it; draws weights to 0.

    Raises:
        ValueError: The order is below 1 or the ridge below 0.
    """
    check_at_least("order", order, 1)
    check_at_least("ridge", ridge, 0)
    distance = np.abs(np.subtract.outer(np.arange(order), np.arange(order)))

    def forecast(history: FloatArray, _: Exogenous, horizon: int) -> FloatArray:
        n_weeks = history.shape[1]
        result = np.full((len(history), horizon), np.nan)
        enough = (~np.isnan(history)).sum(axis=1) > order
        if not enough.any():
            return result
        mean = np.nanmean(history[enough], axis=1, keepdims=True)
        # Weeks before the start are at the mean and add nothing to the sums below.
        past = np.nan_to_num(history[enough] - mean)
        covariance = np.stack(
            [(past[:, lag:] * past[:, : n_weeks - lag]).sum(axis=1) for lag in range(order + 1)],
            axis=1,
        )
        variance = np.where(covariance[:, :1] > 0, covariance[:, :1], 1.0)
        equations = covariance[:, distance] + ridge * variance[:, :, None] * np.eye(order)
        equations[covariance[:, 0] <= 0] = np.eye(order)
        weights = np.linalg.solve(equations, covariance[:, 1:, None])[..., 0]
        recent = past[:, : -order - 1 : -1]
        for ahead in range(horizon):
            coming = (weights * recent).sum(axis=1)
            result[enough, ahead] = mean[:, 0] + coming
            recent = np.column_stack([coming, recent[:, :-1]])
        return _not_negative(result)

    return forecast


def arma(history: FloatArray, _: Exogenous, horizon: int) -> FloatArray:
    """ARMA(1, 1) around the mean: the last week's distance and the last surprise, both fading.

    Parameters of each series by statsmodels, in two steps of least squares (Hannan and Rissanen,
    "Recursive estimation of mixed autoregressive-moving average order", 1982), which takes a small
    part of the time that the greatest likelihood does. Needs 12 weeks.

    Raises:
        ModuleNotFoundError: statsmodels is not installed.
    """
    # Only this forecaster needs it.
    estimators = import_module("statsmodels.tsa.arima.estimators.hannan_rissanen")

    result = np.full((len(history), horizon), np.nan)
    for place, row in enumerate(history):
        known = row[~np.isnan(row)]
        if len(known) < _LEAST_FOR_ARMA:
            continue
        mean = known.mean()
        past = known - mean
        keep, surprised = 0.0, 0.0
        if past.any():
            found, _info = estimators.hannan_rissanen(
                past, ar_order=1, ma_order=1, demean=False, unbiased=False
            )
            keep, surprised = np.clip(
                [found.ar_params[0], found.ma_params[0]], -_MOST_PERSISTENT, _MOST_PERSISTENT
            )
        surprise = 0.0
        for before, now in pairwise(past):
            surprise = now - keep * before - surprised * surprise
        next_week = keep * past[-1] + surprised * surprise
        result[place] = mean + next_week * keep ** np.arange(horizon)
    return _not_negative(result)


def month_adjusted(forecaster: Forecaster) -> Forecaster:
    """Forecast the demand as it were without the rhythm of the month, and put that back.

    A week's logarithm, measured against its neighbors, is a sum of the columns of the calendar
    with weights that all series share, plus deviations of each series that are drawn to 0 (ridge
    regression). Both are learned from the history alone.
    """

    def forecast(history: FloatArray, exogenous: Exogenous, horizon: int) -> FloatArray:
        factors = month_factors(history, exogenous.calendar)
        n_weeks = history.shape[1]
        adjusted = forecaster(history / factors[:, :n_weeks], exogenous, horizon)
        return adjusted * factors[:, n_weeks : n_weeks + horizon]

    return forecast


def month_factors(history: FloatArray, calendar: FloatArray) -> FloatArray:
    """How far the rhythm of the month lifts each week, as a factor.

    Args:
        history: Shape (n_series, n_weeks); NaN before a series starts.
        calendar: Shape (n_weeks + horizon, n_calendar).

    Returns:
        Positive factors, shape (n_series, n_weeks + horizon).
    """
    n_weeks = history.shape[1]
    known = ~np.isnan(history)
    values = np.where(known, np.log(with_offset(history)), 0.0)
    near = np.abs(np.subtract.outer(np.arange(n_weeks), np.arange(n_weeks))) <= _TREND_WEEKS // 2
    weights = known.astype(np.float64)
    count = np.maximum(weights @ near, 1.0)
    deviation = weights * (values - values @ near / count)
    # Deviations from what the same neighbors have on average.
    local = np.einsum("tu,su,uc->stc", near, weights, calendar[:n_weeks], optimize=True)
    columns = weights[:, :, None] * (calendar[:n_weeks] - local / count[:, :, None])
    squares = np.einsum("stc,std->scd", columns, columns, optimize=True)
    products = np.einsum("stc,st->sc", columns, deviation, optimize=True)
    prior = _RHYTHM_PRIOR * np.eye(calendar.shape[1])
    shared = np.linalg.solve(squares.sum(axis=0) + prior, products.sum(axis=0))
    own = np.linalg.solve(squares + prior, (products - squares @ shared)[..., None])[..., 0]
    factors: FloatArray = np.exp((shared + own) @ calendar.T)
    return factors


def with_offset(history: FloatArray) -> FloatArray:
    """The history plus a little, so that it has logarithms."""
    count = np.maximum((~np.isnan(history)).sum(axis=1, keepdims=True), 1)
    mean = np.nansum(history, axis=1, keepdims=True) / count
    shifted: FloatArray = history + np.where(mean > 0, _LOG_OFFSET * mean, 1.0)
    return shifted


def _smooth(
    history: FloatArray,
    level_weights: NDArray[np.float64],
    trend_weights: NDArray[np.float64],
    dampings: NDArray[np.float64],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Smooth with each of the weights; the last level, trend and the damping of the best.

    Each of shape (n_series,); the first of several best wins.
    """
    shape = (len(history), len(level_weights))
    level, trend, squares = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape)
    for now in history.T[:, :, None]:
        expected = level + dampings * trend
        error = np.nan_to_num(now - expected)
        squares += error**2
        level = np.where(np.isnan(expected), now, expected + level_weights * error)
        trend = dampings * trend + level_weights * trend_weights * error
    # Noise of the last digits must not decide which weight is best.
    scale = np.maximum(squares.max(axis=1, keepdims=True), np.finfo(float).tiny)
    best = np.argmin(np.round(squares / scale, 9), axis=1)
    rows = np.arange(len(history))
    return _not_negative(level[rows, best]), trend[rows, best], dampings[best]


def _level(level: FloatArray, horizon: int) -> FloatArray:
    """The same forecast for all weeks."""
    return np.repeat(level[:, None], horizon, axis=1)


def _not_negative(values: FloatArray) -> FloatArray:
    """The values, negative ones as 0."""
    return np.maximum(values, 0.0)
