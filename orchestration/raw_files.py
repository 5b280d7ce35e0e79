"""The raw files as assets that Dagster observes but does not make.

A file's version is a digest of its bytes. Neither its name nor its time is part of it, so that a
file copied again is the same file; and reading it once costs little beside the build that follows.
"""

import glob
import hashlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import dagster as dg
import duckdb

from orchestration.dbt_graph import manifest, project, translator
from warehouse.raw_files import RawSource, RawTable, check_sources, read_sources

ABSENT: Final = "absent"
"""The version of an optional file that is not there; its table is empty."""


@dataclass(frozen=True)
class RawFile:
    """One raw file.

    Attributes:
        key: The asset it is.
        path: Where it is; an optional file need not be there.
    """

    key: dg.AssetKey
    path: Path


def list_files(sources: Iterable[RawSource]) -> list[RawFile]:
    """Return the files of the sources.

    Args:
        sources: Sources that have a folder.
    """
    return [
        RawFile(raw_key(source, table), source.directory / table.file)
        for source in sources
        if source.directory is not None
        for table in source.tables
    ]


def raw_key(source: RawSource, table: RawTable) -> dg.AssetKey:
    """Return the key of a raw table, which is that of its view in the warehouse."""
    return dg.AssetKey([source.schema, table.name])


def fingerprint(path: Path) -> str:
    """Return the version of a file's content.

    Args:
        path: The file; it need not exist.
    """
    if not path.exists():
        return ABSENT
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:32]


def observe(file: RawFile) -> dg.ObserveResult:
    """Return what can be said of a file without building anything.

    Args:
        file: A file that the warehouse's checks have accepted.
    """
    is_present = file.path.exists()
    return dg.ObserveResult(
        asset_key=file.key,
        data_version=dg.DataVersion(fingerprint(file.path)),
        metadata={
            "dagster/row_count": _count_rows(file.path) if is_present else 0,
            "bytes": file.path.stat().st_size if is_present else 0,
            "path": dg.MetadataValue.path(file.path),
        },
    )


def observe_sources(
    sources: Sequence[RawSource], selected: Set[dg.AssetKey]
) -> Iterator[dg.ObserveResult]:
    """Observe the files that are selected, once it is known that their sources can be used.

    Args:
        sources: The declared sources.
        selected: The keys of the files to observe.

    Raises:
        RawDataError: If a file of a source in question cannot be used.
    """
    concerned = [
        source
        for source in sources
        if any(raw_key(source, table) in selected for table in source.tables)
    ]
    check_sources(concerned)
    for file in list_files(concerned):
        if file.key in selected:
            yield observe(file)


def _count_rows(path: Path) -> int:
    with duckdb.connect() as scratch:
        rows = scratch.execute(
            "select sum(num_rows)::bigint from parquet_file_metadata(?)", [glob.escape(str(path))]
        ).fetchall()
    return int(rows[0][0])


def _raw_specs() -> list[dg.AssetSpec]:
    sources: Mapping[str, object] = manifest["sources"]
    return [translator.get_asset_spec(manifest, unique_id, project) for unique_id in sources]


with warnings.catch_warnings():
    # The version of Dagster is pinned; a change of this decorator would fail a test.
    warnings.simplefilter("ignore", dg.BetaWarning)

    @dg.multi_observable_source_asset(  # type: ignore[untyped-decorator]
        specs=_raw_specs(), can_subset=True
    )
    def raw_files(context: dg.AssetExecutionContext) -> Iterator[dg.ObserveResult]:
        """Observe the raw files that are selected."""
        yield from observe_sources(read_sources(), context.selected_asset_keys)
