"""The raw parquet files: where they are, whether they can be used, and the views over them.

The dbt source YAML is the one declaration of what a raw file must hold. A file is checked from its
footer alone, so that the check costs milliseconds and can run before every build.
"""

import importlib.util
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import yaml

from warehouse.paths import REPO_ROOT, quote_identifier, quote_literal
from warehouse.source_settings import FolderSettings, read_source_settings

_PARQUET_MAGIC: Final = b"PAR1"

_NUMBER: Final = "a number"
_TEXT: Final = "text"
_TIME: Final = "a date or timestamp"
_BOOLEAN: Final = "true or false"

# The width of a number is left to staging, which casts: a writer turns an id into a double as soon
# as one is missing. Text that holds numbers is another matter: a cast would hide the rows it loses.
_FAMILY_OF_DECLARED_TYPE: Final = {
    "bigint": _NUMBER,
    "int": _NUMBER,
    "integer": _NUMBER,
    "double": _NUMBER,
    "decimal": _NUMBER,
    "string": _TEXT,
    "date": _TIME,
    "timestamp": _TIME,
    "boolean": _BOOLEAN,
}
_FAMILY_OF_STORED_TYPE: Final = {
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"), _NUMBER),
    **dict.fromkeys(("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"), _NUMBER),
    **dict.fromkeys(("FLOAT", "DOUBLE", "DECIMAL"), _NUMBER),
    **dict.fromkeys(("VARCHAR", "ENUM", "JSON"), _TEXT),
    **dict.fromkeys(("DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), _TIME),
    "TIMESTAMP WITH TIME ZONE": _TIME,
    "BOOLEAN": _BOOLEAN,
}


@dataclass(frozen=True)
class RawTable:
    """One raw table and the file that holds it.

    Attributes:
        name: Name of the table in the source.
        file: Name of the parquet file in the source's folder.
        is_required: Whether a build is pointless without the file.
        columns: Declared type by column name.
    """

    name: str
    file: str
    is_required: bool
    columns: Mapping[str, str]


@dataclass(frozen=True)
class RawSource:
    """One declared dbt source.

    Attributes:
        name: Name of the source.
        schema: Schema of its views in the warehouse.
        directory: Folder of its files; None if nothing says where it is.
        tables: Its tables, in the order of their declaration.
        directory_variable: Environment variable that names the folder.
        package: Installed package that brings the files when the variable is not set.
    """

    name: str
    schema: str
    directory: Path | None
    tables: Sequence[RawTable]
    directory_variable: str | None = None
    package: str | None = None


class SourceDeclarationError(RuntimeError):
    """A source's YAML does not say what the raw files must hold."""


class RawDataError(RuntimeError):
    """Raw files cannot be used as they are.

    dbt prints the message of a RuntimeError that is raised while it connects as it stands; any
    other exception would bury it in a traceback.
    """

    def __init__(self, problems_by_source: Sequence[tuple[RawSource, Sequence[str]]]) -> None:
        """List the problems under a header for each source.

        Args:
            problems_by_source: Each source that has problems, with one line for each of them.
        """
        lines: list[str] = []
        for source, problems in problems_by_source:
            folder = f" in {source.directory}" if source.directory else ""
            lines.append(f"The raw files of source {source.name}{folder} cannot be used:")
            lines.extend(f"  - {problem}" for problem in problems)
        super().__init__("\n".join(lines))


class UnreadableFileError(Exception):
    """A file that is there but is no parquet file one could read; the message says why."""


@dataclass(frozen=True)
class StoredColumn:
    """A column as a parquet file has it."""

    name: str
    stored_type: str
    is_all_null: bool


@dataclass(frozen=True)
class Footer:
    """What a parquet file says about itself; columns by their lower-case name."""

    row_count: int
    columns: Mapping[str, StoredColumn]


def read_sources(
    root: Path = REPO_ROOT,
    environment: Mapping[str, str] = os.environ,
    settings: Mapping[str, object] | None = None,
) -> list[RawSource]:
    """Read what `models/staging/*/_*__sources.yml` declares of the folders that are switched on.

    Args:
        root: The dbt project.
        environment: Environment variables, some of which name folders.
        settings: Settings of the sources that are switched on; None: those of the var `sources`.

    Returns:
        The sources, ordered by file and then as declared.

    Raises:
        SourceDeclarationError: If a declaration lacks a file or has a type that no check knows.
        SourceSettingsError: If the var `sources` cannot be used.
    """
    if settings is None:
        settings = read_source_settings(root).enabled()
    folders = {
        name: folder for name, folder in settings.items() if isinstance(folder, FolderSettings)
    }
    sources: list[RawSource] = []
    for path in sorted(root.glob("models/staging/*/_*__sources.yml")):
        declaration = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        sources.extend(
            _read_source(entry, path.relative_to(root), environment, folders[entry["name"]])
            for entry in declaration.get("sources") or []
            if entry["name"] in folders
        )
    return sources


def check_source(source: RawSource) -> list[str]:
    """Check that the files of a source hold what it declares, from their footers alone.

    Args:
        source: The source.

    Returns:
        One line for each problem of any file; none if the source can be used.
    """
    if source.directory is None:
        return [_how_to_name_the_folder(source)]
    if not source.directory.is_dir():
        state = "that is not a folder" if source.directory.exists() else "there is no such folder"
        return [state + _variable_hint(source)]

    problems: list[str] = []
    with duckdb.connect() as scratch:
        for table in source.tables:
            problems.extend(_check_table(scratch, table, source.directory / table.file))
    return problems


def check_sources(sources: Sequence[RawSource]) -> None:
    """Check all sources before any of them is used.

    Args:
        sources: The sources.

    Raises:
        RawDataError: If any file of any source cannot be used; it names all of them.
    """
    checked = [(source, check_source(source)) for source in sources]
    broken = [(source, problems) for source, problems in checked if problems]
    if broken:
        raise RawDataError(broken)


def missing_optional_files(source: RawSource) -> list[str]:
    """Return the optional files that are not there; their tables will be empty.

    Args:
        source: The source.
    """
    return [
        table.file
        for table in source.tables
        if not table.is_required and not (_folder(source) / table.file).exists()
    ]


def create_views(connection: duckdb.DuckDBPyConnection, source: RawSource) -> list[str]:
    """Create a view over each file of a checked source; an identical view is left alone.

    Args:
        connection: The warehouse, open for writing.
        source: A source in which `check_source` found no problem.

    Returns:
        The names of the views that were created or replaced.

    Raises:
        RawDataError: If a file has become unreadable since it was checked.
        duckdb.Error: If the warehouse has something else under the name of a view.
    """
    queries: dict[str, str] = {}
    comments: dict[str, str] = {}
    with duckdb.connect() as scratch:
        for table in source.tables:
            path = _folder(source) / table.file
            try:
                footer = read_footer(scratch, path) if path.exists() else None
            except UnreadableFileError as error:
                raise RawDataError([(source, [f"{table.file}: {error}"])]) from error
            queries[table.name] = _view_query(table, path, footer)
            comments[table.name] = f"{queries[table.name]} -- {_stored_types(table, footer)}"

    # DuckDB keeps a view in words of its own, which change when the file is opened again. The
    # comment keeps ours, and the types that the file had.
    present = dict(
        connection.execute(
            "select view_name, comment from duckdb_views() "
            "where database_name = current_database() and schema_name = ?",
            [source.schema],
        ).fetchall()
    )
    changed = [name for name in queries if present.get(name) != comments[name]]
    if changed:
        schema = quote_identifier(source.schema)
        with connection.cursor() as cursor:
            cursor.begin()
            cursor.execute(f"create schema if not exists {schema}")
            for name in changed:
                view = f"{schema}.{quote_identifier(name)}"
                cursor.execute(f"create or replace view {view} as {queries[name]}")
                cursor.execute(f"comment on view {view} is {quote_literal(comments[name])}")
            cursor.commit()
    return changed


def _read_source(
    entry: Mapping[str, Any],
    declared_in: Path,
    environment: Mapping[str, str],
    settings: FolderSettings,
) -> RawSource:
    name = str(entry["name"])
    meta = _meta(entry)
    variable = meta.get("directory_variable")
    package = meta.get("package")
    return RawSource(
        name=name,
        schema=str(entry.get("schema") or name),
        directory=_find_directory(
            settings.directory or (environment.get(variable) if variable else None),
            package,
            meta.get("package_directory") or ".",
        ),
        tables=tuple(
            _read_table(table, f"{declared_in}: source {name}") for table in entry["tables"]
        ),
        directory_variable=variable,
        package=package,
    )


def _read_table(entry: Mapping[str, Any], place: str) -> RawTable:
    place = f"{place}, table {entry['name']}"
    meta = _meta(entry)
    if not meta.get("file"):
        raise SourceDeclarationError(f"{place}: meta.file is missing")
    columns: dict[str, str] = {}
    for column in entry.get("columns") or []:
        declared_type = str(column.get("data_type"))
        if _base_type(declared_type).lower() not in _FAMILY_OF_DECLARED_TYPE:
            raise SourceDeclarationError(
                f"{place}, column {column['name']}: data_type is {declared_type}, expected one of "
                + ", ".join(_FAMILY_OF_DECLARED_TYPE)
            )
        columns[str(column["name"])] = declared_type
    if not columns:
        raise SourceDeclarationError(f"{place}: no column is declared")
    return RawTable(
        name=str(entry["name"]),
        file=str(meta["file"]),
        is_required=bool(meta.get("is_required", True)),
        columns=columns,
    )


def _meta(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the meta of a source or table, which dbt accepts in two places."""
    return {**(entry.get("meta") or {}), **((entry.get("config") or {}).get("meta") or {})}


def _find_directory(named: str | None, package: str | None, package_directory: str) -> Path | None:
    if named:
        return Path(named).expanduser().absolute()
    spec = importlib.util.find_spec(package) if package else None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]) / package_directory


def _folder(source: RawSource) -> Path:
    if source.directory is None:
        raise RawDataError([(source, [_how_to_name_the_folder(source)])])
    return source.directory


def _how_to_name_the_folder(source: RawSource) -> str:
    if not source.package:
        return "nothing says where the files are" + _variable_hint(source)
    return f"the Python package {source.package} is not installed" + _variable_hint(source)


def _variable_hint(source: RawSource) -> str:
    variable = source.directory_variable
    return f"; set {variable} to the folder of the files" if variable else ""


def _check_table(scratch: duckdb.DuckDBPyConnection, table: RawTable, path: Path) -> list[str]:
    if not path.exists():
        return [f"{table.file}: the file is missing"] if table.is_required else []
    try:
        footer = read_footer(scratch, path)
    except UnreadableFileError as error:
        return [f"{table.file}: {error}"]

    problems = []
    for name, declared_type in table.columns.items():
        column = footer.columns.get(name.lower())
        expected = f"{_declared_family(declared_type)} ({declared_type})"
        if column is None:
            problems.append(f"{table.file}: column {name} is missing, expected {expected}")
        elif not column.is_all_null and not _has_expected_type(column, declared_type):
            problems.append(
                f"{table.file}: column {name} holds {column.stored_type}, expected {expected}"
            )
    if table.is_required and footer.row_count == 0:
        problems.append(f"{table.file}: the file has no rows, expected at least one")
    return problems


def read_footer(scratch: duckdb.DuckDBPyConnection, path: Path) -> Footer:
    """Read what a parquet file says about itself.

    Args:
        scratch: Any connection.
        path: The file.

    Raises:
        UnreadableFileError: If the file is not a complete parquet file.
    """
    _check_envelope(path)
    pattern = escape_glob(path)
    try:
        row_count, end_of_data = _one_row(
            scratch,
            "select num_rows, file_size_bytes - footer_size - 8 from parquet_file_metadata(?)",
            [pattern],
        )
        # The footer of a file that lost bytes in its middle still tells where the data ended.
        (declared_end,) = _one_row(
            scratch,
            "select max(total_compressed_size + least(data_page_offset, "
            "coalesce(nullif(dictionary_page_offset, 0), data_page_offset))) "
            "from parquet_metadata(?)",
            [pattern],
        )
        relation = scratch.read_parquet(pattern, hive_partitioning=False)
        stored_types = dict(zip(relation.columns, map(str, relation.types), strict=True))
        all_null = scratch.execute(
            "select path_in_schema from parquet_metadata($file) group by path_in_schema "
            "having count(*) = count(stats_null_count) and sum(stats_null_count) = sum(num_values) "
            "union all select name from parquet_schema($file) where logical_type = 'NullType()'",
            {"file": pattern},
        ).fetchall()
    except duckdb.Error as error:
        raise UnreadableFileError("is not a readable parquet file (truncated?)") from error
    if declared_end is not None and declared_end > end_of_data:
        raise UnreadableFileError(
            f"is not a readable parquet file (truncated? {declared_end - end_of_data} bytes of "
            "data are missing)"
        )

    without_values = {name.lower() for (name,) in all_null}
    columns = {
        name.lower(): StoredColumn(name, stored, row_count == 0 or name.lower() in without_values)
        for name, stored in stored_types.items()
    }
    return Footer(row_count, columns)


def _check_envelope(path: Path) -> None:
    """Raise unless the file starts and ends as every parquet file does."""
    if path.is_dir():
        raise UnreadableFileError("is a folder, expected one parquet file")
    try:
        with path.open("rb") as file:
            head = file.read(len(_PARQUET_MAGIC))
            if not head:
                raise UnreadableFileError("is not a readable parquet file (0 bytes)")
            file.seek(-min(len(_PARQUET_MAGIC), path.stat().st_size), os.SEEK_END)
            tail = file.read()
    except OSError as error:
        raise UnreadableFileError(f"cannot be read ({error.strerror})") from error
    if head != _PARQUET_MAGIC:
        raise UnreadableFileError("is not a parquet file")
    if tail != _PARQUET_MAGIC:
        raise UnreadableFileError("is not a readable parquet file (truncated?)")


def _one_row(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any]
) -> tuple[Any, ...]:
    (row,) = connection.execute(query, parameters).fetchall()
    return tuple(row)


def _view_query(table: RawTable, path: Path, footer: Footer | None) -> str:
    """Return the query that reads the declared columns of a file, or of none if it is missing."""
    columns = []
    for name, declared_type in table.columns.items():
        alias = quote_identifier(name)
        column = footer.columns[name.lower()] if footer else None
        if column is None or not _has_expected_type(column, declared_type):
            # No file, or a column without a single value, which a writer gives any type at all.
            columns.append(f"cast(null as {declared_type}) as {alias}")
        else:
            columns.append(f"{quote_identifier(column.name)} as {alias}")
    origin = f"from {_read_parquet(path)}" if footer else "where false"
    return f"select {', '.join(columns)} {origin}"


def _stored_types(table: RawTable, footer: Footer | None) -> str:
    columns = [footer.columns[name.lower()] for name in table.columns] if footer else []
    return ", ".join(f"{column.name} {column.stored_type}" for column in columns) or "no file"


def _read_parquet(path: Path) -> str:
    # A folder named week=3 would otherwise overwrite the column week.
    return f"read_parquet({quote_literal(escape_glob(path))}, hive_partitioning = false)"


def escape_glob(path: Path) -> str:
    """Return the path as a pattern that matches this file and no other.

    Args:
        path: The file.
    """
    return "".join(f"[{character}]" if character in "*?[" else character for character in str(path))


def _base_type(data_type: str) -> str:
    return data_type.partition("(")[0].strip()


def _declared_family(declared_type: str) -> str:
    return _FAMILY_OF_DECLARED_TYPE[_base_type(declared_type).lower()]


def _has_expected_type(column: StoredColumn, declared_type: str) -> bool:
    stored_family = (
        None  # A list of numbers, INTEGER[] or DECIMAL(18,2)[], is not a number.
        if column.stored_type.endswith("]")
        else _FAMILY_OF_STORED_TYPE.get(_base_type(column.stored_type))
    )
    return stored_family == _declared_family(declared_type)
