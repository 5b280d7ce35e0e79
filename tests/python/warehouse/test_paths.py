import shutil
from pathlib import Path

import duckdb
import pytest

from warehouse.paths import REPO_ROOT, connect_read_only, default_warehouse_path


@pytest.fixture
def built(tmp_path: Path) -> Path:
    path = tmp_path / "shop's warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            create schema behavior;
            create table behavior.events as select 1 as event_id;
            create view behavior.views as select * from "shop's warehouse"."behavior"."events";
            create view behavior.tables as select * from system.information_schema.tables
            """
        )
    return path


def test_default_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAREHOUSE_PATH", raising=False)
    assert default_warehouse_path() == REPO_ROOT / "data" / "warehouse.duckdb"
    monkeypatch.setenv("WAREHOUSE_PATH", "elsewhere.duckdb")
    assert default_warehouse_path() == Path("elsewhere.duckdb")


@pytest.mark.parametrize("name", ["shop's warehouse.duckdb", "a copy.duckdb"])
def test_views_work_in_a_copy_under_another_name(built: Path, tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copies" / name
    copy.parent.mkdir()
    shutil.copy(built, copy)
    with connect_read_only(copy) as connection:
        assert connection.sql("from behavior.views").fetchall() == [(1,)]
        assert connection.sql("select current_setting('TimeZone')").fetchall() == [("UTC",)]


def test_nothing_can_be_written(built: Path) -> None:
    before = built.read_bytes()
    with connect_read_only(built) as connection, pytest.raises(duckdb.InvalidInputException):
        connection.execute("create table behavior.more as select 1 as a")
    assert built.read_bytes() == before


def test_missing_warehouse(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="dbt build"):
        connect_read_only(tmp_path / "none.duckdb")


def test_not_a_warehouse(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.duckdb"
    path.write_text("no database " * 1000)
    with pytest.raises(duckdb.Error):
        connect_read_only(path)
