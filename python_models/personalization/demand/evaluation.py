"""Which forecaster to trust and how far: errors, choice and intervals by earlier origins.

An origin is a number of weeks that have passed. Nothing here looks, for one origin, at an error of
an earlier origin unless all weeks of that forecast have passed by then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from personalization.demand.forecasters import Forecaster
from personalization.demand.panel import Panel
from personalization.interactions import BoolArray, FloatArray, IntArray, TextArray, check_at_least

ALL_GROUPS: Final = "all"
"""The name of the group of all series."""

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
    """

    methods: tuple[str, ...]
    origins: tuple[int, ...]
    series: TextArray
    groups: TextArray
    forecasts: FloatArray
    actual: FloatArray
    scale: FloatArray

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
    return Trials(
        tuple(forecasters), tuple(origins), panel.series, panel.groups, forecasts, actual, scale
    )


def naive_scale(history: FloatArray) -> FloatArray:
    """Mean absolute change from week to week, NaN where it is 0; shape (n_series,).

    Errors in units of it are comparable between series; their mean is the MASE. (Hyndman and
    Koehler, "Another look at measures of forecast accuracy", 2006.)
    """
    changes = np.abs(np.diff(history, axis=1))
    count = (~np.isnan(changes)).sum(axis=1)
    total = np.nansum(changes, axis=1)
    scale: FloatArray = np.where(total > 0, total, np.nan) / np.maximum(count, 1)
    return scale


