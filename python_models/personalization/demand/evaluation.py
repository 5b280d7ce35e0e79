"""Which forecaster to trust and how far: errors, choice and intervals by earlier origins.

An origin is a number of weeks that have passed. Nothing here looks, for one origin, at an error of
an earlier origin unless all weeks of that forecast have passed by then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from threadpoolctl import threadpool_limits

from personalization.demand.forecasters import Forecaster
from personalization.demand.panel import Panel
from personalization.interactions import BoolArray, FloatArray, IntArray, TextArray, check_at_least

COMBINATION: Final = "mean_of_best"
"""The name of the mean of the best forecasters so far."""

LEVELS: Final = (0.8, 0.95)
"""The shares of weeks that prediction intervals are to hold."""

MIN_WEEKS: Final = 12
"""Weeks below which a series is too short to judge a forecaster by, or to trust one with."""

# Series below which a group is too small to choose for itself: a standard error of so few is
# mostly chance.
_MIN_SERIES: Final = 5
# Origins below which nothing is chosen yet.
_MIN_ORIGINS: Final = 4
# Errors below which a group has no interval of its own; 19 is the least that has one of 95 %.
_MIN_ERRORS: Final = 60
# Weeks that tell how much a series changes now: a quarter of a year, so that a category out of
# season is not as uncertain as it was in season.
_RECENT_WEEKS: Final = 13
# How large an error is to be expected besides recent changes: so much of the forecast, and one
# unit, so that a category that hardly sells is not thought certain.
_OF_FORECAST: Final = 0.1
_UNIT: Final = 1.0
# As how many observations the series of one origin count: they sell more or less together.
_PER_ORIGIN: Final = 4


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """Forecasts by several methods at several origins, and what came of them.

    Attributes:
        methods: Names, from simple to complex.
        origins: Numbers of weeks that had passed, ascending.
        series: Shape (n_series,), names.
        groups: Shape (n_series,), the group of each series.
        forecasts: Shape (n_methods, n_origins, n_series, horizon); NaN for none.
        actual: Shape (n_origins, n_series, horizon); NaN where the week has not passed.
        scale: Shape (n_origins, n_series), mean absolute change from week to week up to the
            origin. NaN where that is 0 or there are less than 12 weeks: such a series gets the
            simplest method and tells nothing about the others.
        recent_change: Shape (n_origins, n_series), the same of the last 13 weeks alone, 0 where
            nothing changed.
    """

    methods: tuple[str, ...]
    origins: tuple[int, ...]
    series: TextArray
    groups: TextArray
    forecasts: FloatArray
    actual: FloatArray
    scale: FloatArray
    recent_change: FloatArray

    @property
    def horizon(self) -> int:
        """Number of weeks forecast."""
        return int(self.actual.shape[-1])

    @property
    def scaled_errors(self) -> FloatArray:
        """Absolute errors in units of the scale, shaped as the forecasts."""
        errors: FloatArray = np.abs(self.forecasts - self.actual) / self.scale[..., None]
        return errors

    def passed_by(self, place: int) -> IntArray:
        """Places of the origins whose forecast weeks have all passed at the origin there."""
        ends = np.array(self.origins) + self.horizon
        return np.flatnonzero(ends <= self.origins[place])


def try_out(
    panel: Panel,
    forecasters: Mapping[str, Forecaster],
    *,
    origins: Sequence[int],
    horizon: int = 4,
) -> Trials:
    """Forecast at every origin from what was known there, on one thread.

    Args:
        panel: The series.
        forecasters: By name, from simple to complex.
        origins: Numbers of weeks that have passed, ascending; the last may be all weeks.
        horizon: Number of weeks to forecast.

    Returns:
        The trials.

    Raises:
        ValueError: There is no forecaster or no origin, origins do not ascend, or one or the
            horizon is out of range.
    """
    if not forecasters or not origins:
        raise ValueError("there is nothing to try out")
    if (np.diff(origins) <= 0).any():
        raise ValueError("origins must ascend")
    shape = (len(origins), len(panel.series), horizon)
    forecasts = np.full((len(forecasters), *shape), np.nan)
    actual = np.full(shape, np.nan)
    scale = np.full(shape[:2], np.nan)
    recent_change = np.full(shape[:2], np.nan)
    for place, origin in enumerate(origins):
        history, exogenous = panel.known_at(origin, horizon)
        # More threads may sum in another order.
        with threadpool_limits(limits=1):
            for method, forecaster in enumerate(forecasters.values()):
                forecasts[method, place] = forecaster(history, exogenous, horizon)
        coming = panel.demand[:, origin : origin + horizon]
        actual[place, :, : coming.shape[1]] = coming
        is_long = (~np.isnan(history)).sum(axis=1) >= MIN_WEEKS
        scale[place] = np.where(is_long, naive_scale(history), np.nan)
        recent_change[place] = recent_changes(history)
    return Trials(
        tuple(forecasters),
        tuple(origins),
        panel.series,
        panel.groups,
        forecasts,
        actual,
        scale,
        recent_change,
    )


def naive_scale(history: FloatArray, period: int = 1) -> FloatArray:
    """Mean absolute change from week to week, NaN where it is 0; shape (n_series,).

    Errors in units of it are comparable between series; their mean is the MASE. (Hyndman and
    Koehler, "Another look at measures of forecast accuracy", 2006.)

    Args:
        history: Shape (n_series, n_weeks), or one column per day.
        period: Number of columns between the two that are compared: 7 for days.
    """
    change = _mean_change(history, period)
    return np.where(change > 0, change, np.nan)


def recent_changes(history: FloatArray, period: int = 1) -> FloatArray:
    """The same of the last 13 weeks alone, 0 where nothing changed; arguments as above."""
    return _mean_change(history[:, -(_RECENT_WEEKS + 1) * period :], period)


def best_methods(trials: Trials, n_best: int = 3) -> BoolArray:
    """Find the methods with the smallest errors at earlier origins, by group.

    Args:
        trials: The trials.
        n_best: Number of methods to find.

    Returns:
        Shape (n_methods, n_origins, n_series). Before there are errors, all methods count as best;
        series without a scale have the simplest one. Groups of less than 5 series follow the
        errors of all.

    Raises:
        ValueError: The number of methods is below 1.
    """
    check_at_least("n_best", n_best, 1)
    best = np.zeros(trials.forecasts.shape[:3], dtype=bool)
    best[0] = True
    errors = trials.scaled_errors
    for place in range(len(trials.origins)):
        usable = np.flatnonzero(_usable(trials, place))
        if not usable.size:
            continue
        past = errors[usable][:, trials.passed_by(place)]
        for members in _deciding(trials, place):
            found = usable[_smallest(past[:, :, members], n_best)]
            best[:, place, members] = np.isin(np.arange(len(best)), found)[:, None]
    return best


def with_combination(trials: Trials, best: BoolArray) -> Trials:
    """Add the mean of the methods that were best so far.

    Simple means are hard to beat (Bates and Granger, "The combination of forecasts", 1969; Smith
    and Wallis, "A simple explanation of the forecast combination puzzle", 2009).

    Args:
        trials: The trials.
        best: What `best_methods` returns.

    Returns:
        The trials with one more method.
    """
    sums = np.where(best[..., None], trials.forecasts, 0.0).sum(axis=0)
    return replace(
        trials,
        methods=(*trials.methods, COMBINATION),
        forecasts=np.concatenate([trials.forecasts, (sums / best.sum(axis=0)[..., None])[None]]),
    )


def choose(trials: Trials) -> IntArray:
    """Choose a method per group at each origin, by the errors at earlier origins.

    The simplest method ships whose mean scaled error is within one standard error of the best: of
    the mean difference to the best, over series (Breiman et al., "Classification and regression
    trees", 1984, section 3.4.3, with paired differences). Groups of less than 5 series follow
    the choice of all; before there are 4 earlier origins, the simplest method is chosen.

    Args:
        trials: The trials.

    Returns:
        Places of methods, shape (n_origins, n_series).
    """
    choice = np.zeros(trials.scale.shape, dtype=np.int64)
    errors = trials.scaled_errors
    for place in range(len(trials.origins)):
        usable = np.flatnonzero(_usable(trials, place))
        if not usable.size:
            continue
        past = errors[usable][:, trials.passed_by(place)]
        for members in _deciding(trials, place):
            choice[place, members] = usable[_simplest_of_best(past[:, :, members])]
    return choice


def chosen_forecasts(trials: Trials, choice: IntArray) -> FloatArray:
    """The forecasts of the chosen methods, shape (n_origins, n_series, horizon)."""
    forecasts: FloatArray = np.take_along_axis(trials.forecasts, choice[None, ..., None], 0)[0]
    return forecasts


def half_widths(
    trials: Trials, forecasts: FloatArray, levels: Sequence[float] = LEVELS
) -> FloatArray:
    """How far prediction intervals reach to either side, in the unit of the demand.

    By split conformal prediction: a quantile of the absolute errors that the forecasts had at
    earlier origins (`conformal_quantiles`), each divided by what was to be expected of the series
    at its origin: the mean change in the last 13 weeks, a tenth of the forecast, and one unit (Lei
    et al., "Distribution-free predictive inference for regression", 2018, section 5.2). Changes of
    the whole history would make a category out of season as uncertain as it is in season. Errors
    are of the same group and week ahead; of all groups where there are less than 60.

    Args:
        trials: The trials, for what came.
        forecasts: What would have shipped, shape (n_origins, n_series, horizon). Forecasts by a
            method chosen afterwards would have smaller errors than are to come.
        levels: Shares of weeks that the intervals are to hold, between 0 and 1.

    Returns:
        Shape (n_levels, n_origins, n_series, horizon); NaN where there are too few errors, or the
        series has no scale.
    """
    result = np.full((len(levels), *trials.actual.shape), np.nan)
    expected = trials.recent_change[..., None] + _OF_FORECAST * forecasts + _UNIT
    expected[np.isnan(trials.scale)] = np.nan
    errors = np.abs(forecasts - trials.actual) / expected
    members_of = [trials.groups == group for group in sorted(set(trials.groups))]
    for place in range(len(trials.origins)):
        past = errors[trials.passed_by(place)]
        n_known = (~np.isnan(past)).sum(axis=0)
        for ahead in range(trials.horizon):
            everyone = conformal_quantiles(past[:, :, ahead], levels)
            for members in members_of:
                found = everyone
                if n_known[members, ahead].sum() >= _MIN_ERRORS:
                    found = conformal_quantiles(past[:, members, ahead], levels)
                result[:, place, members, ahead] = found[:, None] * expected[place, members, ahead]
    return result


def conformal_quantiles(errors: FloatArray, levels: Sequence[float]) -> FloatArray:
    """What the errors of a new origin do not exceed, in a given share of cases.

    That is the smallest error not exceeded by a share level · (m + 1) / m of those known, for m
    observations and one to come. m is the number of errors, but at most 4 of an origin: series of
    the same week sell more or less together, so that a hundred of them say little more than a few.
    (Vovk et al., "Algorithmic learning in a random world", 2005; Dunn, Wasserman and Ramdas,
    "Distribution-free prediction sets for two-layer hierarchical models", 2023, compare one
    observation per group, which is safe and far too wide here, with all of them, too narrow.)

    Args:
        errors: Shape (n_origins, n_series), NaN for none.
        levels: Shares between 0 and 1.

    Returns:
        Shape (n_levels,); NaN where there are less than 4 origins or too few errors for the level:
        4 have an interval of .8, 19 one of .95.
    """
    known = np.sort(errors[~np.isnan(errors)])
    n_origins = int((~np.isnan(errors)).any(axis=1).sum())
    found = np.full(len(levels), np.nan)
    if n_origins < _MIN_ORIGINS:
        return found
    n_observations = min(len(known), _PER_ORIGIN * n_origins)
    for place, level in enumerate(levels):
        # Rounded, because .95 of 20 must be 19 and not a little more.
        share = level * (n_observations + 1) / n_observations
        rank = int(np.ceil(round(len(known) * share, 9)))
        if rank <= len(known):
            found[place] = known[max(rank, 1) - 1]
    return found


def _mean_change(history: FloatArray, period: int) -> FloatArray:
    """Mean absolute change from one period to the next, 0 for none; shape (n_series,)."""
    changes = np.abs(history[:, period:] - history[:, :-period])
    count = (~np.isnan(changes)).sum(axis=1)
    mean: FloatArray = np.nansum(changes, axis=1) / np.maximum(count, 1)
    return mean


def _deciding(trials: Trials, place: int) -> Iterator[BoolArray]:
    """Which series decide together at an origin: all that have a scale, then each large group."""
    judged = ~np.isnan(trials.scale[place])
    yield judged
    for group in sorted(set(trials.groups)):
        members = judged & (trials.groups == group)
        if members.sum() >= _MIN_SERIES:
            yield members


def _usable(trials: Trials, place: int) -> BoolArray:
    """Whether each method forecasts all series that have a scale at the origin."""
    judged = ~np.isnan(trials.scale[place])
    return np.asarray(~np.isnan(trials.forecasts[:, place, judged]).any(axis=(1, 2)))


def _simplest_of_best(errors: FloatArray) -> int:
    """The first method within one standard error of the best.

    Args:
        errors: Shape (n_methods, n_origins, n_series, horizon). Only what all methods forecast
            counts.
    """
    is_common = np.isfinite(errors.sum(axis=0))
    if is_common.any(axis=(1, 2)).sum() < _MIN_ORIGINS:
        return 0
    seen = is_common.any(axis=(0, 2))
    count = is_common.sum(axis=(0, 2))[seen]
    by_series = np.where(is_common, errors, 0.0).sum(axis=(1, 3))[:, seen] / count
    best = int(np.argmin(by_series.mean(axis=1).round(9)))
    excess = by_series - by_series[best]
    spread = excess.std(axis=1, ddof=1) if seen.sum() > 1 else np.zeros(len(errors))
    is_close = excess.mean(axis=1) <= spread / np.sqrt(seen.sum()) + 1e-9
    return int(np.argmax(is_close))


def _smallest(errors: FloatArray, n_best: int) -> IntArray:
    """Places of the methods with the smallest errors, ascending; of all where none are known.

    Args:
        errors: Shape (n_methods, n_origins, n_series, horizon). Only what all methods forecast
            counts.
        n_best: Number of methods.
    """
    cells = errors.reshape(len(errors), -1)
    cells = cells[:, ~np.isnan(cells).any(axis=0)]
    if not cells.size:
        return np.arange(len(errors))
    order = np.argsort(cells.mean(axis=1).round(9), kind="stable")
    return np.sort(order[:n_best])
