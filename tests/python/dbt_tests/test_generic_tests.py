"""Each generic data test lets a good table pass and catches a bad one."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import jinja2
import pytest


@dataclass(frozen=True)
class Case:
    """A generic test with a table that passes it and tables that fail it."""

    test: str
    passing: str
    failing: dict[str, tuple[str, int]]
    arguments: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)


CASES = [
    Case(
        test="is_true",
        arguments={"expression": "price >= 0"},
        passing="select * from (values (0), (1)) as rows (price)",
        failing={
            "one row breaks it": ("select * from (values (1), (-1)) as rows (price)", 1),
            "null is not true": ("select * from (values (1), (null)) as rows (price)", 1),
        },
    ),
    Case(
        test="not_empty",
        passing="select 1 as id",
        failing={"no rows": ("select 1 as id where false", 1)},
    ),
    Case(
        test="rejections_are_few",
        arguments={"table_name": "orders", "input_rows": "(select * from range(10))"},
        context={
            "var": {"max_rejected_share": 0.2}.__getitem__,
            "quality_rules": {
                "orders": [
                    {"rule_id": "missing_key", "severity": "error", "action": "reject"},
                    {"rule_id": "future_timestamp", "severity": "warn", "action": "reject"},
                ]
            }.__getitem__,
        },
        passing="""
            select * from (
                values ('missing_key'), ('missing_key'), (null),
                ('future_timestamp'), ('future_timestamp'), ('future_timestamp')
            ) as rows (rejected_by)
        """,
        failing={
            "three of ten rejected": (
                "select 'missing_key' as rejected_by from range(3)",
                1,
            ),
        },
    ),
    Case(
        test="unique_combination",
        arguments={"column_names": ["customer_id", "as_of_date"]},
        passing="""
            select * from (values ('a', 1), ('a', 2), ('b', 1)) as rows (customer_id, as_of_date)
        """,
        failing={
            "one key thrice": (
                "select * from (values ('a', 1), ('a', 1), ('a', 1), ('b', 1))"
                " as rows (customer_id, as_of_date)",
                1,
            ),
            "nulls are equal": (
                "select * from (values ('a', null), ('a', null)) as rows (customer_id, as_of_date)",
                1,
            ),
        },
    ),
]

FAILING = [
    pytest.param(case, *failure, id=f"{case.test}: {kind}")
    for case in CASES
    for kind, failure in case.failing.items()
]


@pytest.fixture(scope="session")
def generic_tests(repo_root: Path) -> Path:
    return repo_root / "tests" / "data" / "generic"


def failures(folder: Path, case: Case, table: str) -> int:
    """Number of rows that the test, rendered as dbt renders it, returns for a table."""
    source = (folder / f"{case.test}.sql").read_text()
    macro = re.sub(r"\{% (end)?test\b", r"{% \1macro", source)
    template = jinja2.Environment(autoescape=False).from_string(macro)
    module = template.make_module(case.context)
    query = getattr(module, case.test)(model="fixture", **case.arguments)
    with duckdb.connect() as connection:
        connection.execute(f"create table fixture as {table}")
        return len(connection.execute(query).fetchall())


def test_every_generic_test_has_a_case(generic_tests: Path) -> None:
    assert {path.stem for path in generic_tests.glob("*.sql")} == {case.test for case in CASES}
    assert all(case.failing for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.test)
def test_a_good_table_passes(case: Case, generic_tests: Path) -> None:
    assert failures(generic_tests, case, case.passing) == 0


@pytest.mark.parametrize(("case", "table", "count"), FAILING)
def test_a_bad_table_fails(case: Case, table: str, count: int, generic_tests: Path) -> None:
    assert failures(generic_tests, case, table) == count
