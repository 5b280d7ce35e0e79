from pathlib import Path

import duckdb
import pytest

from warehouse.checksum import (
    UnreadableRelationError,
    checksum_relation,
    checksum_warehouse,
    differences,
    main,
    render,
)

ROWS = "(1, 'a', 1.5::double), (2, null, 2.5), (3, 'c', null)"


def checksum_of(query: str) -> str:
    with duckdb.connect() as connection:
        connection.execute(f"create table subject as {query}")
        return checksum_relation(connection, "main", "subject").checksum


def build(path: Path, extra: str = "") -> Path:
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            f"""
            create schema behavior;
            create schema raw_shop;
            create table behavior.events as select * from (values {ROWS}) rows(id, name, amount);
            create view behavior.names as select name from behavior.events;
            create view raw_shop.sales as select 1 as a;
            {extra}
            """
        )
    return path


BASE = f"select * from (values {ROWS}) rows(id, name, amount)"


@pytest.mark.parametrize(
    "query",
    [
        f"{BASE} order by id desc",
        f"from ({BASE} where id > 1) union all from ({BASE} where id = 1)",
    ],
)
def test_order_of_rows_does_not_matter(query: str) -> None:
    assert checksum_of(query) == checksum_of(BASE)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param(BASE.replace("2.5", "2.5000000000000004"), id="last bit of a value"),
        pytest.param(BASE.replace("null, 2.5", "'', 2.5"), id="null and empty"),
        pytest.param(f"{BASE} where id > 1", id="row less"),
        pytest.param(f"{BASE} union all from ({BASE} where id = 1)", id="row twice"),
        pytest.param(f"{BASE} union all {BASE}", id="all rows twice"),
        pytest.param(f"select id, name as title, amount from ({BASE})", id="renamed"),
        pytest.param(f"select id, amount, name from ({BASE})", id="columns in another order"),
        pytest.param(f"select id::bigint as id, name, amount from ({BASE})", id="type"),
        pytest.param(BASE.replace("1.5", "2.5").replace("null, 2.5", "null, 1.5"), id="swapped"),
    ],
)
def test_everything_else_matters(query: str) -> None:
    assert checksum_of(query) != checksum_of(BASE)


def test_number_of_an_empty_table() -> None:
    assert checksum_of(f"{BASE} where false") != checksum_of("select 1 as id where false")


def test_tables_and_views_but_no_raw_files(tmp_path: Path) -> None:
    path = build(tmp_path / "warehouse.duckdb")
    with duckdb.connect(str(path), read_only=True) as connection:
        checksums = checksum_warehouse(connection)
    assert [(entry.name, entry.row_count) for entry in checksums] == [
        ("behavior.events", 3),
        ("behavior.names", 3),
    ]
    assert [line.split("  ")[0].strip() for line in render(checksums).splitlines()] == [
        "behavior.events",
        "behavior.names",
        "total of 2 tables and views",
    ]


def test_a_view_of_what_is_gone_is_named(tmp_path: Path) -> None:
    path = build(
        tmp_path / "warehouse.duckdb",
        "create table gone (a int); create view lost as from gone; drop table gone;",
    )
    with (
        duckdb.connect(str(path), read_only=True) as connection,
        pytest.raises(UnreadableRelationError, match=r"main\.lost cannot be read"),
    ):
        checksum_warehouse(connection)


def test_differences_say_what_differs(tmp_path: Path) -> None:
    one = build(
        tmp_path / "one.duckdb",
        "create table a as select 1 as x; create table b as select 1 as x;"
        "create table c as select 1 as x; create table d as select 1 as x;"
        "create table f as select 1 as x, 2 as y;",
    )
    other = build(
        tmp_path / "other.duckdb",
        "create table a as select 2 as x; create table b as from range(1200) r(x);"
        "create table c as select x from range(2) r(x); create table e as select 1 as x;"
        "create table f as select 2 as y, 1 as x;",
    )
    with (
        duckdb.connect(str(one), read_only=True) as left,
        duckdb.connect(str(other), read_only=True) as right,
    ):
        right_checksums = checksum_warehouse(right)
        assert differences(checksum_warehouse(left), right_checksums) == [
            "main.a: values differ in 1 rows",
            "main.b: columns differ (x)",
            "main.c: columns differ (x)",
            "main.d: only in the first",
            "main.e: only in the second",
            "main.f: columns differ (in order)",
        ]
        assert differences(right_checksums, right_checksums) == []


def test_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, same = build(tmp_path / "one.duckdb"), build(tmp_path / "same.duckdb")
    other = build(tmp_path / "other.duckdb", "insert into behavior.events values (4, 'd', 0);")

    assert main([str(one)]) == 0
    first = capsys.readouterr().out
    assert main([str(same)]) == 0
    assert capsys.readouterr().out == first

    assert main([str(one), "--compare", str(same)]) == 0
    assert "are equal in all 2 tables" in capsys.readouterr().out

    assert main([str(one), "--compare", str(other)]) == 1
    assert capsys.readouterr().out.splitlines()[1:] == [
        "behavior.events: 3 rows against 4",
        "behavior.names: 3 rows against 4",
    ]

    assert main([str(tmp_path / "none.duckdb")]) == 2
    assert "there is no warehouse at" in capsys.readouterr().err


def test_default_warehouse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_PATH", str(build(tmp_path / "warehouse.duckdb")))
    assert main([]) == 0
    assert "total of 2 tables and views" in capsys.readouterr().out
