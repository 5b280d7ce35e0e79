"""How far features and scores moved from one cutoff to the next."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats

from personalization.interactions import SCORE_DIGITS, FloatArray, IntArray, check_columns

ANOTHER_MODEL: Final = "another model"
GROWS: Final = "grows by construction"
TOO_FEW: Final = "too few to say"
DRIFTED: Final = "drifted"
WATCH: Final = "watch"
STABLE: Final = "stable"

PROBABILITY_EDGES: Final[FloatArray] = np.arange(1, 10) / 10
"""Where one bin of probabilities ends and the next begins."""

_BINS: Final = 10
_CHANCE: Final = 0.95
# Before them lies an eighth of a sum that fades, which hardly grows any more.
_HALF_LIVES: Final = 3
_TYPES: Final = {
    **dict.fromkeys(("subject_type", "subject"), "str"),
    **dict.fromkeys(("as_of_date", "reference_date"), "datetime64[s]"),
    **dict.fromkeys(("model", "reference_model"), "str"),
    **dict.fromkeys(("psi", "psi_by_chance", "ks"), "float64"),
    **dict.fromkeys(("customers", "reference_customers"), "int64"),
    "verdict": "str",
}


@dataclass(frozen=True)
class Limits:
    """From where on a movement is worth a look, and from where on it is a drift.

    Attributes:
        psi_watch: Population stability index to watch.
        psi_drifted: Of a drift.
        ks_watch: Kolmogorov-Smirnov distance to watch, without which there is no drift either.
    """

    psi_watch: float = 0.1
    psi_drifted: float = 0.25
    ks_watch: float = 0.1

    def verdict(self, psi: float, psi_by_chance: float, ks: float) -> str:
        """Say how far it moved; nothing where chance alone would be worth a look.

        Either measure is enough for a look. A drift needs both: the index alone is large where a
        few customers come to a bin that was empty, the distance alone where all move by little.
        """
        if psi_by_chance >= self.psi_watch:
            return TOO_FEW
        if psi >= self.psi_drifted and ks >= self.ks_watch:
            return DRIFTED
        if psi >= self.psi_watch or ks >= self.ks_watch:
            return WATCH
        return STABLE


def measure_drift(
    features: pd.DataFrame,
    scores: pd.DataFrame,
    *,
    probability_targets: Collection[str],
    lifetime_features: Collection[str],
    first_data_date: date,
    limits: Limits,
) -> pd.DataFrame:
    """Compare features and scores of the customers at each cutoff with those at the one before.

    What adds up over a customer's lifetime grows from cutoff to cutoff. So does what adds up over
    a window that reaches back beyond the first day of the data. Neither is a drift.

    The scores of the model that ships at a cutoff are compared with what the same model said at
    the cutoff before, whether or not it shipped then. Where it said nothing then, they are beside
    those of another model, which proves no drift.

    Args:
        features: One row per customer and `as_of_date`; every other column is a number, whose
            name tells its days where it has some: `orders_84d` of a window, `decayed_orders_28d`
            with a half-life, `week_0` of one week, the last.
        scores: One row per customer, `target`, `as_of_date` and `model`: `predicted` (not null)
            and `is_shipped`, true of one model at most.
        probability_targets: The targets that are probabilities, whose bins are a tenth wide; those
            of all else hold a tenth of the reference each.
        lifetime_features: Features that add up over all of a customer's time.
        first_data_date: First day of the data.
        limits: When a movement is a drift.

    Returns:
        One row per `subject_type` ("feature" or "score"), `subject` and `as_of_date`, the first
        cutoff of each subject left out: `reference_date` (its cutoff before), `model` and
        `reference_model` (null for features), `psi` and `psi_by_chance` as of `stability_index`,
        `ks` as of `ks_distance`, `customers`, `reference_customers` and `verdict`.

    Raises:
        ValueError: A column is missing.
    """
    check_columns(features, ["as_of_date"])
    check_columns(scores, ["target", "as_of_date", "model", "predicted", "is_shipped"])
    rows = [
        *_compare_features(features, lifetime_features, pd.Timestamp(first_data_date), limits),
        *_compare_scores(scores, probability_targets, limits),
    ]
    table = pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)
    return table.sort_values(["subject_type", "subject", "as_of_date"], ignore_index=True)


def tenths(values: FloatArray) -> FloatArray:
    """The largest value of each tenth but the last, NaN left out; fewer where values are equal."""
    known = np.sort(values[np.isfinite(values)])
    # In whole numbers: 0.3 * 10 is more than 3.
    last = -(-len(known) * np.arange(1, _BINS) // _BINS) - 1
    return np.unique(known[last]) if len(known) else known


def stability_index(
    reference: FloatArray, current: FloatArray, edges: FloatArray
) -> tuple[float, float]:
    """Population stability index: Σ (q - p) ln(q / p) over bins.

    p and q are the shares of the reference and of now (Siddiqi, "Credit Risk Scorecards", 2006).
    Missing values are a bin of their own, bins empty both times are none. Half a customer more in
    each bin keeps those empty once from an infinite index.

    Args:
        reference: Values then, NaN where missing.
        current: Values now.
        edges: The largest value of each bin but the last, ascending.

    Returns:
        The index, 0 where nothing moved, and the index that chance alone exceeds once in twenty
        times where nothing did: the quantile of χ² times (1/n + 1/m), with one degree of freedom
        less than there are bins (Yurdakul, "Statistical Properties of Population Stability Index",
        2018). NaN, and infinite, without customers then or now.
    """
    if len(reference) == 0 or len(current) == 0:
        return np.nan, np.inf
    counts = np.array([_count(values, edges) for values in (reference, current)], dtype=np.float64)
    counts = counts[:, counts.any(axis=0)] + 0.5
    then, now = counts / counts.sum(axis=1, keepdims=True)
    chance = stats.chi2.ppf(_CHANCE, max(len(then) - 1, 1))
    psi = float(((now - then) * np.log(now / then)).sum())
    return psi, float(chance) * (1 / len(reference) + 1 / len(current))


def ks_distance(reference: FloatArray, current: FloatArray) -> float:
    """Largest distance of the two distribution functions, the statistic of Kolmogorov and Smirnov.

    Args:
        reference: Values then; NaN, a missing value, counts as larger than any other.
        current: Values now, likewise.

    Returns:
        From 0 to 1; NaN without customers then or now. Without a p-value, since most customers are
        there both times.
    """
    if len(reference) == 0 or len(current) == 0:
        return np.nan
    sides = [
        np.sort(np.where(np.isfinite(values), values, np.inf)) for values in (reference, current)
    ]
    everything = np.concatenate(sides)
    then, now = (np.searchsorted(side, everything, side="right") / len(side) for side in sides)
    return float(np.abs(then - now).max())


def _compare_features(
    features: pd.DataFrame,
    lifetime_features: Collection[str],
    first_day: pd.Timestamp,
    limits: Limits,
) -> Iterator[dict[str, Any]]:
    """Each feature at each cutoff but the first."""
    names = [str(name) for name in features.columns.drop("as_of_date")]
    for (reference_date, then), (as_of_date, now) in pairwise(_by_date(features)):
        days_of_data = (reference_date - first_day).days
        for name in names:
            reference, current = _values(then[name]), _values(now[name])
            found = _compare(reference, current, tenths(reference), limits)
            if name in lifetime_features or _days_summed(name) > days_of_data:
                found["verdict"] = GROWS
            yield {
                "subject_type": "feature",
                "subject": name,
                "as_of_date": as_of_date,
                "reference_date": reference_date,
                **found,
            }


def _compare_scores(
    scores: pd.DataFrame, probability_targets: Collection[str], limits: Limits
) -> Iterator[dict[str, Any]]:
    """The scores that ship for each target at each cutoff but the first."""
    for target, of_target in scores.groupby("target", sort=True):
        shipped = of_target[of_target["is_shipped"]]
        for (reference_date, then), (as_of_date, now) in pairwise(_by_date(shipped)):
            model = now["model"].iloc[0]
            same = of_target[
                (of_target["as_of_date"] == reference_date) & (of_target["model"] == model)
            ]
            before = then if same.empty else same
            reference, current = _values(before["predicted"]), _values(now["predicted"])
            edges = PROBABILITY_EDGES if target in probability_targets else tenths(reference)
            found = _compare(reference, current, edges, limits)
            if same.empty:
                found["verdict"] = ANOTHER_MODEL
            yield {
                "subject_type": "score",
                "subject": target,
                "as_of_date": as_of_date,
                "reference_date": reference_date,
                "model": model,
                "reference_model": before["model"].iloc[0],
                **found,
            }


def _compare(
    reference: FloatArray, current: FloatArray, edges: FloatArray, limits: Limits
) -> dict[str, Any]:
    """How far values moved."""
    psi, by_chance = stability_index(reference, current, edges)
    ks = ks_distance(reference, current)
    return {
        "psi": round(psi, SCORE_DIGITS),
        "psi_by_chance": round(by_chance, SCORE_DIGITS),
        "ks": round(ks, SCORE_DIGITS),
        "customers": len(current),
        "reference_customers": len(reference),
        "verdict": limits.verdict(psi, by_chance, ks),
    }


def _by_date(frame: pd.DataFrame) -> Iterator[tuple[pd.Timestamp, pd.DataFrame]]:
    """The rows of each cutoff, the oldest first."""
    for as_of_date in sorted(frame["as_of_date"].unique()):
        yield pd.Timestamp(as_of_date), frame[frame["as_of_date"] == as_of_date]


def _days_summed(feature: str) -> int:
    """How many days of data a feature adds up, by its name; 0 where it adds up none."""
    if week := re.fullmatch(r"week_(\d+)", feature):
        return 7 * (int(week[1]) + 1)
    if window := re.search(r"_(\d+)d$", feature):
        return int(window[1]) * (_HALF_LIVES if feature.startswith("decayed_") else 1)
    return 0


def _values(column: pd.Series) -> FloatArray:
    """The values of a column, NaN for null."""
    return column.to_numpy(np.float64, na_value=np.nan)


def _count(values: FloatArray, edges: FloatArray) -> IntArray:
    """How many values are in each bin, the last for missing ones."""
    is_known = np.isfinite(values)
    bins = np.where(is_known, np.searchsorted(edges, values, side="left"), len(edges) + 1)
    return np.bincount(bins, minlength=len(edges) + 2).astype(np.int64)
