"""The landing folder of web events: what has arrived, what of it can be read, and the view of it.

    <folder>/arrival_date=2024-05-31/<any name>.jsonl (.json, .jsonl.gz, .json.gz or .parquet)

Nothing that has landed may vanish, and none of it may stop a build: a file that cannot be read, and
every line that holds no JSON object, becomes a row of raw_web_events.unreadable_lines, which the
quality gate quarantines. A file is checked once, when it is new or has changed; the view then names
the files that were checked, so that a file that lands during a build waits for the next one.
"""

import gzip
import json
import os
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

import duckdb

from warehouse.paths import quote_identifier, quote_literal
from warehouse.raw_files import (
    RawDataError,
    RawSource,
    UnreadableFileError,
    escape_glob,
    read_footer,
)
from warehouse.source_settings import WebEventsSettings

SCHEMA: Final = "raw_web_events"
"""Schema of the view over the files and of what is known about them."""

MAX_TEXT_LENGTH: Final = 1000
"""So many characters of an unreadable line are kept for the reader."""

_MAX_LINE_BYTES: Final = 16 * 1024 * 1024
_ENDINGS: Final = (".jsonl", ".json", ".jsonl.gz", ".json.gz", ".parquet")
_PARTITION: Final = re.compile(r"arrival_date=(\d{4}-\d{2}-\d{2})")
E_MAIL: Final = r"[^\s@\"'<>,;:()]+@[^\s@\"'<>,;:()]+"

_TABLES: Final = """
create schema if not exists raw_web_events;
create table if not exists raw_web_events.files (
    file varchar, arrival_date date, bytes bigint, modified_ns bigint, columns varchar,
    problem varchar
);
create table if not exists raw_web_events.unreadable_lines (
    file varchar, arrival_date date, line_number bigint, problem varchar, line varchar
);
"""


@dataclass(frozen=True)
class LandedFile:
    """One file of the landing folder.

    Attributes:
        name: Path below the folder.
        arrival_date: Day of its partition; None if it lies in none.
        size: Bytes.
        modified_ns: When it was last changed, nanoseconds since 1970.
    """

    name: str
    arrival_date: date | None
    size: int
    modified_ns: int


@dataclass(frozen=True)
class UnreadableLine:
    """A line that holds no JSON object, or a file of which nothing is read.

    Attributes:
        number: Number of the line in its file, from 1; None for the whole file.
        problem: What is wrong with it.
        text: How it starts, e-mail addresses masked; None for a file.
    """

    number: int | None
    problem: str
    text: str | None = None


@dataclass(frozen=True)
class _Checked:
    """The types of a parquet file's columns, and what of a file cannot be read."""

    columns: Mapping[str, str] | None
    unreadable: Sequence[UnreadableLine]

    @property
    def problem(self) -> str | None:
        return next((line.problem for line in self.unreadable if line.number is None), None)


def landing_folder(settings: WebEventsSettings) -> Path:
    """Return the landing folder, which must be there.

    Args:
        settings: Settings of the source web_events.

    Raises:
        RawDataError: If there is no such folder.
    """
    folder = Path(settings.directory).expanduser().absolute()
    if not folder.is_dir():
        state = "that is not a folder" if folder.exists() else "there is no such folder"
        raise RawDataError([(RawSource("web_events", SCHEMA, folder, ()), [state])])
    return folder


def list_landed_files(folder: Path) -> list[LandedFile]:
    """List the files of a landing folder, wherever in it they lie.

    Names that start with a dot or an underscore are those of files that are still being written, or
    of what a writer leaves beside them: they are no events and left out.

    Args:
        folder: The landing folder.

    Returns:
        The files, ordered by name.
    """
    files = []
    for directory, subdirectories, names in os.walk(folder, followlinks=True):
        subdirectories[:] = [name for name in subdirectories if not name.startswith((".", "_"))]
        for name in names:
            path = Path(directory) / name
            if name.startswith((".", "_")) or not path.is_file():
                continue
            status = path.stat()
            files.append(
                LandedFile(
                    name=path.relative_to(folder).as_posix(),
                    arrival_date=_arrival_date(Path(directory).relative_to(folder)),
                    size=status.st_size,
                    modified_ns=status.st_mtime_ns,
                )
            )
    return sorted(files, key=lambda file: file.name)


