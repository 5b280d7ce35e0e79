"""The demo as it was at an earlier day: files without later transactions, and their build."""

import os
import subprocess
import sys
from pathlib import Path

import duckdb

TIMEZONE = "America/New_York"


def start_of(day: str) -> str:
    """SQL for the moment at which a day begins in the shop."""
    return f"timezone('UTC', timezone('{TIMEZONE}', timestamp '{day}'))"


def truncate(source: Path, target: Path, cutoff: str) -> None:
    """Copy the files, transactions before the cutoff only."""
    target.mkdir(parents=True, exist_ok=True)
    for file in source.glob("*.parquet"):
        if file.name != "transactions.parquet":
            (target / file.name).symlink_to(file)
    duckdb.execute(
        f"""
        copy (
            select * from read_parquet('{source / "transactions.parquet"}')
            where transaction_timestamp < {start_of(cutoff)}
            order by transaction_timestamp, basket_id, product_id
        ) to '{target / "transactions.parquet"}'
        """
    )


def build(directory: Path, warehouse: Path, *models: str) -> None:
    """Build models and what they need from the files of a directory."""
    environment = {
        **os.environ,
        "COMPLETEJOURNEY_DIR": str(directory),
        "WAREHOUSE_PATH": str(warehouse),
        "DBT_TARGET_PATH": str(warehouse.parent / "target"),
        "DBT_LOG_PATH": str(warehouse.parent / "logs"),
    }
    command = [
        "dbt",
        "build",
        "--select",
        *(f"+{model}" for model in models),
        # Tests may look at tables that are not selected.
        "--exclude-resource-type",
        "test",
        "unit_test",
    ]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(result.stdout[-4000:])


def check_cutoff(warehouse: Path, table: str, cutoff: str) -> None:
    """Exit unless a table was built from what lies before the cutoff."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        try:
            row = connection.execute(f"select max(as_of_date) from {table}").fetchone()
        except duckdb.CatalogException:
            sys.exit(f"{warehouse} holds no {table}: delete it, or choose another folder")
    as_of_date = row[0] if row else None
    if str(as_of_date) != cutoff:
        sys.exit(
            f"{warehouse} is as of {as_of_date}, not {cutoff}: delete it, or choose another folder"
            f" or cutoff"
        )