def with_combination(trials: Trials, n_best: int = 3) -> Trials:
    """Add the mean of the methods that were best over all series at earlier origins.

    Simple means are hard to beat (Bates and Granger, "The combination of forecasts", 1969; Smith
    and Wallis, "A simple explanation of the forecast combination puzzle", 2009).

    Args:
        trials: The trials.
        n_best: Number of methods that the mean is over.

    Returns:
        The trials with one more method. Before there are errors, the mean is over all methods.

    Raises:
        ValueError: The number of methods is below 1.
    """
    check_at_least("n_best", n_best, 1)
    combined = np.full_like(trials.actual, np.nan)
    errors = trials.scaled_errors
    for place in range(len(trials.origins)):
        usable = np.flatnonzero(_usable(trials, place))
        if not usable.size:
            continue
        cells = errors[usable][:, trials.passed_by(place)].reshape(len(usable), -1)
        cells = cells[:, ~np.isnan(cells).any(axis=0)]
        if cells.size:
            order = np.argsort(cells.mean(axis=1).round(9), kind="stable")
            usable = np.sort(usable[order[:n_best]])
        combined[place] = trials.forecasts[usable, place].mean(axis=0)
    return replace(
        trials,
        methods=(*trials.methods, COMBINATION),
        forecasts=np.concatenate([trials.forecasts, combined[None]]),
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
        judged = ~np.isnan(trials.scale[place])
        if not usable.size:
            continue
        past = errors[usable][:, trials.passed_by(place)]
        choice[place, judged] = usable[_simplest_of_best(past)]
        for group in sorted(set(trials.groups)):
            members = judged & (trials.groups == group)
            if members.sum() >= _MIN_SERIES:
                choice[place, members] = usable[_simplest_of_best(past[:, :, members])]
    return choice


def always(trials: Trials, method: str) -> IntArray:
    """The same method for every series and origin, in the place of what `choose` returns.

    Series without a scale, and origins at which the method cannot forecast all others, have the
    simplest one.

    Raises:
        ValueError: There is no such method.
    """
    if method not in trials.methods:
        raise ValueError(f"there is no method {method}")
    wanted = trials.methods.index(method)
    usable = [_usable(trials, place)[wanted] for place in range(len(trials.origins))]
    return np.where(np.array(usable)[:, None] & ~np.isnan(trials.scale), wanted, 0)


def chosen_forecasts(trials: Trials, choice: IntArray) -> FloatArray:
    """The forecasts of the chosen methods, shape (n_origins, n_series, horizon)."""
    forecasts: FloatArray = np.take_along_axis(trials.forecasts, choice[None, ..., None], 0)[0]
    return forecasts


def half_widths(
    trials: Trials, forecasts: FloatArray, levels: Sequence[float] = LEVELS
) -> FloatArray:
    """How far prediction intervals reach to either side, in the unit of the demand.

    By split conformal prediction: a quantile of the absolute errors that the forecasts had at
    earlier origins, in units of the scale (`conformal_quantiles`). Errors are of the same group
    and week ahead; of all groups where there are less than 60.

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
    errors = np.abs(forecasts - trials.actual) / trials.scale[..., None]
    for place in range(len(trials.origins)):
        past = errors[trials.passed_by(place)]
        for group in sorted(set(trials.groups)):
            members = trials.groups == group
            for ahead in range(trials.horizon):
                own, everyone = past[:, members, ahead], past[:, :, ahead]
                is_enough = (~np.isnan(own)).sum() >= _MIN_ERRORS
                found = conformal_quantiles(own if is_enough else everyone, levels)
                result[:, place, members, ahead] = found[:, None] * trials.scale[place, members]
    return result


def conformal_quantiles(errors: FloatArray, levels: Sequence[float]) -> FloatArray:
    """What the errors of a new origin do not exceed, in a given share of cases.

    That is the smallest error not exceeded by a share level · (k + 1) / k of those at k origins:
    one origin is added for the one to come. Not one error: series of the same week sell more or
    less together, and a hundred of them are one observation of that week. (Lei et al.,
    "Distribution-free predictive inference for regression", 2018; for groups of observations
    Dunn, Wasserman and Ramdas, "Distribution-free prediction sets for two-layer hierarchical
    models", 2023.)

    Args:
        errors: Shape (n_origins, n_series), NaN for none.
        levels: Shares between 0 and 1.

    Returns:
        Shape (n_levels,); NaN where there are too few origins for the level: 4 have an interval
        of .8, 19 one of .95.
    """
    known = np.sort(errors[~np.isnan(errors)])
    n_origins = int((~np.isnan(errors)).any(axis=1).sum())
    found = np.full(len(levels), np.nan)
    for place, level in enumerate(levels if n_origins else ()):
        # Rounded, because .95 of 20 must be 19 and not a little more.
        rank = int(np.ceil(round(len(known) * level * (n_origins + 1) / n_origins, 9)))
        if rank <= len(known):
            found[place] = known[max(rank, 1) - 1]
    return found


def accuracy(
    trials: Trials, forecasts: Mapping[str, FloatArray], places: Sequence[int]
) -> pd.DataFrame:
    """Measure forecasts by group and overall.

    Args:
        trials: The trials, for what came.
        forecasts: By name, each of shape (n_origins, n_series, horizon).
        places: Places of the origins to measure at.

    Returns:
        One row per `method` and `group` (`ALL_GROUPS` among them): `mase`, the mean scaled error;
        `wape`, the sum of absolute errors by that of demand; `mae`, in the unit of the demand;
        and `forecasts`, the number of weeks measured. Null where there is nothing to measure.
    """
    actual, scale = trials.actual[list(places)], trials.scale[list(places)]
    rows = []
    for method, values in forecasts.items():
        errors = np.abs(values[list(places)] - actual)
        scaled = errors / scale[..., None]
        for group, members in _members(trials):
            measured = errors[:, members]
            known = ~np.isnan(measured)
            demand = actual[:, members][known].sum()
            rows.append(
                {
                    "method": method,
                    "group": group,
                    "mase": _mean(scaled[:, members]),
                    "wape": measured[known].sum() / demand if demand > 0 else np.nan,
                    "mae": _mean(measured),
                    "forecasts": int(known.sum()),
                }
            )
    return pd.DataFrame(rows)


def coverage(
    trials: Trials,
    forecasts: FloatArray,
    widths: FloatArray,
    places: Sequence[int],
    levels: Sequence[float] = LEVELS,
) -> pd.DataFrame:
    """Measure how many weeks the intervals hold, by group and overall.

    Args:
        trials: The trials, for what came.
        forecasts: Shape (n_origins, n_series, horizon).
        widths: What `half_widths` returns for the levels.
        places: Places of the origins to measure at.
        levels: The shares that the intervals are to hold.

    Returns:
        One row per `level` and `group` (`ALL_GROUPS` among them): `coverage`, the share of weeks
        that they hold, null where there are none; and `forecasts`, the number of weeks.
    """
    errors = np.abs(forecasts - trials.actual)[list(places)]
    rows = []
    for level, width in zip(levels, widths[:, list(places)], strict=True):
        known = ~np.isnan(errors) & ~np.isnan(width)
        # The bound itself is within, also when the last digit of a difference says otherwise.
        held = np.where(known, errors <= width * (1 + 1e-9), np.nan)
        for group, members in _members(trials):
            rows.append(
                {
                    "level": level,
                    "group": group,
                    "coverage": _mean(held[:, members]),
                    "forecasts": int(known[:, members].sum()),
                }
            )
    return pd.DataFrame(rows)


def _members(trials: Trials) -> Iterator[tuple[str, BoolArray]]:
    """Which series belong to all groups and to each."""
    yield ALL_GROUPS, np.ones(len(trials.groups), dtype=bool)
    for group in sorted(set(trials.groups)):
        yield group, np.asarray(trials.groups == group)


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


def _mean(values: FloatArray) -> float:
    """The mean of what is known, NaN for nothing."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