def refresh_landing(connection: duckdb.DuckDBPyConnection, folder: Path) -> list[str]:
    """Bring what the warehouse knows of a landing folder up to date.

    Creates raw_web_events.lines, a view with one row per line or parquet row of every readable file
    (file, arrival_date, line: its JSON object, null if it holds none), and keeps the tables files
    and unreadable_lines.

    Args:
        connection: The warehouse, open for writing.
        folder: The landing folder.

    Returns:
        The files of which nothing is read, each with the reason.

    Raises:
        duckdb.Error: If the warehouse has something else under the name of a table or view.
    """
    landed = list_landed_files(folder)
    with connection.cursor() as cursor:
        cursor.begin()
        cursor.execute(_TABLES)
        _forget_changed_files(cursor, landed)
        _check_new_files(cursor, folder, landed)
        cursor.execute(
            f"create or replace view raw_web_events.lines as {_lines_query(cursor, folder)}"
        )
        cursor.commit()
        problems = cursor.execute(
            "select file || ': ' || problem from raw_web_events.files "
            "where problem is not null order by file"
        ).fetchall()
    return [str(problem) for (problem,) in problems]


def _arrival_date(directory: Path) -> date | None:
    """Return the day of a partition, given its path below the folder."""
    day = _PARTITION.fullmatch(str(directory))
    try:
        return date.fromisoformat(day[1]) if day else None
    except ValueError:
        return None


def _forget_changed_files(cursor: duckdb.DuckDBPyConnection, landed: Sequence[LandedFile]) -> None:
    """Delete what is known of files that are gone or are no longer what was checked."""
    current = {(file.name, file.size, file.modified_ns) for file in landed}
    known = cursor.execute("select file, bytes, modified_ns from raw_web_events.files").fetchall()
    changed = [[file] for file, *state in known if (file, *state) not in current]
    if changed:
        cursor.executemany("delete from raw_web_events.files where file = ?", changed)
        cursor.executemany("delete from raw_web_events.unreadable_lines where file = ?", changed)


def _check_new_files(
    cursor: duckdb.DuckDBPyConnection, folder: Path, landed: Sequence[LandedFile]
) -> None:
    known = {file for (file,) in cursor.execute("select file from raw_web_events.files").fetchall()}
    with duckdb.connect(config={"memory_limit": "1GB"}) as scratch:
        for file in landed:
            if file.name in known:
                continue
            checked = _check_file(scratch, folder / file.name, file)
            columns = None if checked.columns is None else json.dumps(checked.columns)
            cursor.execute(
                "insert into raw_web_events.files values (?, ?, ?, ?, ?, ?)",
                [
                    *(file.name, file.arrival_date, file.size, file.modified_ns),
                    *(columns, checked.problem),
                ],
            )
            for line in checked.unreadable:
                cursor.execute(
                    "insert into raw_web_events.unreadable_lines values (?, ?, ?, ?, ?)",
                    [file.name, file.arrival_date, line.number, line.problem, line.text],
                )


def _check_file(scratch: duckdb.DuckDBPyConnection, path: Path, file: LandedFile) -> _Checked:
    """Read a new file once, to learn what of it cannot be read."""
    try:
        if file.arrival_date is None:
            raise UnreadableFileError("lies in no folder arrival_date=YYYY-MM-DD")
        if not file.name.endswith(_ENDINGS):
            raise UnreadableFileError(f"ends in none of {', '.join(_ENDINGS)}")
        if path.suffix == ".parquet":
            footer = read_footer(scratch, path)
            return _Checked(
                {column.name: column.stored_type for column in footer.columns.values()}, ()
            )
        if file.size == 0:
            return _Checked(None, ())
        if path.suffix == ".gz":
            _check_gzip(path)
        return _Checked(None, list(_unreadable_lines(scratch, path)))
    except UnreadableFileError as error:
        return _Checked(None, [UnreadableLine(None, str(error))])
    except OSError as error:
        return _Checked(None, [UnreadableLine(None, f"cannot be read ({error.strerror})")])


