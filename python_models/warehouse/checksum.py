"""One checksum a table, to show that two builds hold the same data.

    python -m warehouse.checksum [path] [--compare other.duckdb]

A checksum depends on the names, order and types of the columns and on every value of every row,
duplicates included, but not on the order of the rows. It rests on DuckDB's own hash, so compare
warehouses with one version of DuckDB.
"""

import argparse
import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.paths import connect_read_only, default_warehouse_path, quote_identifier


class UnreadableRelationError(RuntimeError):
    """A table or view of the warehouse cannot be read."""


@dataclass(frozen=True)
class RelationChecksum:
    """What identifies the content of one table or view.

    Attributes:
        name: Schema and name.
        columns: Name and type of each column, in order.
        row_count: Number of rows.
        checksum: 16 hexadecimal digits over columns and rows.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    row_count: int
    checksum: str


def checksum_warehouse(connection: duckdb.DuckDBPyConnection) -> list[RelationChecksum]:
    """Compute the checksum of every published table and view.

    The views over raw files are left out: what matters of them is in the tables built from them.

    Args:
        connection: The warehouse.

    Returns:
        One checksum for each relation, ordered by name.

    Raises:
        UnreadableRelationError: If a view reads what is no longer there.
    """
    relations = connection.execute(
        "select schema_name, table_name from ("
        "select database_name, schema_name, table_name from duckdb_tables() where not internal "
        "union all "
        "select database_name, schema_name, view_name from duckdb_views() where not internal"
        ") where database_name = current_database() and not starts_with(schema_name, 'raw_') "
        "order by schema_name, table_name"
    ).fetchall()
    return [checksum_relation(connection, schema, name) for schema, name in relations]


def checksum_relation(
    connection: duckdb.DuckDBPyConnection, schema: str, name: str
) -> RelationChecksum:
    """Compute the checksum of one table or view.

    Args:
        connection: The warehouse.
        schema: Its schema.
        name: Its name.

    Raises:
        UnreadableRelationError: If it is a view that reads what is no longer there.
    """
    try:
        relation = connection.sql(f"from {quote_identifier(schema)}.{quote_identifier(name)}")
        columns = tuple(zip(relation.columns, map(str, relation.types), strict=True))
        values = ", ".join(quote_identifier(column) for column, _ in columns)
        # Unlike a bitwise xor of the rows, a sum does not cancel a row that is there twice.
        found = relation.aggregate(f"count(*), coalesce(sum(hash({values})), 0)").fetchall()
    except duckdb.Error as error:
        raise UnreadableRelationError(f"{schema}.{name} cannot be read: {error}") from error
    ((row_count, sum_of_hashes),) = found
    return RelationChecksum(
        name=f"{schema}.{name}",
        columns=columns,
        row_count=row_count,
        checksum=_digest(f"{columns}\n{row_count}\n{sum_of_hashes}"),
    )


def render(checksums: Sequence[RelationChecksum]) -> str:
    """Return the checksums as aligned lines, with one total line.

    Args:
        checksums: The checksums of a warehouse.
    """
    total_rows = sum(entry.row_count for entry in checksums)
    total = _digest("\n".join(f"{entry.name} {entry.checksum}" for entry in checksums))
    lines = [(entry.name, f"{entry.row_count:,}", entry.checksum) for entry in checksums]
    lines.append((f"total of {len(checksums)} tables and views", f"{total_rows:,}", total))
    name_width = max(len(name) for name, _, _ in lines)
    rows_width = max(len(rows) for _, rows, _ in lines)
    return "\n".join(
        f"{name:<{name_width}}  {rows:>{rows_width}}  {checksum}" for name, rows, checksum in lines
    )


def differences(left: Sequence[RelationChecksum], right: Sequence[RelationChecksum]) -> list[str]:
    """Say in which tables two warehouses differ, and how.

    Args:
        left: The checksums of one warehouse.
        right: The checksums of the other.

    Returns:
        One line for each table that differs; none if the warehouses are equal.
    """
    left_by_name = {entry.name: entry for entry in left}
    right_by_name = {entry.name: entry for entry in right}
    lines = []
    for name in sorted(left_by_name.keys() | right_by_name.keys()):
        one, other = left_by_name.get(name), right_by_name.get(name)
        if one is None or other is None:
            lines.append(f"{name}: only in the {'second' if one is None else 'first'}")
        elif one.columns != other.columns:
            changed = sorted({column for column, _ in set(one.columns) ^ set(other.columns)})
            lines.append(f"{name}: columns differ ({', '.join(changed) or 'in order'})")
        elif one.row_count != other.row_count:
            lines.append(f"{name}: {one.row_count:,} rows against {other.row_count:,}")
        elif one.checksum != other.checksum:
            lines.append(f"{name}: values differ in {one.row_count:,} rows")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the checksums of a warehouse, or how it differs from another.

    Args:
        arguments: The command line; None for that of the process.

    Returns:
        0; 1 if the warehouses differ; 2 if one of them cannot be read.
    """
    parser = argparse.ArgumentParser(
        prog="python -m warehouse.checksum", description="Print one checksum a table."
    )
    parser.add_argument(
        "path",
        nargs="?",
        type=Path,
        help="the warehouse; else WAREHOUSE_PATH, else data/warehouse.duckdb",
    )
    parser.add_argument("--compare", type=Path, metavar="OTHER", help="list what differs in OTHER")
    options = parser.parse_args(arguments)
    path = options.path or default_warehouse_path()
    try:
        checksums = _checksum_file(path)
        if options.compare is None:
            sys.stdout.write(render(checksums) + "\n")
            return 0
        lines = differences(checksums, _checksum_file(options.compare))
    except (FileNotFoundError, UnreadableRelationError, duckdb.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if not lines:
        sys.stdout.write(f"{path} and {options.compare} are equal in all {len(checksums)} tables\n")
        return 0
    sys.stdout.write(f"{path} and {options.compare} differ:\n" + "\n".join(lines) + "\n")
    return 1


def _checksum_file(path: Path) -> list[RelationChecksum]:
    with connect_read_only(path) as connection:
        return checksum_warehouse(connection)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


if __name__ == "__main__":
    raise SystemExit(main())
