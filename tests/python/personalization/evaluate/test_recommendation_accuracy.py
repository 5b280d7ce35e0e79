from pathlib import Path

import duckdb
import pandas as pd
import pytest

from benchmarks.past_shop import check_cutoff
from benchmarks.recommendation_accuracy import judge

TABLE = "recommendations.customer_recommendations"


def purchases(*rows: tuple[str, str, bool]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "is_later"])


def listed(*rows: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["customer_id", "item_id", "rank"])


def recalls(table: pd.DataFrame) -> dict[str, float]:
    return dict(zip(table["lists"], table["recall@20"], strict=True))


BOUGHT = purchases(
    ("a", "x", False), ("b", "x", False), ("a", "z", True), ("b", "y", True), ("b", "z", True)
)


@pytest.mark.parametrize("known_only", [False, True])
def test_what_nobody_bought_is_no_hit(known_only):
    """Neither items nor customers that only a list knows stand for others."""
    bought = pd.concat([BOUGHT, purchases(("a", "y", False), ("a", "z", False))])
    lists = {
        ("good", "all"): listed(("a", "z", 1), ("b", "y", 1), ("b", "z", 2)),
        ("unknown", "all"): listed(("a", "?", 1), ("b", "!", 1), ("b", "?", 2), ("c", "z", 1)),
    }
    found = recalls(judge(lists, bought, known_only=known_only))
    assert found == {"good": 1, "unknown": 0}


def test_known_customers_and_products_only():
    lists = {("list", "new"): listed(("a", "z", 1), ("b", "y", 1))}
    # Before the cutoff nobody bought y or z.
    assert recalls(judge(lists, BOUGHT, known_only=False)) == {"list": (1 + 1 / 2) / 2}
    known = pd.concat([BOUGHT, purchases(("c", "y", False))])
    assert recalls(judge(lists, known, known_only=True)) == {"list": 1}


def build_warehouse(path: Path, as_of_date: str) -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute("create schema recommendations")
        connection.execute(
            "create table recommendations.customer_recommendations as"
            f" select date '{as_of_date}' as as_of_date"
        )
    return path


def test_a_warehouse_of_another_cutoff_is_not_judged(tmp_path):
    path = build_warehouse(tmp_path / "warehouse.duckdb", "2017-11-20")
    check_cutoff(path, TABLE, "2017-11-20")
    with pytest.raises(SystemExit, match=r"is as of 2017-11-20, not 2017-10-02: delete it, .*"):
        check_cutoff(path, TABLE, "2017-10-02")


def test_a_warehouse_that_was_not_finished(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    duckdb.connect(str(path)).close()
    with pytest.raises(
        SystemExit, match=r"holds no recommendations\.customer_recommendations: delete it"
    ):
        check_cutoff(path, TABLE, "2017-11-20")
