"""The demand of the coming weeks, with its intervals, and how such forecasts did before."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from personalization.demand import evaluation, pooled
from personalization.demand.coherence import (
    reconcile,
    round_to_totals,
    spread_over_days,
    sums_of_groups,
    weekday_profile,
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
    FloatArray,
    IntArray,
    TextArray,
    check_at_least,
    check_columns,
    check_finite,
    check_unique,
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
    "ridge": pooled.ridge(),
    "support_vectors": pooled.support_vectors(),
    "random_forest": pooled.random_forest(),
    "boosted_trees": pooled.boosted_trees(),
}
"""Forecasters that learn from all series at once, after those of one series."""

# Forecasts without weeks in common below which a group's own forecast is not trusted.
_MIN_INDEPENDENT: Final = 2


@dataclass(frozen=True, slots=True, eq=False)
class DemandReport:
    """Forecasts of the weeks after the last, and how those of earlier weeks did.

    Attributes:
        forecasts: One row per `series`, with its `group`, and `week` (its Monday), which is
            `weeks_ahead` (from 1): the `method`, the `status` of the series ("forecast"; "short"
            for less than 12 weeks, "constant" and "zero" for what never changed or sold, which
            get the simplest method and no interval), the `forecast`, coherent with that of its
            group; the bounds `lower_80`, `upper_80`, `lower_95` and `upper_95` of its intervals,
            null where there are none; and `whole_forecast`, whole units that add up to those of
            the group.
        groups: The same per `group` and `week`; the method is `BOTTOM_UP` or `DIRECT`.
        accuracy: What `evaluation.accuracy` returns for each method and for what ships (`CHOSEN`)
            at the newest origins, with the `scope` "series" or "group".
        coverage: What `evaluation.coverage` returns there for what ships, with the same `scope`.
    """

    forecasts: pd.DataFrame
    groups: pd.DataFrame
    accuracy: pd.DataFrame
    coverage: pd.DataFrame


def forecast_demand(
    panel: Panel,
    forecasters: Mapping[str, Forecaster],
    *,
    group_forecasters: Mapping[str, Forecaster] = LADDER,
    horizon: int = 4,
    n_origins: int = 29,
    n_judged: int = 6,
    method: str | None = None,
) -> DemandReport:
    """Choose forecasters by earlier origins, forecast, and say how well that did.

    At each of the newest origins and now, forecasters are chosen by the origins before alone
    (`evaluation.choose`), so what is judged is what would have shipped. The forecasts of a group
    are stretched to the forecast of the group from its own past where that was better than
    their sum by more than one standard error of the mean difference over earlier origins.

    Args:
        panel: The series.
        forecasters: By name, from simple to complex; the first must forecast every series.
        group_forecasters: The same for groups.
        horizon: Number of weeks to forecast.
        n_origins: Largest number of earlier origins; more take longer and choose better.
        n_judged: Number of newest origins that accuracy and coverage are of.
        method: What ships for every series instead of what is chosen, for example
            `evaluation.COMBINATION`.

    Returns:
        The report; accuracy and coverage are empty when no forecast week has passed yet.

    Raises:
        ValueError: There is no forecaster or none of the name of `method`, or a number is below 1.
    """
    check_at_least("horizon", horizon, 1)
    check_at_least("n_origins", n_origins, 1)
    check_at_least("n_judged", n_judged, 1)
    now = len(panel.weeks)
    newest = now - horizon
    origins = [*range(max(1, newest - n_origins + 1), newest + 1), now]
    judged = list(range(max(0, len(origins) - 1 - n_judged), len(origins) - 1))

    trials = evaluation.with_combination(
        evaluation.try_out(panel, forecasters, origins=origins, horizon=horizon)
    )
    choice = evaluation.choose(trials) if method is None else evaluation.always(trials, method)
    chosen = evaluation.chosen_forecasts(trials, choice)

    totals = panel.totals_by_group()
    group = np.searchsorted(totals.series.astype(str), panel.groups.astype(str))
    sums = np.stack([sums_of_groups(np.nan_to_num(row), group) for row in chosen])
    pair = _pair_of(
        evaluation.with_combination(
            evaluation.try_out(totals, group_forecasters, origins=origins, horizon=horizon)
        ),
        sums,
    )
    source = _choose_source(pair)
    group_forecasts = evaluation.chosen_forecasts(pair, source)
    group_widths = evaluation.half_widths(pair, group_forecasts)
    coherent = np.stack(
        [
            reconcile(np.nan_to_num(row), group, total)
            for row, total in zip(chosen, group_forecasts, strict=True)
        ]
    )
    # A series that has not started yet has no forecast to judge.
    coherent[np.isnan(chosen)] = np.nan
    widths = evaluation.half_widths(trials, coherent)

    whole_totals = whole_units(group_forecasts[-1])
    series_table = _table(
        panel,
        {"series": panel.series, "group": panel.groups},
        method=np.array(trials.methods, dtype=object)[choice[-1]],
        status=_status(panel),
        forecast=coherent[-1],
        widths=widths[:, -1],
        whole=round_to_totals(coherent[-1], group, whole_totals),
    )
    group_table = _table(
        totals,
        {"group": totals.series},
        method=np.array(pair.methods, dtype=object)[source[-1]],
        status=_status(totals),
        forecast=group_forecasts[-1],
        widths=group_widths[:, -1],
        whole=whole_totals,
    )
    of_series = dict(zip(trials.methods, trials.forecasts, strict=True)) | {CHOSEN: coherent}
    of_groups = dict(zip(pair.methods, pair.forecasts, strict=True)) | {CHOSEN: group_forecasts}
    return DemandReport(
        series_table,
        group_table,
        accuracy=_both_scopes(
            evaluation.accuracy(trials, of_series, judged),
            evaluation.accuracy(pair, of_groups, judged),
        ),
        coverage=_both_scopes(
            evaluation.coverage(trials, coherent, widths, judged),
            evaluation.coverage(pair, group_forecasts, group_widths, judged),
        ),
    )


def spread_groups_over_days(
    groups: pd.DataFrame, daily: pd.DataFrame, *, value: str = "units", n_weeks: int = 8
) -> pd.DataFrame:
    """Spread the forecasts of groups over the days of their weeks.

    A day gets the share of the week that its weekday had in the last weeks of the group.

    Args:
        groups: `DemandReport.groups`.
        daily: Past demand, one row per `group` and `date` with demand, and the value; days
            without may be left out. Days outside the last weeks do not matter.
        value: Name of the demand column; finite, not negative.
        n_weeks: Number of weeks looked back at from the first week forecast.

    Returns:
        One row per `group`, `week` and `date`: `share` of the week, `forecast`, and
        `whole_forecast`, which adds up to that of the week.

    Raises:
        ValueError: A column is missing, a row is duplicated, a date or a number is null, a number
            is infinite or negative, or the number of weeks is below 1.
    """
    check_at_least("n_weeks", n_weeks, 1)
    check_columns(groups, ["group", "week", "forecast", "whole_forecast"])
    check_columns(daily, ["group", "date", value])
    check_unique(daily, ["group", "date"])
    check_finite(daily, value, minimum=0)
    if daily["date"].isna().any():
        raise ValueError("column date has nulls")
    table = groups.sort_values(["group", "week"], ignore_index=True)
    row, names = pd.factorize(table["group"])
    first = table["week"].min()
    past = np.zeros((len(names), 7 * n_weeks))
    member = names.get_indexer(pd.Index(daily["group"]))
    before = (pd.to_datetime(daily["date"]) - first).dt.days.to_numpy(np.int64)
    is_used = (member >= 0) & (before < 0) & (before >= -past.shape[1])
    past[member[is_used], before[is_used]] = daily[value].to_numpy(np.float64)[is_used]
    profile = weekday_profile(past, n_weeks)[row]
    whole = spread_over_days(table[["whole_forecast"]].to_numpy(np.int64), profile)
    days = table.loc[table.index.repeat(7), ["group", "week"]].reset_index(drop=True)
    return days.assign(
        date=days["week"] + pd.to_timedelta(np.tile(np.arange(7), len(table)), unit="D"),
        share=profile.ravel(),
        forecast=(profile * table[["forecast"]].to_numpy()).ravel(),
        whole_forecast=whole.ravel(),
    )


def _pair_of(direct: Trials, sums: FloatArray) -> Trials:
    """The sums of series against what was chosen of the forecasts of the groups themselves."""
    own = evaluation.chosen_forecasts(direct, evaluation.choose(direct))
    return replace(direct, methods=(BOTTOM_UP, DIRECT), forecasts=np.stack([sums, own]))


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


def _table(
    panel: Panel,
    names: Mapping[str, TextArray],
    *,
    method: TextArray,
    status: TextArray,
    forecast: FloatArray,
    widths: FloatArray,
    whole: IntArray,
) -> pd.DataFrame:
    """One row per series and week to forecast."""
    n_series, horizon = forecast.shape
    ahead = np.arange(1, horizon + 1)
    bounds = {}
    for level, width in zip(LEVELS, widths, strict=True):
        bounds[f"lower_{level:.0%}".rstrip("%")] = np.maximum(forecast - width, 0.0).ravel()
        bounds[f"upper_{level:.0%}".rstrip("%")] = (forecast + width).ravel()
    of_series = {**names, "method": method, "status": status}
    columns = {name: np.repeat(values, horizon) for name, values in of_series.items()}
    weeks = panel.weeks[-1] + np.timedelta64(7, "D") * ahead
    return pd.DataFrame(
        {
            **{name: columns[name] for name in names},
            "week": pd.to_datetime(np.tile(weeks, n_series)),
            "weeks_ahead": np.tile(ahead, n_series),
            "method": columns["method"],
            "status": columns["status"],
            "forecast": forecast.ravel(),
            **bounds,
            "whole_forecast": whole.ravel(),
        }
    )


def _both_scopes(of_series: pd.DataFrame, of_groups: pd.DataFrame) -> pd.DataFrame:
    """One table of both, told apart by `scope`."""
    tables = [of_series.assign(scope="series"), of_groups.assign(scope="group")]
    both = pd.concat(tables, ignore_index=True)
    return both[["scope", *of_series.columns]]
