"""The demand of groups by day: weekly forecasts, spread as the days of the last weeks fell."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

from personalization.demand.coherence import spread_over_days, weekday_profile
from personalization.demand.evaluation import (
    LEVELS,
    Trials,
    half_widths,
    naive_scale,
    recent_changes,
)
from personalization.interactions import (
    FloatArray,
    IntArray,
    check_at_least,
    check_columns,
    check_finite,
    check_unique,
)

COLUMNS: Final[Mapping[str, str]] = {
    "group": "str",
    "origin_date": "datetime64[us]",
    "is_newest": "bool",
    "week": "datetime64[us]",
    "date": "datetime64[us]",
    "days_ahead": "int64",
    "share": "float64",
    "forecast": "float64",
    "whole_forecast": "Int64",
    **{f"{end}_{level * 100:.0f}": "float64" for level in LEVELS for end in ("lower", "upper")},
    "baseline": "float64",
    "actual": "float64",
    "scale": "float64",
}
"""Columns of `forecast_days` with their types."""

_WEEKDAYS: Final = 7
_BASELINE_WEEKS: Final = 4
_DIGITS: Final = 6
_ROUNDED: Final = [name for name, kind in COLUMNS.items() if kind == "float64"]


def forecast_days(
    groups: pd.DataFrame, daily: pd.DataFrame, *, value: str = "units", n_weeks: int = 8
) -> pd.DataFrame:
    """Spread the forecasts of groups over the days of their weeks.

    A day gets the share of the week that its weekday had in the last weeks of the group. Intervals
    come from the errors that days had at earlier origins (`evaluation.half_widths`), the change of
    a day being that from the same weekday of the week before.

    Args:
        groups: What ships of `forecast_demand` for groups, at all its origins, the last of which
            is the newest.
        daily: Demand of the past, one row per `group` and `date` with demand, and the value; days
            without may be left out. Nothing from the newest origin on matters.
        value: Name of the demand column; finite, not negative.
        n_weeks: Number of weeks looked back at from each origin.

    Returns:
        The `COLUMNS`, one row per `group`, `origin_date` and `date`, for the newest origin and
        those judged:

        - `days_ahead`: from 1, for the day that begins at the origin; `week` is its Monday.
        - `share` of the week, `forecast`, and for the newest origin `whole_forecast`, which adds
          up to that of the week.
        - `lower_80`, `upper_80`, `lower_95`, `upper_95`: bounds of the intervals, null where too
          few errors are known.
        - `baseline`: the mean of the same weekday in the last 4 weeks; null before the first sale.
        - `actual`: what came; null for days that have not passed.
        - `scale`: mean absolute change from the same weekday of the week before, up to the origin;
          null where the weeks of the group have none, or nothing changed.

    Raises:
        ValueError: A column is missing, a row is duplicated, an origin lacks a week of a group, a
            date or a number is null, a number is infinite or negative, or the number of weeks is
            below 1.
    """
    check_at_least("n_weeks", n_weeks, 1)
    check_columns(
        groups,
        [
            *("group", "origin_date", "is_newest", "is_judged", "week"),
            *("forecast", "whole_forecast", "scale"),
        ],
    )
    check_columns(daily, ["group", "date", value])
    check_unique(groups, ["group", "origin_date", "week"])
    check_unique(daily, ["group", "date"])
    check_finite(groups, "forecast", minimum=0)
    check_finite(daily, value, minimum=0)
    if daily["date"].isna().any():
        raise ValueError("column date has nulls")
    if groups.empty:
        return pd.DataFrame(columns=list(COLUMNS)).astype(COLUMNS)

    table = groups.sort_values(["origin_date", "group", "week"], ignore_index=True)
    origins = table["origin_date"].drop_duplicates().to_numpy("datetime64[D]")
    names = pd.Index(table["group"].unique()).sort_values()
    horizon, rest = divmod(len(table), len(origins) * len(names))
    if rest:
        raise ValueError("an origin lacks a week of a group")
    n_past = max(n_weeks, _BASELINE_WEEKS) * _WEEKDAYS
    first, demand = _by_day(daily, value, names, origins[0] - n_past, origins[-1])
    forecast, scale = (
        table[name].to_numpy(np.float64).reshape(len(origins), len(names), horizon)
        for name in ("forecast", "scale")
    )
    trials, shares = _try_out(
        demand, forecast, names, origins=(origins - first).astype(np.int64), n_weeks=n_weeks
    )
    trials.scale[np.isnan(scale).any(axis=2)] = np.nan
    forecasts, baseline = trials.forecasts
    whole = np.full(forecasts.shape, np.nan)
    weeks_now = table["whole_forecast"].tail(len(names) * horizon).to_numpy(np.int64)
    whole[-1] = spread_over_days(weeks_now.reshape(-1, horizon), shares[-1]).reshape(len(names), -1)

    ahead = np.arange(horizon * _WEEKDAYS)
    date = origins[:, None, None] + ahead
    columns: dict[str, Any] = {
        "group": names.to_numpy(object)[:, None],
        "origin_date": origins[:, None, None],
        "week": date - ahead % _WEEKDAYS,
        "date": date,
        "days_ahead": ahead + 1,
        "share": np.tile(shares, horizon),
        "forecast": forecasts,
        "whole_forecast": whole,
        "baseline": baseline,
        "actual": trials.actual,
        "scale": trials.scale[..., None],
    }
    widths = half_widths(trials, forecasts)
    for level, width in zip(LEVELS, widths, strict=True):
        columns[f"lower_{level * 100:.0f}"] = np.maximum(forecasts - width, 0.0)
        columns[f"upper_{level * 100:.0f}"] = forecasts + width
    by_origin = table.drop_duplicates("origin_date")
    is_newest, is_judged = by_origin[["is_newest", "is_judged"]].to_numpy(bool).T
    columns["is_newest"] = is_newest[:, None, None]
    is_shown = is_newest | is_judged
    flat = {
        name: np.broadcast_to(values, forecasts.shape)[is_shown].ravel()
        for name, values in columns.items()
    }
    days = pd.DataFrame(flat)[list(COLUMNS)]
    days[_ROUNDED] = days[_ROUNDED].round(_DIGITS)
    return days.astype(COLUMNS)


def _by_day(
    daily: pd.DataFrame,
    value: str,
    names: pd.Index,
    latest_first: np.datetime64,
    end: np.datetime64,
) -> tuple[np.datetime64, FloatArray]:
    """The first day, and the demand by group and day from it to the end, NaN before a first sale.

    The first day is that of the first sale, and no later than the one given.
    """
    date = pd.to_datetime(daily["date"]).to_numpy("datetime64[D]")
    row = names.get_indexer(pd.Index(daily["group"]))
    is_used = (row >= 0) & (date < end)
    date, row = date[is_used], row[is_used]
    first = np.min(np.append(date, latest_first))
    column = (date - first).astype(np.int64)
    demand = np.zeros((len(names), int((end - first).astype(np.int64))))
    demand[row, column] = daily[value].to_numpy(np.float64)[is_used]
    start = np.full(len(names), demand.shape[1])
    np.minimum.at(start, row, column)
    demand[np.arange(demand.shape[1]) < start[:, None]] = np.nan
    return first, demand


def _try_out(
    demand: FloatArray,
    by_week: FloatArray,
    names: pd.Index,
    *,
    origins: IntArray,
    n_weeks: int,
) -> tuple[Trials, FloatArray]:
    """Forecasts by day from those by week, the baseline, and what came of them.

    Args:
        demand: Shape (n_groups, n_days), NaN before the first sale.
        by_week: Forecasts, shape (n_origins, n_groups, n_weeks_ahead).
        names: Names of the groups.
        origins: Numbers of days that had passed.
        n_weeks: Number of weeks that tell the shares of the weekdays.

    Returns:
        The trials, and the shares, shape (n_origins, n_groups, 7).
    """
    n_ahead = by_week.shape[2] * _WEEKDAYS
    forecasts = np.full((2, *by_week.shape[:2], n_ahead), np.nan)
    shares = np.full((*by_week.shape[:2], _WEEKDAYS), np.nan)
    actual = np.full(forecasts.shape[1:], np.nan)
    scale = np.full(by_week.shape[:2], np.nan)
    recent_change = np.full(by_week.shape[:2], np.nan)
    for place, origin in enumerate(origins):
        history = demand[:, :origin]
        shares[place] = weekday_profile(np.nan_to_num(history[:, -n_weeks * _WEEKDAYS :]), n_weeks)
        spread = by_week[place][:, :, None] * shares[place][:, None, :]
        forecasts[0, place] = spread.reshape(-1, n_ahead)
        forecasts[1, place] = _means_of_weekdays(history, n_ahead)
        coming = demand[:, origin : origin + n_ahead]
        actual[place, :, : coming.shape[1]] = coming
        scale[place] = naive_scale(history, _WEEKDAYS)
        recent_change[place] = recent_changes(history, _WEEKDAYS)
    trials = Trials(
        ("chosen", "baseline"),
        tuple(origins.tolist()),
        names.to_numpy(object),
        names.to_numpy(object),
        forecasts,
        actual,
        scale,
        recent_change,
    )
    return trials, shares


def _means_of_weekdays(history: FloatArray, n_ahead: int) -> FloatArray:
    """The mean of the same weekday in the last 4 weeks, NaN for none; shape (n_groups, n_ahead)."""
    recent = history[:, -_BASELINE_WEEKS * _WEEKDAYS :].reshape(len(history), -1, _WEEKDAYS)
    count = (~np.isnan(recent)).sum(axis=1)
    with np.errstate(invalid="ignore"):
        means = np.nansum(recent, axis=1) / count
    return np.tile(means, n_ahead // _WEEKDAYS)
