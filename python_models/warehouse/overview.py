"""Where the tables are, for somebody who has just built the warehouse.

python -m warehouse.overview
"""

import sys

import duckdb

from warehouse.paths import connect_read_only, default_warehouse_path, quote_identifier

PUBLISHED_SCHEMAS = (
    "behavior",
    "customers",
    "recommendations",
    "predictions",
    "evaluation",
    "quality",
)


def describe(connection: duckdb.DuckDBPyConnection) -> str:
    """List the tables that people use, by schema, with their number of rows.

    Args:
        connection: The warehouse.
    """
    tables = connection.execute(
        "select table_schema, table_name from information_schema.tables "
        "where table_catalog = current_database() and list_contains(?, table_schema) "
        "order by table_schema, table_name",
        [list(PUBLISHED_SCHEMAS)],
    ).fetchall()
    lines = []
    for schema, table in tables:
        relation = connection.sql(f"from {quote_identifier(schema)}.{quote_identifier(table)}")
        ((rows,),) = relation.aggregate("count(*)").fetchall()
        lines.append((f"{schema}.{table}", f"{rows:,}"))
    width = max((len(name) for name, _ in lines), default=0)
    return "\n".join(f"  {name:<{width}}  {rows:>12} rows" for name, rows in lines)


def main() -> int:
    """Print where the warehouse is and what it holds."""
    path = default_warehouse_path()
    try:
        with connect_read_only(path) as connection:
            sys.stdout.write(
                f"\nThe warehouse is {path}. Its tables:\n\n{describe(connection)}\n\n"
            )
    except (FileNotFoundError, duckdb.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
