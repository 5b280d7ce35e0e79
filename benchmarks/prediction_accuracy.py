"""How good the shipped predictions are: builds that end earlier, judged by what came true after.

    python -m benchmarks.prediction_accuracy [--cutoffs 2017-10-09 ...] [--keep DIRECTORY]

For each cutoff it copies the demo's files with all transactions at or after it (in the shop's time
zone) left out, builds `predictions.customer_predictions` from the copy, and judges it, beside its
own baseline columns, by what the full raw files say happened next. A target is judged at the
newest of the cutoffs, at most three, whose period is over by the end of the data.

Judged are customers who had ordered before the cutoff: who had not has no predictions. The
lifetime value looks a year ahead, farther than the demo reaches, and is not judged here.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import duckdb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks.demo import demo_directory
from benchmarks.outcomes import LONGEST_WAIT_DAYS, next_categories, order_days, outcomes
from benchmarks.past_shop import build, check_cutoff, truncate
from personalization.interactions import BoolArray, FloatArray

# The newest three of each target, every 28 days.
CUTOFFS: Final = (
    "2017-07-17",
    "2017-08-14",
    "2017-09-11",
    "2017-10-09",
    "2017-11-06",
    "2017-12-04",
)
_JUDGED: Final = 3
_ACTIVE_DAYS: Final = 84
_TABLE: Final = "predictions.customer_predictions"

Metric = Callable[[FloatArray, FloatArray], float]
"""Judges predictions by what came true, shape (n_customers,) each."""


class Comparison(NamedTuple):
    """A target whose predictions are judged beside those of the baseline.

    Attributes:
        target: What is predicted.
        actual: The column of what came true.
        predicted: The column of `customer_predictions`.
        baseline: That of the trivial rule.
        metrics: How it is judged, by name.
    """

    target: str
    actual: str
    predicted: str
    baseline: str
    metrics: dict[str, Metric]


def auc(predicted: FloatArray, actual: FloatArray) -> float:
    """Area under the ROC curve; NaN where only one thing happened."""
    if len(np.unique(actual)) < 2:
        return float("nan")
    return float(roc_auc_score(actual, predicted))


def ece(predicted: FloatArray, actual: FloatArray) -> float:
    """Expected calibration error over 10 bins of equal size (Naeini and others, 2015)."""
    bins = np.array_split(np.argsort(predicted, kind="stable"), 10)
    gaps = [abs(float(np.sum(predicted[rows] - actual[rows]))) for rows in bins]
    return sum(gaps) / len(predicted)


def mae(predicted: FloatArray, actual: FloatArray) -> float:
    """Mean absolute error."""
    return float(np.mean(np.abs(predicted - actual)))


def total_ratio(predicted: FloatArray, actual: FloatArray) -> float:
    """The sum of predictions over what came true; 1 is right."""
    return float(predicted.sum() / actual.sum())


_SPEND: Final[dict[str, Metric]] = {"MAE, currency": mae, "predicted / actual total": total_ratio}
COMPARISONS: Final = (
    Comparison(
        "order within 28 days",
        "has_ordered_28d",
        "purchase_probability_28d",
        "baseline_purchase_probability_28d",
        {"AUC": auc, "ECE": ece},
    ),
    Comparison(
        "no order within 56 days",
        "has_churned",
        "churn_probability",
        "baseline_churn_probability",
        {"AUC": auc, "ECE": ece},
    ),
    Comparison(
        "spend in 28 days",
        "spend_28d",
        "expected_spend_28d",
        "baseline_expected_spend_28d",
        _SPEND,
    ),
    Comparison(
        "spend in 91 days",
        "spend_91d",
        "expected_spend_91d",
        "baseline_expected_spend_91d",
        _SPEND,
    ),
    Comparison(
        "next order",
        "days_until_next_order",
        "next_order_days",
        "baseline_next_order_days",
        {"MAE, days": mae},
    ),
    Comparison(
        "category of the next order",
        "has_next_order",
        "next_category_is_hit",
        "baseline_next_category_is_hit",
        {"hit rate": lambda hit, _: float(hit.mean())},
    ),
)
"""What is judged beside a baseline."""

INTERVALS: Final = {
    "spend in 28 days": ("spend_28d", "expected_spend_28d_lower", "expected_spend_28d_upper"),
    "spend in 91 days": ("spend_91d", "expected_spend_91d_lower", "expected_spend_91d_upper"),
    "next order": ("days_until_next_order", "next_order_earliest_days", "next_order_latest_days"),
}
"""What came true, and the interval that shall hold it for 80 % of customers."""


def predictions_in(warehouse: Path, cutoff: str) -> pd.DataFrame:
    """The predictions of customers who had ordered, with days to wait in place of dates.

    A date is null where the wait is too long to be told from a longer one.
    """
    waits = {
        "next_order_days": "expected_next_order_date",
        "baseline_next_order_days": "baseline_next_order_date",
        "next_order_earliest_days": "next_order_earliest_date",
        "next_order_latest_days": "next_order_latest_date",
    }
    days = ", ".join(
        f"coalesce({column} - date '{cutoff}' + 1, {LONGEST_WAIT_DAYS})::double as {name}"
        for name, column in waits.items()
    )
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        table = connection.sql(
            f"select *, {days} from {_TABLE} where status != 'no order yet' order by customer_id"
        ).df()
    # Where no customer has a date, none could be predicted.
    for name, column in waits.items():
        known_by = "next_order_earliest_date" if name == "next_order_latest_days" else column
        if table[known_by].isna().all():
            table[name] = np.nan
    return table


def with_outcomes(predictions: pd.DataFrame, cutoff: str, source: Path) -> pd.DataFrame:
    """Put what came true beside the predictions."""
    with duckdb.connect() as connection:
        days = order_days(connection, source)
        actual = outcomes(days, [cutoff]).df().drop(columns="as_of_date")
        categories = next_categories(connection, source, cutoff).df()
    table = predictions.merge(actual, on="customer_id", how="left", validate="one_to_one")
    bought = set(categories.itertuples(index=False, name=None))
    has_order = table["has_ordered_28d"].eq(True).to_numpy(bool)
    table["has_next_order"] = np.where(has_order, 1.0, np.nan)
    for name, column in (
        ("next_category_is_hit", "likely_next_category"),
        ("baseline_next_category_is_hit", "baseline_next_category"),
    ):
        pairs = zip(table["customer_id"], table[column], strict=True)
        table[name] = [float(pair in bought) for pair in pairs]
    return table


def judge(table: pd.DataFrame, cutoff: str) -> Iterator[dict[str, object]]:
    """Judge what is known of the predictions of one cutoff.

    Args:
        table: Predictions beside what came true.
        cutoff: When they were made.

    Yields:
        By `target`, `metric` and `customers` (which ones): the `cutoff`, the `number` judged, and
        the value of the `shipped` predictions and of the `baseline`.
    """
    is_active = table["days_since_order"].to_numpy(np.float64, na_value=np.inf) <= _ACTIVE_DAYS
    groups = {"all": np.ones(len(table), dtype=bool), "active": is_active}
    for comparison in COMPARISONS:
        columns = [comparison.actual, comparison.predicted, comparison.baseline]
        for group, is_member in groups.items():
            actual, shipped, baseline = _known(table, columns, is_member)
            if len(actual) == 0:
                continue
            for metric, judged_by in comparison.metrics.items():
                yield {
                    "target": comparison.target,
                    "metric": metric,
                    "customers": group,
                    "cutoff": cutoff,
                    "number": len(actual),
                    "shipped": judged_by(shipped, actual),
                    "baseline": judged_by(baseline, actual),
                }
    for target, names in INTERVALS.items():
        for group, is_member in groups.items():
            actual, lower, upper = _known(table, names, is_member)
            if len(actual) == 0:
                continue
            yield {
                "target": target,
                "metric": "held by 80 % interval",
                "customers": group,
                "cutoff": cutoff,
                "number": len(actual),
                "shipped": float(np.mean((lower <= actual) & (actual <= upper))),
                "baseline": float("nan"),
            }


def _known(table: pd.DataFrame, columns: Sequence[str], is_member: BoolArray) -> FloatArray:
    """Rows of some customers in which nothing is null; shape (n_columns, n_customers)."""
    numbers = table.loc[is_member, [*columns]].astype("float64").dropna()
    values: FloatArray = numbers.to_numpy().T
    return values


def summarize(judgments: pd.DataFrame) -> pd.DataFrame:
    """Means over the newest cutoffs of each target, and the values at each.

    Returns:
        One row per `target`, `metric` and `customers`: the `cutoffs`, the means of `number`,
        `shipped` and `baseline` over them, and the values at each, `shipped by cutoff` and
        `baseline by cutoff`.
    """
    rows = []
    for key, of_metric in judgments.groupby(["target", "metric", "customers"], sort=False):
        newest = of_metric.sort_values("cutoff").tail(_JUDGED)
        rows.append(
            {
                **dict(zip(("target", "metric", "customers"), key, strict=True)),
                "cutoffs": f"{newest['cutoff'].iloc[0]} .. {newest['cutoff'].iloc[-1]}",
                "number": round(newest["number"].mean()),
                "shipped": newest["shipped"].mean(),
                "baseline": newest["baseline"].mean(),
                "shipped by cutoff": _joined(newest["shipped"]),
                "baseline by cutoff": _joined(newest["baseline"]),
            }
        )
    return pd.DataFrame(rows)


def _joined(values: pd.Series) -> str:
    return " ".join(f"{value:.4g}" for value in values.dropna())


def main() -> None:
    """Build, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument(
        "--cutoffs",
        nargs="+",
        type=lambda text: str(date.fromisoformat(text)),
        default=CUTOFFS,
        help="the days the builds end before",
    )
    parser.add_argument(
        "--keep",
        type=Path,
        help="where to build, or what to judge if it is built; kept (default: a temporary one)",
    )
    arguments = parser.parse_args()
    source = demo_directory()
    judgments: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory() as temporary:
        for cutoff in sorted(arguments.cutoffs):
            directory = (arguments.keep or Path(temporary)).resolve() / cutoff
            warehouse = directory / "warehouse.duckdb"
            if not warehouse.exists():
                truncate(source, directory / "files", cutoff)
                build(directory / "files", warehouse, "customer_predictions")
            check_cutoff(warehouse, _TABLE, cutoff)
            predictions = predictions_in(warehouse, cutoff)
            print(f"{cutoff}: {len(predictions)} customers, {_told(predictions)}")
            judgments += judge(with_outcomes(predictions, cutoff, source), cutoff)
    print()
    table = summarize(pd.DataFrame(judgments))
    print(table.to_string(index=False, float_format="{:.4f}".format, na_rep=""))


def _told(predictions: pd.DataFrame) -> str:
    """Which models shipped, and whether something could not be predicted."""
    statuses = predictions["status"].value_counts().sort_index()
    told = [f"{number} {status}" for status, number in statuses.items()]
    for column in predictions.columns[predictions.columns.str.endswith("_model")]:
        models = sorted(predictions[column].dropna().unique())
        told.append(f"{column.removesuffix('_model')} by {' or '.join(models)}")
    return ", ".join(told)


if __name__ == "__main__":
    main()
