import duckdb
import pytest

from warehouse.overview import describe, main


def test_describe_lists_published_tables_and_views() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema behavior; create schema intermediate")
        connection.execute("create table behavior.orders as from range(1200)")
        connection.execute("create view behavior.events as from range(3)")
        connection.execute("create table intermediate.int_orders as from range(3)")
        assert describe(connection).splitlines() == [
            "  behavior.events             3 rows",
            "  behavior.orders         1,200 rows",
        ]


def test_a_missing_warehouse_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_PATH", "/nowhere/warehouse.duckdb")
    assert main() == 2
    assert "there is no warehouse at /nowhere/warehouse.duckdb" in capsys.readouterr().err
