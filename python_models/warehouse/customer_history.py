"""Customers at all cutoffs, read from relations of the warehouse, as predictions take them."""

from typing import Final

import pandas as pd
from duckdb import DuckDBPyRelation

from personalization.predictions.predicting import History

_KEYS: Final = ("customer_id", "as_of_date")
_OUTCOMES: Final = (
    "has_ordered_28d",
    "has_churned",
    "spend_28d",
    "spend_91d",
    "spend_lifetime",
    "days_until_next_order",
)


def read_history(rhythms: DuckDBPyRelation, outcomes: DuckDBPyRelation) -> History:
    """Put what came true beside what was known.

    Args:
        rhythms: `customer_rhythms`; all columns but the keys are features.
        outcomes: `int_customer_outcomes_observed`.

    Returns:
        The customers of `rhythms` with their outcomes as numbers, null where not known yet.
    """
    numbers = ", ".join(f"{column}::double as {column}" for column in _OUTCOMES)
    features = [column for column in rhythms.columns if column not in _KEYS]
    table = _frame(rhythms).merge(
        _frame(outcomes.project(f"customer_id, as_of_date, {numbers}")),
        on=[*_KEYS],
        how="left",
        validate="one_to_one",
    )
    return History(table, features)


def _frame(relation: DuckDBPyRelation) -> pd.DataFrame:
    return relation.df().astype({"customer_id": "str", "as_of_date": "datetime64[us]"})
