"""The tests of shipped predictions let good tables pass and catch bad ones."""

from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest

SUMMARY = (
    "target, model, metric, value, difference_to_baseline, difference_lower, difference_upper, "
    "verdict, predictions, is_shipped_now"
)
GOOD = "('churn', 'shipped', 'auc', .9, .1, .05, .2, 'better', 7000, false)"
DRIFT = "subject_type, subject, as_of_date, reference_date, model, psi, ks, is_newest, verdict"
STABLE = "('score', 'churn', date '2018-01-01', date '2017-12-04', 'svm', .01, .02, true, 'stable')"


def failures(repo_root: Path, test: str, table: str) -> list[tuple[Any, ...]]:
    """The rows that a singular test returns for the table that it looks at."""
    source = (repo_root / "tests" / "data" / "singular" / f"{test}.sql").read_text()
    query = (
        jinja2.Environment(autoescape=False)
        .from_string(source)
        .render(
            ref=lambda _: "fixture",
            var={"prediction_proof_customers": 1000}.__getitem__,
            config=lambda **_: "",
        )
    )
    with duckdb.connect() as connection:
        connection.execute(f"create table fixture as {table}")
        return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("row", "fails"),
    [
        pytest.param(
            "('churn', 'shipped', 'auc', .9, 0, 0, 0, 'baseline', 7000, false)", False, id="rule"
        ),
        pytest.param(
            "('churn', 'shipped', 'auc', .7, -.1, -.2, -.05, 'worse', 7000, false)",
            True,
            id="worse",
        ),
        pytest.param(
            "('churn', 'shipped', 'auc', .7, -.1, -.2, -.05, 'worse', 90, false)",
            True,
            id="worse, few",
        ),
        pytest.param(
            "('spend', 'shipped', 'mae', 9, .1, -.2, .3, 'not told apart', 7000, false)",
            True,
            id="unproven",
        ),
        pytest.param(
            "('spend', 'shipped', 'mae', 9, .1, -.2, .3, 'not told apart', 90, false)",
            False,
            id="unproven, too few to prove",
        ),
        pytest.param(
            "('spend', 'shipped', 'mae', null, null, null, null, 'not judged', 9, false)",
            False,
            id="not judged",
        ),
        pytest.param(
            "('churn', 'svm', 'auc', .7, -.1, -.2, -.05, 'worse', 7000, false)",
            False,
            id="not shipped",
        ),
        pytest.param(
            "('churn', 'svm', 'auc', .7, -.1, -.2, -.05, 'worse', 90, true)",
            True,
            id="ships now, worse, few",
        ),
        pytest.param(
            "('churn', 'svm', 'auc', .7, .1, -.2, .3, 'not told apart', 7000, true)",
            True,
            id="ships now, unproven",
        ),
        pytest.param(
            "('churn', 'svm', 'auc', .7, .1, -.2, .3, 'not told apart', 90, true)",
            False,
            id="ships now, unproven, too few to prove",
        ),
        pytest.param(
            "('churn', 'rule', 'auc', .7, 0, 0, 0, 'baseline', 7000, true)",
            False,
            id="the rule ships now",
        ),
        pytest.param(
            "('churn', 'shipped', 'brier', .7, .1, .05, .2, 'worse', 7000, false)",
            False,
            id="another metric",
        ),
    ],
)
def test_what_ships_must_beat_the_baseline(repo_root: Path, row: str, fails: bool) -> None:
    table = f"select * from (values {GOOD}, {row}) as rows ({SUMMARY})"
    assert len(failures(repo_root, "shipped_predictions_beat_their_baseline", table)) == fails


@pytest.mark.parametrize(
    ("is_newest", "verdict", "fails"),
    [
        (True, "drifted", True),
        (True, "watch", False),
        (True, "grows by construction", False),
        (True, "another model", False),
        (False, "drifted", False),
    ],
)
def test_drift_at_the_newest_cutoff(
    repo_root: Path, is_newest: bool, verdict: str, fails: bool
) -> None:
    days = "date '2018-01-01', date '2017-12-04'"
    row = f"('score', 'spend', {days}, 'svm', .5, .5, {is_newest}, '{verdict}')"
    table = f"select * from (values {STABLE}, {row}) as rows ({DRIFT})"
    assert len(failures(repo_root, "nothing_has_drifted", table)) == fails
