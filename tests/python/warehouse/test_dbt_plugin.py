from pathlib import Path

import duckdb
import pytest
from dbt.adapters.duckdb.credentials import DuckDBCredentials
from raw_shop import good_shop, shop_source

from warehouse import dbt_plugin
from warehouse.dbt_plugin import Plugin
from warehouse.raw_files import RawDataError, RawSource


@pytest.fixture
def declared(monkeypatch: pytest.MonkeyPatch) -> list[RawSource]:
    """The sources that the plugin finds declared."""
    sources: list[RawSource] = []
    monkeypatch.setattr(dbt_plugin, "read_sources", lambda: sources)
    return sources


def make_plugin(path: str) -> tuple[Plugin, DuckDBCredentials]:
    credentials = DuckDBCredentials(path=path, database="warehouse", schema="main")
    return Plugin("dbt_plugin", {}, credentials), credentials


def test_makes_the_folder_and_the_views(declared: list[RawSource], tmp_path: Path) -> None:
    declared.append(good_shop(tmp_path / "raw"))
    path = tmp_path / "data" / "shop" / "warehouse.duckdb"
    plugin, credentials = make_plugin(str(path))
    config: dict[str, object] = {}
    plugin.update_connection_config(credentials, config)
    assert config == {}
    with duckdb.connect(str(path)) as connection:
        plugin.configure_connection(connection)
        assert connection.sql("select count(*) from raw_shop.sales").fetchall() == [(5000,)]
        assert connection.sql("from raw_shop.places").fetchall() == []


def test_missing_optional_files_are_told_once(
    declared: list[RawSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    messages: list[str] = []
    monkeypatch.setattr(dbt_plugin.logger, "info", messages.append)
    declared.append(good_shop(tmp_path))
    plugin, _ = make_plugin(":memory:")
    with duckdb.connect() as connection:
        plugin.configure_connection(connection)
        plugin.configure_connection(connection)
    assert messages == ["Source shop comes without places.parquet: empty tables instead"]


def test_files_are_read_once_a_build(
    declared: list[RawSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    monkeypatch.setattr(dbt_plugin, "check_sources", lambda _: calls.append("check"))
    monkeypatch.setattr(dbt_plugin, "create_views", lambda *_: calls.append("create"))
    declared.append(good_shop(tmp_path))
    plugin, credentials = make_plugin(str(tmp_path / "warehouse.duckdb"))
    for _ in range(3):
        plugin.update_connection_config(credentials, {})
        with duckdb.connect() as connection:
            plugin.configure_connection(connection)
    assert calls == ["check", "create"]


def test_bad_files_leave_no_trace(declared: list[RawSource], tmp_path: Path) -> None:
    declared.extend([good_shop(tmp_path / "raw"), shop_source(tmp_path / "none")])
    plugin, credentials = make_plugin(str(tmp_path / "data" / "warehouse.duckdb"))
    with pytest.raises(RawDataError, match="there is no such folder"):
        plugin.update_connection_config(credentials, {})
    assert not (tmp_path / "data").exists()


def test_in_memory(
    declared: list[RawSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared.append(good_shop(tmp_path / "raw"))
    monkeypatch.chdir(tmp_path)
    plugin, credentials = make_plugin(":memory:")
    plugin.update_connection_config(credentials, {})
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


# dbt-duckdb shows a RuntimeError as one message and anything else as a traceback.


def test_folder_that_cannot_be_made(declared: list[RawSource], tmp_path: Path) -> None:
    assert declared == []
    (tmp_path / "file").touch()
    plugin, credentials = make_plugin(str(tmp_path / "file" / "data" / "warehouse.duckdb"))
    with pytest.raises(RuntimeError, match="cannot be made: Not a directory"):
        plugin.update_connection_config(credentials, {})


def test_warehouse_that_takes_no_view(declared: list[RawSource], tmp_path: Path) -> None:
    declared.append(good_shop(tmp_path))
    plugin, _ = make_plugin(":memory:")
    with duckdb.connect() as connection:
        connection.execute("create schema raw_shop; create table raw_shop.sales (a int)")
        with pytest.raises(RuntimeError, match="The views of source shop cannot be created"):
            plugin.configure_connection(connection)
