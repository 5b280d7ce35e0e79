"""The warehouse's SQL from raw files to segments, against plain pandas.

    python -m benchmarks.sql_core

Both contenders read the same raw files, judge every row, and write events, RFM and segments as
parquet; the results must be equal. The first runs the compiled SQL of the dbt models themselves,
in the order of the graph. dbt's own start-up is left out, since pandas has none.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.measure import compare, format_table
from warehouse.paths import REPO_ROOT
from warehouse.raw_files import create_views, read_sources

# The results by model, each with its key.
RESULTS = {
    "int_order_lines_checked": "order_line_id",
    "events": "event_id",
    "customer_rfm": "customer_id",
    "customer_segments": "customer_id",
}
# Written down in the warehouse for those who read it later; here it is read twice, in passing.
STREAMED = {"int_order_lines_enriched"}


def compile_models(target: Path) -> None:
    """Let dbt compile the models into `target`, next to a warehouse of its own."""
    subprocess.run(
        ["dbt", "--quiet", "compile", "--select", *(f"+{name}" for name in RESULTS)],
        cwd=REPO_ROOT,
        env={
            **os.environ,
            "DBT_TARGET_PATH": str(target),
            "DBT_LOG_PATH": str(target),
            "WAREHOUSE_PATH": str(target / "warehouse.duckdb"),
        },
        stdout=subprocess.DEVNULL,
        check=True,
    )


def run_sql(target: Path, output: Path) -> None:
    """Build the results with DuckDB from the SQL that dbt has compiled."""
    nodes = _nodes_in_order(json.loads((target / "manifest.json").read_text(encoding="utf-8")))
    scratch = output / "warehouse.duckdb"
    scratch.unlink(missing_ok=True)
    with duckdb.connect(scratch, config={"memory_limit": "200MB"}) as connection:
        connection.execute("set TimeZone = 'UTC'")
        for source in read_sources():
            create_views(connection, source)
        for node in nodes:
            relation = f'"{node["schema"]}"."{node["alias"]}"'
            connection.execute(f'create schema if not exists "{node["schema"]}"')
            if node["resource_type"] == "seed":
                query = f"from read_csv('{REPO_ROOT / node['original_file_path']}')"
            else:
                query = node["compiled_code"]
            is_view = node["config"]["materialized"] == "view" or node["name"] in STREAMED
            kind = "view" if is_view else "table"
            connection.execute(f"create {kind} {relation} as {query}")
        for node in nodes:
            if node["name"] in RESULTS:
                path = output / f"{node['name']}.parquet"
                connection.execute(f"copy {node['schema']}.{node['alias']} to '{path}'")


def check_equal(one: Path, other: Path) -> None:
    """Compare the results of two contenders, row by row and column by column.

    Raises:
        AssertionError: A result differs.
    """
    with duckdb.connect() as connection:
        for name, key in RESULTS.items():
            left, right = (f"read_parquet('{folder / name}.parquet')" for folder in (one, other))
            # The warehouse adds columns that say no more, such as one for each rule.
            shared = set(connection.sql(f"from {right}").columns)
            columns = [
                row
                for row in connection.sql(f"describe from {left}").fetchall()
                if row[0] in shared
            ]
            differing = " or ".join(
                f"l.{column} is distinct from r.{column}::{data_type}"
                for column, data_type, *_ in columns
            )
            ((count,),) = connection.sql(
                f"select count(*) from {left} l full join {right} r using ({key}) where {differing}"
            ).fetchall()
            ((rows,),) = connection.sql(f"select count(*) from {left}").fetchall()
            if count or not rows:
                raise AssertionError(f"{name}: {count} of {rows} rows differ")
            print(f"{name}: {rows:,} rows are equal")


def _nodes_in_order(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the models and seeds behind the results, each after what it reads."""
    ordered: dict[str, dict[str, Any]] = {}

    def visit(unique_id: str) -> None:
        node = manifest["nodes"].get(unique_id)
        if node is None or unique_id in ordered:
            return
        for parent in node["depends_on"].get("nodes", []):
            visit(parent)
        ordered[unique_id] = node

    for unique_id, node in manifest["nodes"].items():
        if node["resource_type"] == "model" and node["name"] in RESULTS:
            visit(unique_id)
    return list(ordered.values())


def main() -> None:
    """Run both contenders in turn and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--run", nargs=2, type=Path, metavar=("TARGET", "OUTPUT"))
    arguments = parser.parse_args()
    if arguments.run:
        run_sql(*arguments.run)
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        target, sql, pandas = (folder / part for part in ("target", "sql", "pandas"))
        for path in (target, sql, pandas):
            path.mkdir()
        compile_models(target)
        contenders = {
            "warehouse SQL": [sys.executable, "-m", "benchmarks.sql_core", "--run", target, sql],
            "pandas": [sys.executable, "-m", "benchmarks.pandas_core", pandas],
        }
        usages = compare(
            {name: [str(part) for part in command] for name, command in contenders.items()},
            rounds=arguments.rounds,
        )
        check_equal(sql, pandas)
        print(format_table(usages))


if __name__ == "__main__":
    main()
