"""Weekly series as a matrix, and what is known of the weeks besides the demand."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from personalization.interactions import (
    FloatArray,
    TextArray,
    check_at_least,
    check_columns,
    check_finite,
    check_ids,
    check_unique,
)

_WEEK: Final = np.timedelta64(7, "D")
# Numpy counts days from 1970-01-01, a Thursday.
_MONDAY: Final = 4
# The days of the month at which its parts begin, and the rest. Wages and benefits come early in
# the month: in its first five days the demo sells about an eighth more than usual.
_MONTH_PARTS: Final = (1, 6, 11)


@dataclass(frozen=True, slots=True, eq=False)
class Exogenous:
    """What is known of the weeks of a history, and of those to forecast, besides the demand.

    Attributes:
        calendar: Shape (n_weeks + horizon, n_calendar), the same for all series.
        exposures: Shape (n_series, n_weeks + horizon, n_exposures), for example the share of a
            category that is on display; NaN where not known: before a series starts, and after
            the history unless exposures are planned.
        is_planned: Whether the exposures of the weeks to forecast are known.
    """

    calendar: FloatArray
    exposures: FloatArray
    is_planned: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Weekly demand of several series that end in the same week.

    Attributes:
        series: Shape (n_series,), names, ascending.
        groups: Shape (n_series,), the group that each belongs to.
        weeks: Shape (n_weeks,), Mondays without gaps, as datetime64[D].
        demand: Shape (n_series, n_weeks); NaN before a series starts.
        exposures: Shape (n_series, n_weeks + n_planned_weeks, n_exposures).
        is_planned: Whether exposures are known ahead.
    """

    series: TextArray
    groups: TextArray
    weeks: NDArray[np.datetime64]
    demand: FloatArray
    exposures: FloatArray
    is_planned: bool = False

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        value: str = "units",
        exposures: Sequence[str] = (),
        plan: pd.DataFrame | None = None,
    ) -> Self:
        """Read the series from one row per series and week, in any row order.

        Args:
            frame: Columns `series` and `group` (text), `week` (its Monday), the value and the
                exposures. A series may start late but then has every week to the last one;
                weeks without demand are rows with 0.
            value: Name of the demand column; finite, not negative.
            exposures: Names of exposure columns; finite, not negative.
            plan: The exposures of the weeks after the last, one row per series and week, for
                shops that know them ahead; with it, forecasts look at the exposures of the weeks
                they are for, otherwise only at those of the past.

        Returns:
            The panel.

        Raises:
            ValueError: There are no rows, a column is missing, a name is null or not text, a week
                is no Monday, a row is duplicated, a series has a gap, ends early or changes its
                group, or a number is null, infinite or negative.
        """
        check_columns(frame, ["series", "group", "week", value, *exposures])
        if frame.empty:
            raise ValueError("there are no weeks to learn from")
        check_ids(frame, ["series", "group"])
        check_unique(frame, ["series", "week"])
        for column in (value, *exposures):
            check_finite(frame, column, minimum=0)
        row, names = pd.factorize(frame["series"], sort=True)
        week = _mondays(frame["week"])
        weeks = np.arange(week.min(), week.max() + _WEEK, _WEEK)
        column_of_row = (week - week.min()) // _WEEK
        values = np.full((len(names), len(weeks)), np.nan)
        values[row, column_of_row] = frame[value].to_numpy(np.float64)
        if np.isnan(values[:, -1]).any() or (np.diff(np.isnan(values).astype(int)) > 0).any():
            raise ValueError("a series has a gap or ends before the last week")
        by_series = pd.DataFrame({"row": row, "group": frame["group"].to_numpy(object)})
        groups = by_series.drop_duplicates().sort_values("row")
        if len(groups) > len(names):
            raise ValueError("a series changes its group")
        known = np.full((*values.shape, len(exposures)), np.nan)
        known[row, column_of_row] = frame[list(exposures)].to_numpy(np.float64)
        if plan is not None:
            planned = _read_plan(plan, pd.Index(names), weeks[-1], exposures)
            known = np.concatenate([known, planned], axis=1)
        return cls(
            names.to_numpy(object),
            groups["group"].to_numpy(object),
            weeks,
            values,
            known,
            plan is not None,
        )

    def known_at(self, origin: int, horizon: int) -> tuple[FloatArray, Exogenous]:
        """What may be known after the first `origin` weeks.

        Args:
            origin: Number of weeks that have passed; from 1 to n_weeks.
            horizon: Number of weeks to forecast.

        Returns:
            The history, shape (n_series, origin), and the exogenous data up to the horizon.

        Raises:
            ValueError: The origin or the horizon is below 1, the origin is beyond the last week,
                or exposures are planned but not up to the horizon.
        """
        check_at_least("origin", origin, 1)
        check_at_least("horizon", horizon, 1)
        if origin > len(self.weeks):
            raise ValueError(f"origin must be at most {len(self.weeks)}, not {origin}")
        end = origin + horizon
        known = end if self.is_planned else origin
        if known > self.exposures.shape[1]:
            raise ValueError("exposures are not planned up to the horizon")
        n_series, _, n_exposures = self.exposures.shape
        exposures = np.full((n_series, end, n_exposures), np.nan)
        exposures[:, :known] = self.exposures[:, :known]
        weeks = self.weeks[0] + np.arange(end) * _WEEK
        return (
            self.demand[:, :origin].copy(),
            Exogenous(month_calendar(weeks), exposures, self.is_planned),
        )

    def totals_by_group(self) -> "Panel":
        """The panel of the sums of each group, without exposures, by name of group."""
        names, group = np.unique(self.groups.astype(str), return_inverse=True)
        values = np.full((len(names), len(self.weeks)), np.nan)
        for place in range(len(names)):
            members = self.demand[group == place]
            started = ~np.isnan(members).all(axis=0)
            values[place, started] = np.nansum(members[:, started], axis=0)
        names = names.astype(object)
        return Panel(names, names, self.weeks, values, np.empty((*values.shape, 0)))


