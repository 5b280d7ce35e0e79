"""Forecasts by one regression over all series, each measured in units of its own level."""

from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeAlias

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR
from threadpoolctl import threadpool_limits

from personalization.demand.forecasters import Forecaster, month_adjusted, with_offset
from personalization.demand.panel import Exogenous
from personalization.interactions import FloatArray, IntArray

# Weeks that a series is compared with: the last few, its level, and a quarter of a year.
_LAGS: Final = 4
_LONG: Final = 12
# Rows below which a regression is not worth fitting.
_MIN_ROWS: Final = 30
# Rows that a regression learns from at most, which bounds the time it takes.
_MAX_ROWS: Final = 2000
# Weight of the penalty of ridge regression per row: standardized weights are drawn to 0 by a
# quarter.
_PENALTY: Final = 0.3

_Maker: TypeAlias = Callable[[int], Any]


def pooled(make: _Maker) -> Forecaster:
    """Forecast every series by the same regression, one per week ahead.

    What is learned is the logarithm of the demand of a coming week, less that of the series'
    level (the mean of its last 4 weeks), from: the last 4 weeks and the last 12 against the level,
    what of each exposure the last week and the last 4 had more than the 4 and 12 up to it, and,
    where exposures are planned, what the coming week has more. All of it is without the rhythm of
    the month (`month_adjusted`). The regression learns from the earlier weeks of all series, at
    most 2000 of them drawn at random; a series needs 4 weeks. (Montero-Manso and Hyndman,
    "Principles and algorithms for forecasting groups of time series: locality and globality",
    2021.)

    Args:
        make: From a number of rows to a regression with `fit` and `predict`.

    Returns:
        The forecaster.
    """
    return month_adjusted(partial(_forecast, make))


def ridge() -> Forecaster:
    """Ridge regression of all series together (Hoerl and Kennard, 1970)."""
    return pooled(lambda n_rows: _standardized(Ridge(alpha=_PENALTY * n_rows)))


def support_vectors() -> Forecaster:
    """Support vector regression with radial kernels (Drucker et al., 1997)."""
    return pooled(lambda _: _standardized(SVR(C=0.1, epsilon=0.05, gamma=0.02)))


def random_forest() -> Forecaster:
    """A forest of randomized trees (Breiman, "Random forests", 2001)."""
    return pooled(
        lambda _: RandomForestRegressor(
            n_estimators=25,
            min_samples_leaf=10,
            max_features=0.5,
            max_samples=0.5,
            n_jobs=1,
            random_state=0,
        )
    )


def boosted_trees() -> Forecaster:
    """Gradient-boosted trees for the absolute error (Friedman, 2001), by histograms."""
    return pooled(
        lambda _: HistGradientBoostingRegressor(
            loss="absolute_error",
            max_iter=60,
            learning_rate=0.06,
            max_leaf_nodes=8,
            min_samples_leaf=30,
            max_bins=63,
            early_stopping=False,
            random_state=0,
        )
    )


def without_exposures(forecaster: Forecaster) -> Forecaster:
    """The forecaster as it is where nothing is known of exposures."""

    def forecast(history: FloatArray, exogenous: Exogenous, horizon: int) -> FloatArray:
        nothing = np.empty((*exogenous.exposures.shape[:2], 0))
        return forecaster(history, Exogenous(exogenous.calendar, nothing), horizon)

    return forecast


def _standardized(model: Any) -> Any:
    return make_pipeline(StandardScaler(), model)


def _forecast(make: _Maker, history: FloatArray, exogenous: Exogenous, horizon: int) -> FloatArray:
    """What `pooled` does with demand that has no rhythm of the month left."""
    n_series, n_weeks = history.shape
    result = np.full((n_series, horizon), np.nan)
    if n_weeks < _LAGS:
        return result
    shifted = with_offset(history)
    logs = np.log(shifted)
    offset = (shifted - history)[:, -1]
    features, level = _describe(logs, shifted, exogenous)
    now = level.shape[1] - 1
    for ahead in range(horizon):
        columns = _with_plan(features, exogenous, ahead)
        made_at = np.arange(now - ahead)
        goal = logs[:, made_at + _LAGS + ahead] - level[:, made_at]
        known = columns[:, made_at]
        usable = ~np.isnan(known).any(axis=2) & ~np.isnan(goal)
        sample = _sample(int(usable.sum()))
        rows, goals = known[usable][sample], goal[usable][sample]
        enough = ~np.isnan(columns[:, now]).any(axis=1)
        if len(rows) < _MIN_ROWS or not enough.any():
            continue
        # Threads would wait for each other longer than they work, and may sum in another order.
        with threadpool_limits(limits=1):
            gain = make(len(rows)).fit(rows, goals).predict(columns[enough, now])
        coming = np.exp(level[enough, now] + gain) - offset[enough]
        result[enough, ahead] = np.maximum(coming, 0.0)
    return result


def _sample(n_rows: int) -> IntArray:
    """Places of the rows to learn from, ascending."""
    drawn = np.random.default_rng(0).permutation(n_rows)[:_MAX_ROWS]
    return np.sort(drawn).astype(np.int64)


def _describe(
    logs: FloatArray, shifted: FloatArray, exogenous: Exogenous
) -> tuple[FloatArray, FloatArray]:
    """What may be known of each series after 4 weeks, 5 weeks, ... and all weeks.

    Returns:
        The features, shape (n_series, n_weeks - 3, n_features), NaN where a series has not had
        four weeks yet; and the logarithm of its level, shape (n_series, n_weeks - 3).
    """
    n_weeks = logs.shape[1]
    level, long = (np.log(_means_of_last(n, shifted)) for n in (_LAGS, _LONG))
    lags = [logs[:, _LAGS - 1 - lag : n_weeks - lag] - level for lag in range(_LAGS)]
    demand = np.stack([*lags, long - level], axis=2)
    exposures = exogenous.exposures[:, :n_weeks]
    last, recent, usual = (_means_of_last(n, exposures) for n in (1, _LAGS, _LONG))
    return np.concatenate([demand, last - recent, recent - usual], axis=2), level


def _with_plan(features: FloatArray, exogenous: Exogenous, ahead: int) -> FloatArray:
    """The features, and how much more the week to forecast is exposed, if that is planned."""
    if not exogenous.is_planned:
        return features
    first = _LAGS + ahead
    coming = exogenous.exposures[:, first : first + features.shape[1]]
    n_weeks = features.shape[1] + _LAGS - 1
    recent = _means_of_last(_LAGS, exogenous.exposures[:, :n_weeks])
    return np.concatenate([features, coming - recent], axis=2)


def _means_of_last(n_weeks: int, values: FloatArray) -> FloatArray:
    """Means of the last weeks that are known, after 4 weeks, 5 weeks, ... and all of them."""
    windows = [values[:, max(0, end - n_weeks) : end] for end in range(_LAGS, values.shape[1] + 1)]
    sums = np.stack([np.nansum(window, axis=1) for window in windows], axis=1)
    counts = np.stack([(~np.isnan(window)).sum(axis=1) for window in windows], axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(sums / np.where(counts > 0, counts, np.nan))
