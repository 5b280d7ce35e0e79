"""Whether predictions serve groups of customers alike: their level, their errors, who is chosen."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from personalization.interactions import (
    SCORE_DIGITS,
    BoolArray,
    FloatArray,
    check_at_least,
    check_columns,
    check_unique,
)

UNKNOWN: Final = "unknown"
"""The group of customers who did not tell."""

TOO_FEW: Final = "too few to say"
NO_DIFFERENCE: Final = "no difference seen"
DIFFERS: Final = "differs"

_CONFIDENCE: Final = 0.95
_FIGURES: Final = (
    *("value", "lower", "upper", "overall", "known_others", "difference_to_known_others"),
    *("p_value", "adjusted_p_value"),
)
_TYPES: Final = {
    "target": "str",
    "as_of_date": "datetime64[s]",
    **dict.fromkeys(("model", "attribute", "attribute_value", "measure"), "str"),
    **dict.fromkeys(_FIGURES, "float64"),
    **dict.fromkeys(("customers", "known_other_customers"), "int64"),
    "verdict": "str",
}


def audit_fairness(
    predictions: pd.DataFrame,
    traits: pd.DataFrame,
    *,
    attributes: Sequence[str],
    probability_targets: Collection[str],
    selected_share: float = 0.2,
    min_customers: int = 50,
) -> pd.DataFrame:
    """Compare groups of customers by what the shipped model of each target says of them.

    Each measure is a mean over the customers whom it is about:

        mean_predicted       what is predicted
        mean_actual          what came true
        bias                 predicted less actual
        selection_rate       share who are among the `selected_share` predicted highest
        true_positive_rate   the same of those to whom it happened (equal opportunity)
        false_positive_rate  the same of those to whom it did not; with the above, equalized odds

    (Hardt, Price and Srebro, "Equality of Opportunity in Supervised Learning", 2016; the rates are
    those of fairlearn, with null instead of 0 where nobody counts.) The last two are for
    probabilities only.

    A group is tested against its known others, the customers of the other groups who told theirs;
    who did not tell, against all who did. Whoever tells is often a better customer than who does
    not: against everyone else, every known group would differ, for no other reason than that. What
    is 0 or 1 of each customer (rates, and what came true of a probability) is tested by Fisher's
    exact test, other means by Welch's. All tests of a target are one family for the correction of
    Holm ("A simple sequentially rejective multiple test procedure", 1979).

    Args:
        predictions: One row per `target`, `as_of_date`, `model` and `customer_id`, as for
            `backtest_predictions`; the shipped ones of each target's latest cutoff are compared.
        traits: One row per `customer_id` with the attributes, null where not known.
        attributes: By what customers are grouped, each for itself.
        probability_targets: The targets that are probabilities; actual is 0 or 1.
        selected_share: Share of customers who would be chosen, those predicted highest.
        min_customers: With fewer to count, in the group or among its known others, nothing can be
            said.

    Returns:
        One row per `target`, `attribute`, `attribute_value` (`UNKNOWN` for null) and `measure`:
        `value` with its 95 % interval (Wilson's for what is 0 or 1, Student's for other means),
        `overall`, what all customers have, `known_others`, what those have whom the group is tested
        against, `difference_to_known_others`, `p_value`, `adjusted_p_value` (null where nothing can
        be said), `customers` and `known_other_customers` who count, and `verdict`.

    Raises:
        ValueError: A column is missing, a row is there twice, or a setting is not in its range.
    """
    check_columns(predictions, ["target", "as_of_date", "model", "customer_id", "is_shipped"])
    check_columns(predictions, ["predicted", "actual"])
    check_columns(traits, ["customer_id", *attributes])
    check_unique(traits, ["customer_id"])
    check_at_least("min_customers", min_customers, 2)
    if not 0 < selected_share < 1:
        raise ValueError(f"selected_share must be between 0 and 1, not {selected_share}")
    shipped = predictions[predictions["is_shipped"]].dropna(subset=["predicted", "actual"])
    check_unique(shipped, ["target", "as_of_date", "customer_id"])
    groups = traits.set_index("customer_id")[list(attributes)].astype(object)
    tables = [pd.DataFrame(columns=list(_TYPES)).astype(_TYPES)]
    for target, of_target in shipped.groupby("target", sort=True):
        latest = of_target[of_target["as_of_date"] == of_target["as_of_date"].max()]
        people = latest.set_index("customer_id").sort_index()
        is_probability = target in probability_targets
        measures = _measures(people, selected_share, is_probability=is_probability)
        compared = _compare(measures, groups.reindex(people.index).fillna(UNKNOWN), min_customers)
        table = pd.DataFrame(compared).assign(
            target=target, as_of_date=people["as_of_date"].iloc[0], model=people["model"].iloc[0]
        )
        tables.append(_with_verdicts(table)[list(_TYPES)].astype(_TYPES))
    return pd.concat(tables, ignore_index=True)


def holm(p_values: FloatArray) -> FloatArray:
    """Adjust p-values of one family by Holm's method; shape as given, NaN stays NaN."""
    adjusted = np.full(len(p_values), np.nan)
    order = np.argsort(p_values, kind="stable")[: np.isfinite(p_values).sum()]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(p_values[order] * factors), 1)
    return adjusted


