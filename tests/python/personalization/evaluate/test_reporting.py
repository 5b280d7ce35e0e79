from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from personalization.evaluate.preparing import Problem, prepare
from personalization.evaluate.reading import InputError
from personalization.evaluate.reporting import format_table, judge, scope_tables, write_lists
from personalization.evaluate.running import Cost, Outcome
from personalization.generators.base import Picks


@pytest.fixture
def problem() -> Problem:
    train = pd.DataFrame({"user": list("uuvw"), "item": list("abac")}, dtype="str")
    test = pd.DataFrame({"user": list("uuv"), "item": list("acb")}, dtype="str")
    return prepare(train, test)


def picks_of(*entries: tuple[int, int, int]) -> Picks:
    customer, item, rank = np.array(entries, dtype=np.int64).reshape(-1, 3).T
    return Picks(customer, item, rank, 1 / rank)


def outcome_of(all_items: Picks, new_items: Picks) -> Outcome:
    cost = Cost(fit_seconds=1.5, list_seconds={"all": 0.25, "new": 0.125}, peak_mib=99.6)
    return Outcome({"all": all_items, "new": new_items}, cost)


def test_each_scope_is_judged_by_its_own_pairs(problem):
    # User 0 bought a and b, then a and c; user 1 bought a, then b.
    outcome = outcome_of(picks_of((0, 0, 1), (1, 2, 1)), picks_of((0, 2, 1), (2, 0, 1)))
    everything = judge(problem, "x", outcome, "all", [1])
    assert everything.n_users == 2
    assert everything.metrics["recall@1"] == (0.5 + 0) / 2
    assert everything.metrics["coverage@1"] == 2 / 3
    new = judge(problem, "x", outcome, "new", [1])
    assert new.n_users == 2
    assert new.metrics["recall@1"] == (1 + 0) / 2
    assert new.ndcg.estimate == [0.5]
    assert new.ndcg.lower <= 0.5 <= new.ndcg.upper


def test_tables_put_the_best_first_and_show_every_metric_and_cost(problem):
    good = judge(problem, "good", outcome_of(picks_of((0, 0, 1)), picks_of()), "all", [1, 2])
    none = judge(problem, "none", outcome_of(picks_of(), picks_of()), "all", [1, 2])
    title, first, second = scope_tables("all", [none, good], [1, 2]).split("\n\n")
    assert title == "Top 2 of all items, mean over 2 users"
    header, _, *rows = first.splitlines()
    assert header.split("  ")[0] == "contender"
    for name in ("Recall@1", "Recall@2", "NDCG@1", "NDCG@2", "95 % of NDCG@2", "peak MiB"):
        assert name in header
    assert [row.split()[0] for row in rows] == ["good", "none"]
    assert rows[0].split()[1:5] == ["0.2500", "0.2500", "0.5000", "0.3066"]
    assert rows[0].split()[-3:] == ["1.50", "0.25", "100"]
    header, _, *rows = second.splitlines()
    assert " ".join(header.split()) == (
        "contender Precision@2 MAP@2 Hit rate@2 MRR@2 Coverage@2 Novelty@2 Gini@2 Popularity lift@2"
    )
    # Nothing was recommended, so there is nothing to average.
    assert rows[1].split() == ["none", *["0.0000"] * 5, "-", "-", "-"]


def test_tables_are_aligned():
    assert format_table([["name", "x"], ["a", "10.25"], ["longer", "1"]]) == (
        "name        x\n------  -----\na       10.25\nlonger      1"
    )


def test_lists_are_written_with_ids_and_in_order(problem, tmp_path: Path):
    lists = {
        "second": {"new": picks_of((1, 1, 1))},
        "first": {"new": picks_of((2, 0, 1)), "all": picks_of((0, 0, 1), (0, 1, 2), (2, 2, 1))},
    }
    path = tmp_path / "lists.parquet"
    assert write_lists(path, problem, lists) == 5
    found = duckdb.read_parquet(str(path))
    assert found.columns == ["generator", "scope", "user", "item", "rank", "score"]
    assert found.fetchall() == [
        ("first", "all", "u", "a", 1, 1.0),
        ("first", "all", "u", "b", 2, 0.5),
        ("first", "all", "w", "c", 1, 1.0),
        ("first", "new", "w", "a", 1, 1.0),
        ("second", "new", "v", "b", 1, 1.0),
    ]


def test_the_same_lists_are_the_same_bytes(tmp_path: Path):
    # More rows than one row group of a parquet file holds.
    pairs = pd.DataFrame([(f"u{user}", f"i{user % 50}") for user in range(3000)])
    pairs = pairs.set_axis(["user", "item"], axis=1).astype("str")
    customer, item = (positions.ravel() for positions in np.indices((3000, 50)))
    picks = Picks(customer, item, item + 1, 1 / (item + 1))
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for path in paths:
        write_lists(path, prepare(pairs, pairs), {"x": {"all": picks}, "y": {"all": picks}})
    assert paths[0].read_bytes() == paths[1].read_bytes()


def test_a_file_that_cannot_be_written(problem, tmp_path: Path):
    with pytest.raises(InputError, match="cannot be written: "):
        write_lists(tmp_path / "no" / "lists.parquet", problem, {"x": {"all": picks_of((0, 0, 1))}})
