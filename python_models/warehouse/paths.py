"""Where the warehouse is, and how to read it without locking or changing it."""

import os
import re
import tempfile
from pathlib import Path
from typing import Final

import duckdb

REPO_ROOT: Final = Path(__file__).resolve().parents[2]
"""The dbt project; the package is installed editable, so this is the work tree."""

MEMORY_LIMIT: Final = "2GB"

_DATABASES_OF_DUCKDB: Final = {"memory", "system", "temp"}
_NAME_PART: Final = re.compile(r'"((?:[^"]|"")*)"|([^."\s]+)')


def default_warehouse_path() -> Path:
    """Return the path that profiles.yml uses: WAREHOUSE_PATH, else data/warehouse.duckdb."""
    return Path(os.environ.get("WAREHOUSE_PATH") or REPO_ROOT / "data" / "warehouse.duckdb")


def quote_literal(text: str | Path) -> str:
    """Return the text as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def quote_identifier(name: str) -> str:
    """Return the name as a quoted SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def connect_read_only(path: Path) -> duckdb.DuckDBPyConnection:
    """Open a warehouse for reading, whatever its file is called.

    dbt writes the name of the database, which is the name of the file, into every view. A copy
    under another name is therefore attached under the name that its views expect.

    Args:
        path: The warehouse file.

    Returns:
        A connection whose current database is the warehouse and whose clock is UTC.

    Raises:
        FileNotFoundError: If there is no such file.
        duckdb.Error: If the file is not a warehouse, or a build is writing to it.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no warehouse at {path}; `dbt build` makes it")
    connection = duckdb.connect(
        config={
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(Path(tempfile.gettempdir()) / "warehouse-readers"),
        }
    )
    try:
        connection.execute("set TimeZone = 'UTC'")
        _attach(connection, path, path.stem)
        expected = _databases_in_views(connection) - {path.stem, *_DATABASES_OF_DUCKDB}
        if len(expected) == 1:
            connection.execute("use memory")
            connection.execute(f"detach {quote_identifier(path.stem)}")
            _attach(connection, path, expected.pop())
    except duckdb.Error:
        connection.close()
        raise
    return connection


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    database = quote_identifier(name)
    connection.execute(f"attach {quote_literal(path)} as {database} (read_only)")
    connection.execute(f"use {database}")


def _databases_in_views(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the databases that the views of the current database name.

    The views over raw files name files instead, in ways that get_table_names does not understand.
    """
    views = connection.execute(
        "select sql from duckdb_views() where database_name = current_database() and not internal "
        "and not starts_with(schema_name, 'raw_')"
    ).fetchall()
    databases = set()
    for (statement,) in views:
        _, _, query = statement.partition(" AS ")
        for relation in connection.get_table_names(query, qualified=True):
            parts = _NAME_PART.findall(relation.partition(" AS ")[0])
            if len(parts) == 3:
                quoted, plain = parts[0]
                databases.add(plain or quoted.replace('""', '"'))
    return databases
