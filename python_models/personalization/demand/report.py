"""The demand of the coming weeks, with its intervals, and how such forecasts did before."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from personalization.demand import evaluation, pooled
from personalization.demand.coherence import (
    reconcile,
    round_to_totals,
    sums_of_groups,
    whole_units,
)
from personalization.demand.evaluation import LEVELS, MIN_WEEKS, Trials
from personalization.demand.forecasters import (
    Forecaster,
    arma,
    autoregression,
    damped_trend,
    mean_of_last,
    month_adjusted,
    seasonal_naive,
    smoothing,
)
from personalization.demand.panel import Panel
from personalization.interactions import (
    BoolArray,
    FloatArray,
    IntArray,
    TextArray,
    check_at_least,
)

CHOSEN: Final = "chosen"
"""The name of the forecasts that ship, among those by method."""

BOTTOM_UP: Final = "bottom_up"
"""The forecast of a group as the sum of its series."""

DIRECT: Final = "direct"
"""The forecast of a group from its own past."""

LADDER: Final[Mapping[str, Forecaster]] = {
    "mean_of_last_4": mean_of_last(4),
    "naive": mean_of_last(1),
    "seasonal_naive": seasonal_naive(52),
    "smoothing": smoothing,
    "damped_trend": damped_trend,
    "ar": autoregression(4),
    "month_mean_of_last_4": month_adjusted(mean_of_last(4)),
    "month_smoothing": month_adjusted(smoothing),
    "month_damped_trend": month_adjusted(damped_trend),
    "month_ar": month_adjusted(autoregression(4)),
}
"""Forecasters of one series from its own past, from simple to complex."""

ARMA_LADDER: Final[Mapping[str, Forecaster]] = {"month_arma": month_adjusted(arma)}
"""The forecaster that needs statsmodels."""

POOLED_LADDER: Final[Mapping[str, Forecaster]] = {
    "ridge": pooled.without_exposures(pooled.ridge()),
    "promotion_ridge": pooled.ridge(),
    "support_vectors": pooled.without_exposures(pooled.support_vectors()),
    "random_forest": pooled.without_exposures(pooled.random_forest()),
    "boosted_trees": pooled.without_exposures(pooled.boosted_trees()),
}
"""Forecasters that learn from all series at once, after those of one series.

