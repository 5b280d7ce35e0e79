"""The snapshot that readers open, so that no query ever blocks a build."""

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dagster as dg
import duckdb

from orchestration.dbt_graph import manifest
from orchestration.project import DUCKDB_WRITER, published_warehouse_path, warehouse_path
from orchestration.translator import asset_key, is_mart

_READ_ONLY: Final = 0o444


@dataclass(frozen=True)
class Snapshot:
    """A published copy of the warehouse.

    Attributes:
        path: The file.
        size: Its bytes.
        tables: How many tables it holds.
        views: How many views it holds.
    """

    path: Path
    size: int
    tables: int
    views: int


def publish(warehouse: Path, published: Path) -> Snapshot:
    """Copy the warehouse and put the copy in the place of the last one, in one step.

    Whoever has the last copy open keeps reading it; whoever opens the path finds one of the two
    whole, never a part.

    Args:
        warehouse: The warehouse that dbt builds.
        published: The path of the copy.

    Raises:
        FileNotFoundError: If there is no warehouse.
        ValueError: If the two paths are the same file.
        duckdb.IOException: If a build is writing to the warehouse.
    """
    if not warehouse.is_file():
        raise FileNotFoundError(f"there is no warehouse at {warehouse}; `dbt build` makes it")
    if published.resolve() == warehouse.resolve():
        raise ValueError(f"{published} is the warehouse itself, it cannot be its own snapshot")

    published.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, since only within a file system is a rename one step.
    descriptor, name = tempfile.mkstemp(dir=published.parent, prefix=f".{published.name}.")
    os.close(descriptor)
    partial = Path(name)
    try:
        _copy_consistently(warehouse, partial)
        snapshot = _describe(partial, published)
        partial.chmod(_READ_ONLY)
        partial.replace(published)
        _sync(published.parent)
    finally:
        partial.unlink(missing_ok=True)
    return snapshot


def _copy_consistently(warehouse: Path, copy: Path) -> None:
    if warehouse.with_name(f"{warehouse.name}.wal").exists():
        # A build was killed: what it committed is beside the file, not yet in it.
        with duckdb.connect(warehouse) as connection:
            connection.execute("checkpoint")
    # An open reader keeps every other process from writing while the bytes are copied. Closing any
    # handle of a file gives up a process's lock on it, so nothing else may open it before the end.
    with duckdb.connect(warehouse, read_only=True):
        shutil.copyfile(warehouse, copy)
    _sync(copy)


def _describe(copy: Path, published: Path) -> Snapshot:
    """Open the copy, which shows that it is whole, and count what it holds."""
    with duckdb.connect(copy, read_only=True) as connection:
        rows = connection.execute(
            "select (select count(*) from duckdb_tables() where not internal), "
            "(select count(*) from duckdb_views() where not internal)"
        ).fetchall()
    ((tables, views),) = rows
    return Snapshot(published, copy.stat().st_size, int(tables), int(views))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dg.asset(
    deps=sorted(asset_key(node) for node in manifest["nodes"].values() if is_mart(node)),
    group_name="published",
    kinds={"duckdb"},
    owners=["team:data-platform"],
    pool=DUCKDB_WRITER,
)
def published_warehouse() -> dg.MaterializeResult[None]:
    """A read-only snapshot of the warehouse, for every reader: notebooks, dashboards, exports.

    It is replaced in one step once the marts are built and no data test of severity `error` has
    failed; until then, and after a failed build, readers keep the last good one.
    """
    snapshot = publish(warehouse_path(), published_warehouse_path())
    return dg.MaterializeResult(
        metadata={
            "path": dg.MetadataValue.path(snapshot.path),
            "bytes": snapshot.size,
            "tables": snapshot.tables,
            "views": snapshot.views,
        }
    )