def _check_gzip(path: Path) -> None:
    """Raise unless the archive is whole: DuckDB would read a truncated one as far as it goes."""
    try:
        with gzip.open(path, "rb") as content:
            while content.read(1 << 20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise UnreadableFileError("is not a readable gzip file (truncated?)") from error


def _unreadable_lines(scratch: duckdb.DuckDBPyConnection, path: Path) -> Iterator[UnreadableLine]:
    try:
        lines = scratch.sql(f"from {_read_json(path)}")
        rows, objects = lines.aggregate(
            "count(*), count(case when json_type(json) = 'OBJECT' then 1 end)"
        ).fetchall()[0]
        if rows == objects:
            return
        # Without an order DuckDB numbers the rows as they stand in the file.
        problems: Mapping[int, str] = dict(
            lines.project("row_number() over () as place, json")
            .filter("json is null or json_type(json) != 'OBJECT'")
            .project(
                "place, case when json is null then 'is no valid JSON' "
                "else 'is JSON but no object' end"
            )
            .fetchall()
        )
    except duckdb.Error as error:
        raise UnreadableFileError(
            f"cannot be read as JSON lines (a line of more than {_MAX_LINE_BYTES} bytes?)"
        ) from error

    place = 0
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as content:
        for number, line in enumerate(content, start=1):
            if not line.strip():
                continue  # DuckDB skips blank lines, too.
            place += 1
            if place in problems:
                yield UnreadableLine(number, problems[place], _excerpt(line))


def _excerpt(line: bytes) -> str:
    # An address that is cut off at the end must not escape the mask.
    text = line[: 8 * MAX_TEXT_LENGTH].decode(errors="replace").replace("\0", "\ufffd").strip()
    return re.sub(E_MAIL, "<e-mail>", text)[:MAX_TEXT_LENGTH]


def _lines_query(cursor: duckdb.DuckDBPyConnection, folder: Path) -> str:
    """Return the query over all readable files: JSON lines, and each kind of parquet file."""
    kinds = cursor.execute(
        "select columns, list(file order by file) from raw_web_events.files "
        "where problem is null and bytes > 0 group by columns order by columns nulls first"
    ).fetchall()
    branches = [
        _json_branch(folder, files) if columns is None else _parquet_branch(folder, files, columns)
        for columns, files in kinds
    ]
    nothing = (
        "select cast(null as varchar) as file, cast(null as date) as arrival_date, "
        "cast(null as varchar) as line where false"
    )
    return " union all ".join(branches) or nothing


def _json_branch(folder: Path, files: Sequence[str]) -> str:
    relation = _read_json(*(folder / file for file in files), options=_PARTITIONED)
    line = "case when json_type(json) = 'OBJECT' then cast(json as varchar) end"
    return _branch(folder, line, relation)


def _parquet_branch(folder: Path, files: Sequence[str], columns: str) -> str:
    names = map(quote_identifier, json.loads(columns))
    fields = ", ".join(f"{name} := {name}" for name in names)
    paths = _list_of_paths(*(folder / file for file in files))
    line = f"cast(to_json(struct_pack({fields})) as varchar)"
    return _branch(folder, line, f"read_parquet({paths}, {_PARTITIONED})")


def _branch(folder: Path, line: str, relation: str) -> str:
    file = f"substr(_landed_file, {len(str(folder)) + 2})"
    return f"select {file} as file, arrival_date, {line} as line " + f"from {relation}"


# Named so that no column of a parquet file is in its way. Of the partitions that a condition on
# arrival_date rules out nothing is read, but for the types of a first parquet file.
_PARTITIONED: Final = (
    "filename = '_landed_file', hive_partitioning = true, hive_types = {'arrival_date': date}"
)


def _read_json(*paths: Path, options: str = "hive_partitioning = false") -> str:
    return (
        f"read_json_objects({_list_of_paths(*paths)}, format = 'newline_delimited', "
        f"ignore_errors = true, maximum_object_size = {_MAX_LINE_BYTES}, {options})"
    )


def _list_of_paths(*paths: Path) -> str:
    return "[" + ", ".join(quote_literal(escape_glob(path)) for path in paths) + "]"
