"""What a shop's own files and tables hold, as text."""

import csv
import glob
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import pandas as pd

from warehouse.paths import quote_identifier, quote_literal
from warehouse.raw_files import escape_glob
from warehouse.source_settings import CustomDatabase, CustomTable

_BATCH_VECTORS: Final = 8
_KEEP_REJECTED: Final = "max_line_size = 67108864, store_rejects = true"


@dataclass(frozen=True)
class SourceFile:
    """One file, or one table of a database.

    Attributes:
        name: Its path, or database.table.
        state: What tells whether a file has changed; None for a table, which is read in every
            build, since a server has no such state and a database may keep news beside its file.
    """

    name: str
    state: str | None


class UnusableFileError(Exception):
    """A file or table that cannot be read as the settings say; the message says why."""


def list_files(table: CustomTable, databases: Mapping[str, CustomDatabase]) -> list[SourceFile]:
    """Return what there is to read for a table, ordered by name.

    Raises:
        UnusableFileError: If there is nothing to read.
    """
    if table.table is not None:
        database, _, _ = table.table.partition(".")
        if database not in databases:
            raise UnusableFileError(f"{table.table}: no database {database} is declared")
        path = Path(databases[database].path).expanduser()
        if databases[database].type != "postgres" and not path.is_file():
            raise UnusableFileError(f"{table.table}: there is no file {path}")
        return [SourceFile(table.table, None)]
    pattern = str(Path(table.files or "").expanduser())
    names = sorted(name for name in glob.glob(pattern, recursive=True) if Path(name).is_file())  # noqa: PTH207
    if not names:
        raise UnusableFileError(f"no file matches {pattern}")
    return [SourceFile(name, _state(Path(name))) for name in names]


def _state(path: Path) -> str:
    status = path.stat()
    return f"{status.st_size} {status.st_mtime_ns}"


def _format(table: CustomTable, file: SourceFile) -> str:
    if table.format:
        return table.format
    endings = Path(file.name).suffixes[-2:]
    for format_, known in {
        "csv": {".csv", ".tsv", ".txt"},
        "json": {".json", ".jsonl", ".ndjson"},
        "parquet": {".parquet"},
    }.items():
        if known & set(endings):
            return format_
    raise UnusableFileError(f"{file.name}: name its format, csv, json or parquet")


def wanted_columns(table: CustomTable) -> list[str]:
    """Return the columns of the file that the settings name, each once."""
    named = [
        name
        for column in table.columns.values()
        for name in (column.column, column.multiply_by)
        if name is not None
    ]
    return list(dict.fromkeys(named))


def check_columns(
    table: CustomTable, file: SourceFile, databases: Mapping[str, CustomDatabase]
) -> None:
    """Check that a file has every column that the settings name, once.

    Raises:
        UnusableFileError: If it has not, or cannot be read.
    """
    try:
        if table.table is not None:
            present = _table_columns(table.table, databases)
        elif _format(table, file) == "json":
            return  # A key that a line lacks is a missing value.
        elif _format(table, file) == "csv":
            present = _csv_header(table, file)
        else:
            with duckdb.connect() as scratch:
                present = scratch.read_parquet(file.name, hive_partitioning=False).columns
    except (duckdb.Error, sqlite3.Error, OSError, UnicodeError, csv.Error) as error:
        raise UnusableFileError(
            f"{file.name} cannot be read: {str(error).splitlines()[0]}"
        ) from error
    repeated = sorted({name for name in present if present.count(name) > 1})
    if repeated:
        raise UnusableFileError(f"{file.name} has several columns named {', '.join(repeated)}")
    missing = [name for name in wanted_columns(table) if name not in present]
    if missing:
        hint = ""
        if len(present) == 1:
            others = [mark for mark in ",;\t|" if mark != table.delimiter and mark in present[0]]
            hint = "".join(f"; is its delimiter {mark!r}?" for mark in others[:1])
        raise UnusableFileError(
            f"{file.name} has no column {', '.join(missing)}; it has {', '.join(present)}{hint}"
        )