One looks at exposures, so that their worth shows beside the same regression without them.
"""

FORECASTERS: Final[Mapping[str, Forecaster]] = {**LADDER, **ARMA_LADDER, **POOLED_LADDER}
"""All forecasters, from simple to complex."""

COLUMNS: Final[Mapping[str, str]] = {
    "level": "str",
    "series": "str",
    "group": "str",
    "origin_date": "datetime64[us]",
    "is_newest": "bool",
    "is_judged": "bool",
    "week": "datetime64[us]",
    "weeks_ahead": "int64",
    "method": "str",
    "made_by": "str",
    "earlier_origins": "Int64",
    "status": "str",
    "forecast": "float64",
    "whole_forecast": "Int64",
    **{f"{end}_{level * 100:.0f}": "float64" for level in LEVELS for end in ("lower", "upper")},
    "actual": "float64",
    "scale": "float64",
}
"""Columns of `forecast_demand` with their types."""

# Float noise must decide nothing that is made of these.
_DIGITS: Final = 6
_ROUNDED: Final = [name for name, kind in COLUMNS.items() if kind == "float64"]
# Forecasts without weeks in common below which a group's own forecast is not trusted.
_MIN_INDEPENDENT: Final = 2


def forecast_demand(
    panel: Panel,
    forecasters: Mapping[str, Forecaster],
    *,
    compared: Mapping[str, Forecaster] | None = None,
    group_forecasters: Mapping[str, Forecaster] = LADDER,
    horizon: int = 4,
    n_origins: int = 29,
    n_judged: int = 6,
) -> pd.DataFrame:
    """Forecast the coming weeks, and say what would have been forecast before.

    What ships is the mean of the forecasters that were best at earlier origins in the group of the
    series (`evaluation.best_methods`), at each of the newest origins as now, so that what is judged
    is what would have shipped. The forecasts of a group are stretched to the forecast of the group
    from its own past where that was better than their sum by more than one standard error of the
    mean difference over earlier origins.

    Args:
        panel: The series.
        forecasters: By name, from simple to complex; the first must forecast every series.
        compared: Further forecasters, to be judged beside the others but too slow to be tried at
            every origin; they never ship.
        group_forecasters: The forecasters for groups.
        horizon: Number of weeks to forecast.
        n_origins: Largest number of earlier origins; more take longer and choose better.
        n_judged: Number of newest origins at which forecasts are told beside what came.

    Returns:
        The `COLUMNS`, one row per `level`, `series`, `origin_date`, `method` and `week`:

        - `level`: "series", or "group" for the totals of groups, which are their own `group`.
        - `origin_date`: the Monday before which all was known; `is_newest` for the last one,
          `is_judged` for the newest before it. Others are there for what ships of groups alone,
          whose days need them.
        - `week`: the Monday of the week forecast, which is `weeks_ahead` (from 1).
        - `method`: a forecaster, `evaluation.COMBINATION`, for groups also `BOTTOM_UP` and
          `DIRECT`, or `CHOSEN` for what ships.
        - `made_by`: the forecasters that what ships is the mean of, or `BOTTOM_UP`; null for
          other methods.
        - `earlier_origins`: the number of origins whose errors chose them; null for other methods.
        - `status` now: "forecast"; "short" for less than 12 weeks, "constant" and "zero" for what
          never changed or sold, which get the simplest method and no interval; null at earlier
          origins.
        - `forecast`: null where the method cannot forecast the series; what ships is coherent: the
          series of a group add up to it.
        - `whole_forecast`: whole units that add up to those of the group; for what ships now.
        - `lower_80`, `upper_80`, `lower_95`, `upper_95`: bounds of the intervals of what ships,
          null where too few errors are known.
        - `actual`: what came; null for weeks that have not passed.
        - `scale`: mean absolute change from week to week up to the origin; null for less than 12
          weeks and where nothing changed.

    Raises:
        ValueError: There is no forecaster, or a number is below 1.
    """
    check_at_least("horizon", horizon, 1)
    check_at_least("n_origins", n_origins, 1)
    check_at_least("n_judged", n_judged, 1)
    now = len(panel.weeks)
    newest = now - horizon
    origins = [*range(max(1, newest - n_origins + 1), newest + 1), now]
    shown = list(range(max(0, len(origins) - 1 - n_judged), len(origins)))

    trials = evaluation.try_out(panel, forecasters, origins=origins, horizon=horizon)
    best = evaluation.best_methods(trials)
    trials = evaluation.with_combination(trials, best)
    chosen = trials.forecasts[-1]

    totals = panel.totals_by_group()
    group = np.searchsorted(totals.series.astype(str), panel.groups.astype(str))
    of_groups = evaluation.try_out(totals, group_forecasters, origins=origins, horizon=horizon)
    best_of_groups = evaluation.best_methods(of_groups)
    of_groups = evaluation.with_combination(of_groups, best_of_groups)
    direct = evaluation.choose(of_groups)
    sums = np.stack([sums_of_groups(np.nan_to_num(row), group) for row in chosen])
    pair = replace(
        of_groups,
        methods=(BOTTOM_UP, DIRECT),
        forecasts=np.stack([sums, evaluation.chosen_forecasts(of_groups, direct)]),
    )
    source = _choose_source(pair)
    group_forecasts = evaluation.chosen_forecasts(pair, source)
    coherent = np.stack(
        [
            reconcile(np.nan_to_num(row), group, total)
            for row, total in zip(chosen, group_forecasts, strict=True)
        ]
    )
    # A series that has not started yet has no forecast to judge.
    coherent[np.isnan(chosen)] = np.nan

    whole_totals = whole_units(group_forecasts[-1])
    whole = round_to_totals(coherent[-1], group, whole_totals)
    by_direct = _names(of_groups.methods, _members(direct, best_of_groups))
    tables = [
        _table(panel, trials, shown, "series"),
        _shipped(panel, trials, shown, "series", coherent, _names(trials.methods, best), whole),
        _table(totals, of_groups, shown, "group"),
        _table(totals, pair, shown, "group"),
        _shipped(
            totals,
            pair,
            range(len(origins)),
            "group",
            group_forecasts,
            np.where(source == 0, BOTTOM_UP, by_direct),
            whole_totals,
        ),
    ]
    judged = [origins[place] for place in shown[:-1]]
    if compared and judged:
        more = evaluation.try_out(panel, compared, origins=judged, horizon=horizon)
        tables.append(_table(panel, more, range(len(judged)), "series"))
    table = pd.concat(tables, ignore_index=True)
    first_judged = panel.weeks[0] + np.timedelta64(7, "D") * origins[shown[0]]
    table["is_judged"] = ~table["is_newest"] & (table["origin_date"] >= first_judged)
    return table


def _choose_source(pair: Trials) -> IntArray:
    """Places of the better of the pair at each origin, shape (n_origins, n_groups).

    Forecasts of neighboring origins share weeks: as many origins as there are weeks ahead count
    as one in the standard error.
    """
    errors = pair.scaled_errors.mean(axis=3)
    gain = errors[0] - errors[1]
    source = np.zeros(gain.shape, dtype=np.int64)
    for place in range(len(pair.origins)):
        passed = gain[pair.passed_by(place)]
        n_independent = len(passed) / pair.horizon
        if n_independent < _MIN_INDEPENDENT:
            continue
        bound = passed.std(axis=0, ddof=1) / np.sqrt(n_independent)
        is_known = ~np.isnan(pair.forecasts[1, place]).any(axis=1)
        # False where an earlier error is not known.
        source[place] = is_known & (passed.mean(axis=0) > bound)
    return source


def _status(panel: Panel) -> TextArray:
    """What kind of forecast each series gets, shape (n_series,)."""
    is_zero = np.nansum(panel.demand, axis=1) == 0
    is_constant = np.nanmin(panel.demand, axis=1) == np.nanmax(panel.demand, axis=1)
    is_short = (~np.isnan(panel.demand)).sum(axis=1) < MIN_WEEKS
    kinds = [is_zero, is_short, is_constant]
    status: TextArray = np.select(kinds, ["zero", "short", "constant"], "forecast").astype(object)
    return status


def _members(choice: IntArray, best: BoolArray) -> BoolArray:
    """Which methods a choice is the mean of, where the last one is the mean of the best."""
    n_methods = len(best)
    is_method = choice[None] == np.arange(n_methods)[:, None, None]
    return np.where(choice[None] == n_methods, best, is_method)


def _names(methods: Sequence[str], members: BoolArray) -> TextArray:
    """The names of the methods in one text, from an array of the shape of `best_methods`."""
    names = np.array(methods[: len(members)], dtype=object)
    n_methods, *shape = members.shape
    texts = [", ".join(names[row]) for row in members.reshape(n_methods, -1).T]
    return np.array(texts, dtype=object).reshape(shape)


def _shipped(
    panel: Panel,
    trials: Trials,
    shown: Sequence[int],
    level: str,
    forecasts: FloatArray,
    made_by: TextArray,
    whole: IntArray,
) -> pd.DataFrame:
    """One row per origin shown, series and week of what ships, with its intervals."""
    # Known for the newest origin alone.
    status = np.full(trials.scale.shape, None, dtype=object)
    status[-1] = _status(panel)
    wholes = np.full(forecasts.shape, np.nan)
    wholes[-1] = whole
    more: dict[str, NDArray[Any]] = {
        "made_by": made_by[..., None],
        "earlier_origins": np.array(
            [[[len(trials.passed_by(place))]] for place in range(len(trials.origins))]
        ),
        "status": status[..., None],
        "whole_forecast": wholes,
    }
    widths = evaluation.half_widths(trials, forecasts)
    for share, width in zip(LEVELS, widths, strict=True):
        more[f"lower_{share * 100:.0f}"] = np.maximum(forecasts - width, 0.0)
        more[f"upper_{share * 100:.0f}"] = forecasts + width
    only = replace(trials, methods=(CHOSEN,), forecasts=forecasts[None])
    return _table(panel, only, shown, level, more)


def _table(
    panel: Panel,
    trials: Trials,
    shown: Sequence[int],
    level: str,
    more: Mapping[str, NDArray[Any]] | None = None,
) -> pd.DataFrame:
    """One row per method, origin shown, series and week.

    Args:
        panel: The series.
        trials: Their forecasts.
        shown: Places of origins.
        level: What the series are.
        more: Further columns, of shapes that broadcast to (n_origins, n_series, horizon).
    """
    shape = (len(shown), len(trials.series), trials.horizon)
    origins = np.array(trials.origins)[list(shown)]
    ahead = np.arange(1, trials.horizon + 1)
    start = panel.weeks[0] + np.timedelta64(7, "D") * origins[:, None, None]
    columns: dict[str, NDArray[Any]] = {
        "series": trials.series[:, None],
        "group": trials.groups[:, None],
        "origin_date": start,
        "is_newest": (origins == len(panel.weeks))[:, None, None],
        "is_judged": np.array(False),
        "week": start + np.timedelta64(7, "D") * (ahead - 1),
        "weeks_ahead": ahead,
        "actual": trials.actual[list(shown)],
        "scale": trials.scale[list(shown)][..., None].round(_DIGITS),
    }
    for name, values in (more or {}).items():
        columns[name] = values[list(shown)]
    flat = {name: np.broadcast_to(values, shape).ravel() for name, values in columns.items()}
    tables = [
        pd.DataFrame({"level": level, "method": method, **flat, "forecast": values.ravel()})
        for method, values in zip(trials.methods, trials.forecasts[:, list(shown)], strict=True)
    ]
    table = pd.concat(tables, ignore_index=True).reindex(columns=list(COLUMNS))
    table[_ROUNDED] = table[_ROUNDED].astype(np.float64).round(_DIGITS)
    return table.astype(COLUMNS)
