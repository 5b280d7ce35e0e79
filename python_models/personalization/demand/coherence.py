"""Forecasts whose parts add up: categories to departments, days to weeks, to the last unit."""

from typing import Final

import numpy as np

from personalization.interactions import FloatArray, IntArray, check_at_least, rank_within

_WEEKDAYS: Final = 7


def sums_of_groups(values: FloatArray, group: IntArray) -> FloatArray:
    """Sum the rows of each group.

    Args:
        values: Shape (n_series, ...).
        group: Shape (n_series,), from 0, every number in use.

    Returns:
        Shape (n_groups, ...).
    """
    sums = np.zeros((int(group.max(initial=-1)) + 1, *values.shape[1:]))
    np.add.at(sums, group, values)
    return sums


def reconcile(forecasts: FloatArray, group: IntArray, totals: FloatArray) -> FloatArray:
    """Stretch the forecasts of each group so that they add up to a given total.

    Proportions stay as they are. Where all are 0, the total is shared out evenly.

    Args:
        forecasts: Shape (n_series, horizon), not negative.
        group: Shape (n_series,), from 0.
        totals: Shape (n_groups, horizon), not negative.

    Returns:
        Shape (n_series, horizon).

    Raises:
        ValueError: A value is negative or not finite.
    """
    _check_amounts(forecasts)
    _check_amounts(totals)
    sums = sums_of_groups(forecasts, group)[group]
    size = np.bincount(group)[group][:, None]
    # Shares first: a total divided by next to nothing may be beyond all numbers.
    shares = np.where(sums > 0, forecasts / np.where(sums > 0, sums, 1.0), 1 / size)
    stretched: FloatArray = shares * totals[group]
    return stretched


def round_to_totals(values: FloatArray, group: IntArray, totals: IntArray) -> IntArray:
    """Round to whole units that add up to the total of each group.

    Values are stretched to the total and rounded down; the units left over go to the largest
    remainders, the first of equal ones first (Hamilton's method).

    Args:
        values: Shape (n_series, n_columns), not negative.
        group: Shape (n_series,), from 0.
        totals: Shape (n_groups, n_columns), not negative.

    Returns:
        Whole units, shape (n_series, n_columns).

    Raises:
        ValueError: A value is negative or not finite.
    """
    exact = reconcile(values, group, totals.astype(np.float64))
    # What is whole but for the last digit of a product must not lose a unit.
    whole = np.floor(np.round(exact, 6))
    left = totals - sums_of_groups(whole, group).astype(np.int64)
    for column, remainders in enumerate(np.maximum(exact - whole, 0.0).T):
        order, rank = rank_within(group, remainders, np.arange(len(group)))
        whole[order, column] += rank <= left[group[order], column]
    return whole.astype(np.int64)


def whole_units(values: FloatArray) -> IntArray:
    """Round to the nearest whole unit, halves up."""
    return np.floor(values + 0.5).astype(np.int64)


def weekday_profile(daily: FloatArray, n_weeks: int = 8) -> FloatArray:
    """How the demand of a week falls on its days, by the last weeks.

    Args:
        daily: Shape (n_series, n_days), whole weeks from Monday to Sunday, not negative; 0 before
            a series starts.
        n_weeks: Number of weeks looked back at.

    Returns:
        Shares that sum to 1, shape (n_series, 7); even ones where nothing was sold.

    Raises:
        ValueError: Days are no whole weeks, the number of weeks is below 1, or a value is negative
            or not finite.
    """
    check_at_least("n_weeks", n_weeks, 1)
    _check_amounts(daily)
    if daily.shape[1] == 0 or daily.shape[1] % _WEEKDAYS:
        raise ValueError("days must be whole weeks")
    by_week = daily.reshape(len(daily), -1, _WEEKDAYS)[:, -n_weeks:]
    by_day = by_week.sum(axis=1)
    total = by_day.sum(axis=1, keepdims=True)
    return np.where(total > 0, by_day / np.where(total > 0, total, 1.0), 1 / _WEEKDAYS)


def spread_over_days(weekly: IntArray, profile: FloatArray) -> IntArray:
    """Spread whole units of weeks over their days, so that the days add up to the week.

    Args:
        weekly: Shape (n_series, horizon), not negative.
        profile: Shape (n_series, 7), what `weekday_profile` returns.

    Returns:
        Whole units, shape (n_series, horizon, 7).

    Raises:
        ValueError: A value is negative or not finite.
    """
    n_series, horizon = weekly.shape
    days = np.repeat(profile, horizon, axis=0).reshape(-1, 1)
    week = np.repeat(np.arange(n_series * horizon), _WEEKDAYS)
    return round_to_totals(days, week, weekly.reshape(-1, 1)).reshape(n_series, horizon, _WEEKDAYS)


def _check_amounts(values: FloatArray) -> None:
    """Raise a ValueError unless all values are finite and not negative."""
    if not np.isfinite(values).all() or (values < 0).any():
        raise ValueError("amounts must be finite and not negative")
