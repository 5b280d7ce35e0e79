from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from benchmarks.outcomes import next_categories, order_days, outcomes
from benchmarks.prediction_accuracy import auc, ece, judge, summarize

CUTOFF = "2017-07-17"
# Household, UTC time, amount, product. In New York, 04:00 in UTC is midnight in summer.
TRANSACTIONS = [
    ("1", "2017-07-17 03:59:59", 1.0, 1),  # the day before
    ("1", "2017-07-17 04:00:00", 2.0, 1),  # the first moment of the period
    ("1", "2017-08-14 03:59:59", 4.0, 2),  # its last
    ("1", "2017-08-14 04:00:00", 8.0, 2),
    ("2", "2017-06-01 12:00:00", 1.0, 1),
    ("2", "2017-10-16 03:59:59", 16.0, 2),  # the last moment of 91 days
    ("3", "2017-06-01 12:00:00", 1.0, 1),
    ("3", "2017-10-16 04:00:00", 32.0, 2),  # too late
    ("4", "2017-08-01 12:00:00", 64.0, 2),  # not known at the cutoff
    (None, "2017-08-01 12:00:00", 1.0, 1),
    ("3", "2017-12-31 12:00:00", 1.0, 1),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    lines = ", ".join(
        f"({household or 'null'}, {basket}, {product}, 1, {amount}, timestamp '{moment}')"
        for basket, (household, moment, amount, product) in enumerate(TRANSACTIONS)
    )
    columns = "household_id, basket_id, product_id, quantity, sales_value, transaction_timestamp"
    with duckdb.connect() as connection:
        connection.sql(f"from (values {lines}) as lines ({columns})").write_parquet(
            str(tmp_path / "transactions.parquet")
        )
        connection.sql(
            "select * from (values (1, 'MILK'), (2, 'BEER')) as products "
            "(product_id, product_category)"
        ).write_parquet(str(tmp_path / "products.parquet"))
    return tmp_path


def outcomes_at(source: Path, cutoff: str) -> pd.DataFrame:
    with duckdb.connect() as connection:
        table = outcomes(order_days(connection, source), [cutoff]).df()
    return table.set_index("customer_id")


def test_outcomes_are_of_the_days_of_the_shop(source):
    table = outcomes_at(source, CUTOFF)
    assert table["days_since_order"].to_list()[:3] == [1, 46, 46]
    assert table["has_ordered_28d"].to_dict() == {"1": True, "2": False, "3": False, "4": True}
    assert table["has_churned"].to_dict() == {"1": False, "2": True, "3": True, "4": False}
    assert table["spend_28d"].to_dict() == {"1": 6, "2": 0, "3": 0, "4": 64}
    assert table["spend_91d"].to_dict() == {"1": 14, "2": 16, "3": 0, "4": 64}
    assert table["days_until_next_order"].to_dict() == {"1": 1, "2": 91, "3": 91, "4": 16}
    assert pd.isna(table.loc["4", "days_since_order"])


def test_a_period_that_is_not_over_has_no_outcome(source):
    table = outcomes_at(source, "2017-12-04")
    assert table["has_ordered_28d"].notna().all()
    assert (
        table[["has_churned", "spend_91d", "spend_lifetime", "days_until_next_order"]]
        .isna()
        .all(axis=None)
    )
    assert outcomes_at(source, "2017-12-05")["has_ordered_28d"].isna().all()


def test_the_next_category_is_that_of_the_first_day(source):
    with duckdb.connect() as connection:
        found = next_categories(connection, source, CUTOFF).fetchall()
    assert found == [("1", "MILK"), ("4", "BEER")]


def test_metrics():
    happened = np.array([0.0, 0.0, 1.0, 1.0])
    assert auc(np.array([0.1, 0.4, 0.35, 0.8]), happened) == 0.75
    assert np.isnan(auc(np.array([0.1, 0.2]), np.ones(2)))
    # Twenty customers in ten bins of two: half of each bin is off by 1, or all by a half.
    assert ece(np.full(20, 0.5), np.tile([0.0, 1.0], 10)) == 0
    assert ece(np.full(20, 0.5), np.ones(20)) == 0.5


def predictions(n_customers: int = 4, **columns: object) -> pd.DataFrame:
    names = (
        "has_ordered_28d",
        "purchase_probability_28d",
        "baseline_purchase_probability_28d",
        "has_churned",
        "churn_probability",
        "baseline_churn_probability",
        *(
            f"{name}spend_{days}d{end}"
            for days in (28, 91)
            for name, end in (
                ("", ""),
                ("expected_", ""),
                ("baseline_expected_", ""),
                ("expected_", "_lower"),
                ("expected_", "_upper"),
            )
        ),
        "days_until_next_order",
        "next_order_days",
        "baseline_next_order_days",
        "next_order_earliest_days",
        "next_order_latest_days",
        "has_next_order",
        "next_category_is_hit",
        "baseline_next_category_is_hit",
        "days_since_order",
    )
    table = pd.DataFrame(np.nan, index=range(n_customers), columns=[*names])
    return table.assign(**columns)


def test_customers_are_judged_where_the_outcome_and_both_predictions_are_known():
    table = predictions(
        days_since_order=[1, 84, 85, 1],
        spend_28d=[10, 20, 30, 40],
        expected_spend_28d=[11, 20, 35, np.nan],
        baseline_expected_spend_28d=[10, 10, 10, 10],
        expected_spend_28d_lower=[10, 21, 30, np.nan],
        expected_spend_28d_upper=[12, 25, 30, np.nan],
    )
    rows = pd.DataFrame(judge(table, CUTOFF)).set_index(["metric", "customers"])
    assert set(rows["target"]) == {"spend in 28 days"}
    assert rows.loc[("MAE, currency", "all"), ["number", "shipped", "baseline"]].to_list() == [
        3,
        2,
        10,
    ]
    assert rows.loc[("MAE, currency", "active"), "shipped"] == 0.5
    assert rows.loc[("predicted / actual total", "all"), "shipped"] == 66 / 60
    assert rows.loc[("held by 80 % interval", "all"), "shipped"] == 2 / 3
    assert rows.loc[("held by 80 % interval", "active"), "shipped"] == 0.5


def test_means_are_over_the_newest_three_cutoffs():
    judgments = pd.DataFrame(
        {
            "target": "spend",
            "metric": "MAE",
            "customers": "all",
            "cutoff": ["2017-04-01", "2017-01-01", "2017-03-01", "2017-02-01"],
            "number": 10,
            "shipped": [4.0, 100.0, 3.0, 2.0],
            "baseline": [6.0, 0.0, 5.0, 4.0],
        }
    )
    (row,) = summarize(judgments).to_dict("records")
    assert (row["cutoffs"], row["shipped"], row["baseline"]) == ("2017-02-01 .. 2017-04-01", 3, 5)
    assert row["shipped by cutoff"] == "2 3 4"