class _Measure(NamedTuple):
    """A mean over customers.

    Attributes:
        values: One per customer, NaN for those whom it is not about.
        is_share: Whether each is 0 or 1.
    """

    values: FloatArray
    is_share: bool


def _measures(
    people: pd.DataFrame, selected_share: float, *, is_probability: bool
) -> Mapping[str, _Measure]:
    """The measures by name."""
    predicted = people["predicted"].to_numpy(np.float64)
    actual = people["actual"].to_numpy(np.float64)
    selected = np.zeros(len(people))
    # Ties by id, which the rows are sorted by.
    first = np.argsort(-predicted, kind="stable")[: int(np.ceil(selected_share * len(people)))]
    selected[first] = 1
    measures = {
        "mean_predicted": _Measure(predicted, is_share=False),
        "mean_actual": _Measure(actual, is_share=is_probability),
        "bias": _Measure(predicted - actual, is_share=False),
        "selection_rate": _Measure(selected, is_share=True),
    }
    if is_probability:
        for name, outcome in (("true_positive_rate", 1), ("false_positive_rate", 0)):
            of_outcome = np.where(actual == outcome, selected, np.nan)
            measures[name] = _Measure(of_outcome, is_share=True)
    return measures


def _compare(
    measures: Mapping[str, _Measure], groups: pd.DataFrame, min_customers: int
) -> Iterator[dict[str, Any]]:
    """Every group by every measure, without verdicts."""
    for attribute in groups.columns:
        of_attribute = groups[attribute].to_numpy(object)
        is_known = of_attribute != UNKNOWN
        for group in sorted(set(of_attribute)):
            is_member = of_attribute == group
            for name, measure in measures.items():
                yield {
                    "attribute": attribute,
                    "attribute_value": group,
                    "measure": name,
                    **_compare_group(measure, is_member, is_known & ~is_member, min_customers),
                }


def _compare_group(
    measure: _Measure, is_member: BoolArray, is_other: BoolArray, min_customers: int
) -> dict[str, float]:
    """One group beside others by one measure."""
    values, is_share = measure
    counts = np.isfinite(values)
    own, others = values[counts & is_member], values[counts & is_other]
    lower, upper = _share_interval(own) if is_share else _mean_interval(own)
    test = _share_test if is_share else _mean_test
    enough = min(len(own), len(others)) >= min_customers
    return {
        "value": _mean(own),
        "lower": lower,
        "upper": upper,
        "overall": _mean(values[counts]),
        "known_others": _mean(others),
        "difference_to_known_others": _mean(own) - _mean(others),
        "p_value": test(own, others) if enough else np.nan,
        "customers": len(own),
        "known_other_customers": len(others),
    }


def _with_verdicts(compared: pd.DataFrame) -> pd.DataFrame:
    """The table of one target, rounded, with what can be said."""
    adjusted = holm(compared["p_value"].to_numpy(np.float64))
    differs = adjusted < 1 - _CONFIDENCE
    verdict = np.where(differs, DIFFERS, np.where(np.isnan(adjusted), TOO_FEW, NO_DIFFERENCE))
    table = compared.assign(adjusted_p_value=adjusted, verdict=verdict)
    return table.round(dict.fromkeys(_FIGURES, SCORE_DIGITS))


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else np.nan


def _share_interval(values: FloatArray) -> tuple[float, float]:
    """Wilson's interval of a share."""
    if len(values) == 0:
        return np.nan, np.nan
    found = stats.binomtest(int(values.sum()), len(values)).proportion_ci(
        _CONFIDENCE, method="wilson"
    )
    return float(found.low), float(found.high)


def _mean_interval(values: FloatArray) -> tuple[float, float]:
    """Student's interval of a mean."""
    if len(values) < 2:
        return np.nan, np.nan
    margin = stats.t.ppf((1 + _CONFIDENCE) / 2, len(values) - 1) * stats.sem(values)
    return _mean(values) - float(margin), _mean(values) + float(margin)


def _share_test(own: FloatArray, others: FloatArray) -> float:
    """Fisher's exact test of two shares."""
    table = [[side.sum(), len(side) - side.sum()] for side in (own, others)]
    return float(stats.fisher_exact(np.array(table, dtype=np.int64)).pvalue)


def _mean_test(own: FloatArray, others: FloatArray) -> float:
    """Welch's test of two means; 1 where no value differs from another."""
    sides = [(side.mean(), side.std(ddof=1), len(side)) for side in (own, others)]
    p_value = stats.ttest_ind_from_stats(*sides[0], *sides[1], equal_var=False).pvalue
    return 1.0 if np.isnan(p_value) else float(p_value)
