"""Forecasts from the tables of a warehouse, and as tables: also where there is nothing to tell."""

from collections.abc import Sequence
from typing import Final

import pandas as pd

from personalization.demand import days as by_day
from personalization.demand.panel import Panel
from personalization.demand.report import COLUMNS, FORECASTERS, forecast_demand
from personalization.interactions import check_columns

EXPOSURES: Final = ("display_share", "mailer_share")
"""Columns that tell how much of a category was promoted."""

_LEVELS: Final = {"series": "category", "group": "department"}
# Words that mean something else to an engine of SQL.
_NAMES: Final = {"group": "department", "week": "week_start_date", "date": "forecast_date"}
_REVERSE: Final = {name: own for own, name in _NAMES.items()}
_FORECAST_COLUMNS: Final = {_NAMES.get(name, name): kind for name, kind in COLUMNS.items()}


def category_forecasts(
    weeks: pd.DataFrame,
    *,
    methods: Sequence[str],
    compared_methods: Sequence[str],
    horizon: int,
    n_origins: int,
    n_judged: int,
) -> pd.DataFrame:
    """Forecast categories and departments from what they sold by week.

    Args:
        weeks: One row per category and week as in `Panel.from_frame`: `series`, `department`,
            `week_start_date`, `units` and the `EXPOSURES`.
        methods: Names of `FORECASTERS` that what ships is made of; the baseline ships with them.
        compared_methods: Names of those that are only judged beside the others.
        horizon: Number of weeks to forecast.
        n_origins: Largest number of earlier origins that methods are chosen by.
        n_judged: Number of newest origins at which forecasts are told beside what came.

    Returns:
        What `forecast_demand` returns, with `level` "category" or "department" and the columns
        `department` and `week_start_date` for `group` and `week`. Empty where no week was sold.

    Raises:
        ValueError: A method is unknown, or the weeks or a number are not as they should be.
    """
    unknown = sorted({*methods, *compared_methods} - FORECASTERS.keys())
    if unknown:
        raise ValueError(f"unknown methods: {', '.join(unknown)}")
    check_columns(weeks, ["series", "department", "week_start_date", "units", *EXPOSURES])
    if weeks.empty:
        return pd.DataFrame(columns=list(_FORECAST_COLUMNS)).astype(_FORECAST_COLUMNS)
    # From simple to complex. The first is the baseline, and ships where nothing else can.
    ships = {
        name: forecaster
        for place, (name, forecaster) in enumerate(FORECASTERS.items())
        if place == 0 or name in methods
    }
    compared = {
        name: forecaster
        for name, forecaster in FORECASTERS.items()
        if name in compared_methods and name not in ships
    }
    forecasts = forecast_demand(
        Panel.from_frame(weeks.rename(columns=_REVERSE), exposures=EXPOSURES),
        ships,
        compared=compared,
        horizon=horizon,
        n_origins=n_origins,
        n_judged=n_judged,
    )
    return forecasts.assign(level=forecasts["level"].map(_LEVELS)).rename(columns=_NAMES)


def department_days(forecasts: pd.DataFrame, days: pd.DataFrame) -> pd.DataFrame:
    """Spread the weeks of departments over their days.

    Args:
        forecasts: What ships of `category_forecasts` for departments, at all its origins.
        days: One row per `department` and `order_date` with demand: its `units`.

    Returns:
        What `forecast_days` returns, with the columns `department`, `week_start_date` and
        `forecast_date` for `group`, `week` and `date`. Empty where there are no forecasts.

    Raises:
        ValueError: The tables are not as `forecast_days` needs them.
    """
    check_columns(days, ["department", "order_date", "units"])
    spread = by_day.forecast_days(
        forecasts.rename(columns=_REVERSE),
        days.rename(columns={"department": "group", "order_date": "date"}),
    )
    return spread.rename(columns=_NAMES)