def _csv_header(table: CustomTable, file: SourceFile) -> list[str]:
    encoding = "utf-8-sig" if table.encoding == "utf-8" else table.encoding
    with Path(file.name).open(encoding=encoding, errors="replace", newline="") as text:
        header = next(csv.reader(text, delimiter=table.delimiter), [])
    if not header:
        raise UnusableFileError(f"{file.name} is empty, expected a header")
    return header


def stage_file(
    cursor: duckdb.DuckDBPyConnection,
    table: CustomTable,
    file: SourceFile,
    databases: Mapping[str, CustomDatabase],
) -> None:
    """Read the columns of one file that the settings name.

    Args:
        cursor: The warehouse. Afterwards it has the temporary tables `staged`, with these columns
            as text, and `rejected`, with line_number, problem and raw_line of what is no row.
        table: Settings of the table.
        file: The file.
        databases: The databases that the settings declare.
    """
    wanted = wanted_columns(table)
    cursor.execute(
        "create or replace temp table rejected "
        "(line_number bigint, problem varchar, raw_line varchar)"
    )
    if table.table is not None:
        texts = ", ".join(f"{quote_identifier(column)} varchar" for column in wanted)
        cursor.execute(f"create or replace temp table staged ({texts})")
        for batch in _table_batches(table.table, databases, wanted):
            cursor.register("batch", batch)
            cursor.execute("insert into staged select * from batch")
            cursor.unregister("batch")
        return
    format_ = _format(table, file)
    if format_ == "parquet":
        relation = cursor.read_parquet(file.name, hive_partitioning=False)
        stored = dict(zip(relation.columns, map(str, relation.types), strict=True))
        selected = ", ".join(f"{_as_text(column, stored[column])}" for column in wanted)
        cursor.execute(
            f"create or replace temp table staged as select {selected} "
            f"from read_parquet({_pattern(file)}, hive_partitioning = false)"
        )
    elif format_ == "json":
        _stage_json(cursor, file, wanted)
    else:
        _stage_csv(cursor, table, file, wanted)


def _stage_csv(
    cursor: duckdb.DuckDBPyConnection,
    table: CustomTable,
    file: SourceFile,
    wanted: Sequence[str],
) -> None:
    columns = ", ".join(
        f"{quote_literal(column)}: 'varchar'" for column in _csv_header(table, file)
    )
    selected = ", ".join(quote_identifier(column) for column in wanted)
    cursor.execute(
        f"create or replace temp table staged as select {selected} from read_csv({_pattern(file)}, "
        f"delim = {quote_literal(table.delimiter)}, quote = '\"', escape = '\"', header = true, "
        f"auto_detect = false, columns = {{{columns}}}, "
        f"encoding = {quote_literal(table.encoding)}, {_KEEP_REJECTED})"
    )
    _take_rejected(cursor)


def _stage_json(cursor: duckdb.DuckDBPyConnection, file: SourceFile, wanted: Sequence[str]) -> None:
    # No character of a JSON line separates or quotes anything here: the line is one value.
    cursor.execute(
        "create or replace temp table json_lines as "
        "select row_number() over () as line_number, line, "
        "case when json_valid(line) then json_type(line) end as kind "
        f"from read_csv({_pattern(file)}, delim = chr(1), quote = '', escape = '', "
        "header = false, auto_detect = false, columns = {'line': 'varchar'}, "
        f"{_KEEP_REJECTED}) where trim(line) != ''"
    )
    keys = ", ".join(
        f"json_extract_string(line, {quote_literal('$.' + json.dumps(column))}) "
        f"as {quote_identifier(column)}"
        for column in wanted
    )
    cursor.execute(
        f"create or replace temp table staged as select {keys} from json_lines "
        "where kind = 'OBJECT'"
    )
    cursor.execute(
        "insert into rejected select line_number, 'no JSON object', line from json_lines "
        "where kind is distinct from 'OBJECT'"
    )
    cursor.execute("drop table json_lines")
    _take_rejected(cursor)