def month_calendar(weeks: NDArray[np.datetime64]) -> FloatArray:
    """How much of each week lies in the first and in the second five days of a month.

    Args:
        weeks: Shape (n_weeks,), Mondays as datetime64[D].

    Returns:
        Shares from 0 to 1, shape (n_weeks, 2).
    """
    days = weeks[:, None] + np.arange(7)
    day_of_month = (days - days.astype("datetime64[M]").astype(days.dtype)).astype(np.int64) + 1
    parts = [
        ((day_of_month >= start) & (day_of_month < end)).mean(axis=1)
        for start, end in pairwise(_MONTH_PARTS)
    ]
    return np.stack(parts, axis=1)


def _mondays(values: pd.Series) -> NDArray[np.datetime64]:
    """The weeks as datetime64[D]; a ValueError for nulls and for days that are no Mondays."""
    days = pd.to_datetime(values).to_numpy("datetime64[D]")
    if np.isnat(days).any() or ((days.astype(np.int64) - _MONDAY) % 7 != 0).any():
        raise ValueError("column week has values that are no Mondays")
    return days


def _read_plan(
    plan: pd.DataFrame, names: pd.Index, last: np.datetime64, exposures: Sequence[str]
) -> FloatArray:
    """The exposures of the weeks after the last, shape (n_series, n_planned_weeks, n_exposures)."""
    check_columns(plan, ["series", "week", *exposures])
    check_unique(plan, ["series", "week"])
    for column in exposures:
        check_finite(plan, column, minimum=0)
    ahead = (_mondays(plan["week"]) - last) // _WEEK - 1
    row = names.get_indexer(pd.Index(plan["series"]))
    if (row < 0).any() or (ahead < 0).any():
        raise ValueError("the plan has unknown series or weeks that have passed")
    planned = np.full((len(names), int(ahead.max(initial=-1)) + 1, len(exposures)), np.nan)
    planned[row, ahead] = plan[list(exposures)].to_numpy(np.float64)
    if np.isnan(planned).any():
        raise ValueError("the plan lacks weeks of some series")
    return planned
