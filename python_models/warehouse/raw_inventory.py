"""What a source brings before a row of it is read: its files, and columns that nobody uses."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb

from warehouse.paths import REPO_ROOT
from warehouse.raw_files import RawSource, check_source, read_sources
from warehouse.source_settings import (
    CustomSettings,
    CustomTable,
    FolderSettings,
    WebEventsSettings,
)

_DELIMITERS: Final = (";", ",", "\t", "|")
_EVENT_FILES: Final = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".parquet")


@dataclass(frozen=True)
class RawFile:
    """One raw file.

    Attributes:
        name: Its name, as its source tells it from others.
        rows: Its number of rows; None if it is missing or was not counted.
        unused_columns: Columns that no table of the source reads.
        note: What else is to say of it.
    """

    name: str
    rows: int | None
    unused_columns: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Inventory:
    """The raw files of a source.

    Attributes:
        files: What is there.
        problems: One line for each thing that stops a build, besides the columns.
        column_problems: One line for each column that is missing or has a wrong type.
    """

    files: tuple[RawFile, ...]
    problems: tuple[str, ...] = ()
    column_problems: tuple[str, ...] = ()


def take_inventory(name: str, settings: object, root: Path = REPO_ROOT) -> Inventory:
    """List the raw files of a source and what is wrong with them as files.

    Args:
        name: Name of the source.
        settings: Its settings, as `warehouse.source_settings` reads them.
        root: The dbt project, to which relative paths belong.
    """
    match settings:
        case FolderSettings():
            return _join(
                [_inventory_of_folder(source) for source in read_sources(settings={name: settings})]
            )
        case WebEventsSettings():
            return _inventory_of_landing(root / Path(settings.directory).expanduser())
        case CustomSettings():
            return _join(
                [
                    _inventory_of_table(table_name, table, root)
                    for table_name, table in settings.tables.items()
                    if table.files
                ]
            )
        case _:
            return Inventory(())


def diagnose_header(path: Path, delimiter: str, wanted: Sequence[str]) -> tuple[str, ...]:
    """Read the first line of a CSV file and say what is wrong with it.

    Args:
        path: The file.
        delimiter: What is said to separate its columns.
        wanted: The columns that are to be read.

    Returns:
        One line for each problem: another delimiter, names that repeat, columns that are missing.

    Raises:
        OSError: If the file cannot be read.
        UnicodeDecodeError: If it is no UTF-8 text.
    """
    header, line = _read_header(path, delimiter)
    if not line.strip():
        return ("the file has no header line",)
    others = [other for other in _DELIMITERS if other != delimiter and other in line]
    if len(header) == 1 and others:
        likely = max(others, key=line.count)
        return (
            f"one column was found with the delimiter {delimiter!r}; is the delimiter {likely!r}?",
        )
    problems = [
        f"column {column} is there {header.count(column)} times"
        for column in dict.fromkeys(header)
        if header.count(column) > 1
    ]
    problems += [
        f"column {column} is missing; there are {', '.join(header)}"
        for column in dict.fromkeys(wanted)
        if column not in header
    ]
    return tuple(problems)


def _inventory_of_folder(source: RawSource) -> Inventory:
    problems = check_source(source)
    files = []
    for table in source.tables:
        path = (source.directory or Path()) / table.file
        if not path.is_file():
            if not table.is_required:
                files.append(RawFile(table.file, None, note="missing: an empty table instead"))
            continue
        if any(problem.startswith(f"{table.file}: is not") for problem in problems):
            continue
        with duckdb.connect() as scratch:
            relation = scratch.read_parquet(str(path), hive_partitioning=False)
            declared = {column.lower() for column in table.columns}
            unused = [column for column in relation.columns if column.lower() not in declared]
            files.append(RawFile(table.file, _count(relation), tuple(unused)))
    of_columns = [problem for problem in problems if ": column " in problem]
    return Inventory(
        tuple(files),
        tuple(problem for problem in problems if problem not in of_columns),
        tuple(of_columns),
    )


def _inventory_of_landing(directory: Path) -> Inventory:
    if not directory.is_dir():
        return Inventory((), (f"{directory}: there is no such folder",))
    partitions: dict[str, int] = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.name.endswith(_EVENT_FILES):
            partition = str(path.parent.relative_to(directory))
            partitions[partition] = partitions.get(partition, 0) + 1
    return Inventory(
        tuple(
            RawFile(partition, None, note=f"{count} file{'s' if count > 1 else ''}")
            for partition, count in partitions.items()
        )
    )


def _inventory_of_table(name: str, table: CustomTable, root: Path) -> Inventory:
    pattern = Path(table.files or "").expanduser()
    paths = (
        sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))
        if pattern.is_absolute()
        else sorted(root.glob(str(pattern)))
    )
    if not paths:
        return Inventory((), (f"{name}: no file is {table.files}",))
    return _join([_inventory_of_file(name, path, table) for path in paths])


def _inventory_of_file(name: str, path: Path, table: CustomTable) -> Inventory:
    at = f"{name}, {path.name}"
    wanted = [column.column for column in table.columns.values() if column.column]
    is_text = table.format == "csv" or (table.format is None and ".csv" in path.suffixes)
    try:
        if is_text and path.suffix != ".gz":
            problems = diagnose_header(path, table.delimiter, wanted)
            if problems:
                of_columns = [line for line in problems if "is missing" in line]
                return Inventory(
                    (RawFile(at, None),),
                    tuple(f"{at}: {line}" for line in problems if line not in of_columns),
                    tuple(f"{at}: {line}" for line in of_columns),
                )
        with duckdb.connect() as scratch:
            if is_text:
                relation = scratch.read_csv(
                    str(path), header=True, delimiter=table.delimiter, all_varchar=True
                )
            elif table.format == "parquet" or path.suffix == ".parquet":
                relation = scratch.read_parquet(str(path), hive_partitioning=False)
            else:
                relation = scratch.read_json(str(path))
            missing = [column for column in wanted if column not in relation.columns]
            return Inventory(
                (
                    RawFile(
                        at,
                        _count(relation),
                        tuple(column for column in relation.columns if column not in wanted),
                    ),
                ),
                column_problems=tuple(
                    f"{at}: column {column} is missing; there are {', '.join(relation.columns)}"
                    for column in missing
                ),
            )
    except (OSError, UnicodeDecodeError, duckdb.Error) as error:
        reason = str(error).splitlines()[0]
        return Inventory((RawFile(at, None),), (f"{at}: cannot be read ({reason})",))


def _read_header(path: Path, delimiter: str) -> tuple[list[str], str]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        line = file.readline()
        file.seek(0)
        header = next(csv.reader(file, delimiter=delimiter), [])
    return [column.strip() for column in header], line


def _count(relation: duckdb.DuckDBPyRelation) -> int:
    ((rows,),) = relation.aggregate("count(*)").fetchall()
    return int(rows)


def _join(inventories: Sequence[Inventory]) -> Inventory:
    return Inventory(
        tuple(file for inventory in inventories for file in inventory.files),
        tuple(problem for inventory in inventories for problem in inventory.problems),
        tuple(problem for inventory in inventories for problem in inventory.column_problems),
    )