def _take_rejected(cursor: duckdb.DuckDBPyConnection) -> None:
    cursor.execute(
        "insert into rejected select distinct on (line) line, "
        "lower(replace(cast(error_type as varchar), '_', ' ')), csv_line "
        "from reject_errors order by line, column_idx"
    )
    cursor.execute("drop table reject_errors")
    cursor.execute("drop table reject_scans")


def _table_columns(name: str, databases: Mapping[str, CustomDatabase]) -> list[str]:
    database, table = _place(name)
    if databases[database].type == "sqlite":
        with closing(sqlite3.connect(_read_only_uri(databases[database]), uri=True)) as connection:
            description = connection.execute(f"select * from {table} limit 0").description
            return [str(column[0]) for column in description]
    with _attached(database, databases[database]) as connection:
        return connection.sql(f"from {quote_identifier(database)}.{table}").columns


def _table_batches(
    name: str, databases: Mapping[str, CustomDatabase], columns: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Read columns of a table of a database as text, some rows at a time."""
    database, table = _place(name)
    if databases[database].type == "sqlite":
        selected = ", ".join(f"cast({quote_identifier(column)} as text)" for column in columns)
        with closing(sqlite3.connect(_read_only_uri(databases[database]), uri=True)) as connection:
            rows = connection.execute(f"select {selected} from {table}")
            while batch := rows.fetchmany(_BATCH_VECTORS * duckdb.__standard_vector_size__):
                yield pd.DataFrame(batch, columns=list(columns), dtype="str")
        return
    with _attached(database, databases[database]) as connection:
        relation = connection.sql(f"from {quote_identifier(database)}.{table}")
        stored = dict(zip(relation.columns, map(str, relation.types), strict=True))
        texts = relation.project(", ".join(_as_text(column, stored[column]) for column in columns))
        while not (frame := texts.fetch_df_chunk(_BATCH_VECTORS)).empty:
            yield frame


def _place(name: str) -> tuple[str, str]:
    """Return the database and the quoted rest of database.table or database.schema.table."""
    database, *rest = name.split(".")
    return database, ".".join(quote_identifier(part) for part in rest)


def _read_only_uri(database: CustomDatabase) -> str:
    return f"{Path(database.path).expanduser().absolute().as_uri()}?mode=ro"


@contextmanager
def _attached(name: str, database: CustomDatabase) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that DuckDB reads, under its name."""
    with duckdb.connect(config={"autoinstall_known_extensions": "false"}) as connection:
        if database.type == "postgres":
            try:
                connection.execute("load postgres")
            except duckdb.Error as error:
                raise UnusableFileError(
                    f"{name}: DuckDB's extension postgres is not installed on this machine; "
                    "install it once with `install postgres` in DuckDB"
                ) from error
        kind = ", type postgres" if database.type == "postgres" else ""
        place = str(Path(database.path).expanduser()) if not kind else database.path
        connection.execute(
            f"attach {quote_literal(place)} as {quote_identifier(name)} (read_only{kind})"
        )
        yield connection


def _pattern(file: SourceFile) -> str:
    return quote_literal(escape_glob(Path(file.name)))


def _as_text(column: str, stored_type: str) -> str:
    identifier = quote_identifier(column)
    if stored_type in ("FLOAT", "DOUBLE"):
        # A writer stores whole numbers as floats where one is missing: 7.0 is the key 7.
        # Not a number is how it writes the missing one.
        return (
            f"case when isnan({identifier}) then null "
            f"when {identifier} = trunc({identifier}) and abs({identifier}) < 1e15 "
            f"then cast(cast({identifier} as bigint) as varchar) "
            f"else cast({identifier} as varchar) end as {identifier}"
        )
    return f"cast({identifier} as varchar) as {identifier}"
