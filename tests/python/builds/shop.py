"""A small shop: every tenth household of the demo, in files of the same layout."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import yaml

from warehouse.paths import REPO_ROOT, connect_read_only, quote_literal

TABLES = (
    "transactions",
    "products",
    "demographics",
    "campaigns",
    "campaign_descriptions",
    "coupons",
    "coupon_redemptions",
    "promotions",
)
SAMPLE = {
    "transactions": "household_id % 10 = 0",
    "demographics": "household_id % 10 = 0",
    "campaigns": "household_id % 10 = 0",
    "coupon_redemptions": "household_id % 10 = 0",
    "promotions": "product_id % 100 = 0",
}
# Enough for a back-test of everything, at a third of the time; and the ranker does not wait for
# more data than a small shop has.
SHORT_HISTORY = {
    "recommendation_backtests": 1,
    "ranker_training_windows": 1,
    "ranker_min_positives": 500,
    "demand_origins": 12,
    "demand_compared_methods": ["month_arma"],
    "prediction_backtests": 1,
}
SHOP_CLOCK = "timezone('America/New_York', timezone('UTC', transaction_timestamp))"


@dataclass(frozen=True)
class Build:
    """One build: its raw files and its warehouse."""

    directory: Path

    @property
    def raw(self) -> Path:
        return self.directory / "raw"

    @property
    def warehouse(self) -> Path:
        return self.directory / "warehouse.duckdb"

    def read(self) -> duckdb.DuckDBPyConnection:
        return connect_read_only(self.warehouse)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with self.read() as connection:
            return connection.sql(sql).fetchall()


def conditions_before(day: str) -> dict[str, str]:
    """What keeps the rows from before the start of a day on the shop's clock."""
    return {
        "transactions": f"{SHOP_CLOCK} < '{day}'",
        "coupon_redemptions": f"redemption_date < '{day}'",
        "campaign_descriptions": f"start_date < '{day}'",
        "campaigns": (
            "campaign_id in (select campaign_id from read_parquet({campaign_descriptions}) "
            f"where start_date < '{day}')"
        ),
        "promotions": f"date '2016-12-26' + (week::int - 1) * 7 < '{day}'",
    }


def write_files(
    demo: Path,
    directory: Path,
    conditions: Mapping[str, str] | None = None,
    queries: Mapping[str, str] | None = None,
) -> None:
    """Write the small shop's files: by table, only what a condition keeps, and a query's rows more.

    Conditions and queries may name other files as {table}; a query reads its own table as `rows`.
    """
    directory.mkdir(parents=True)
    paths = {table: quote_literal(demo / f"{table}.parquet") for table in TABLES}
    with duckdb.connect() as connection:
        for table in TABLES:
            sample = SAMPLE.get(table, "true")
            condition = (conditions or {}).get(table, "true").format(**paths)
            more = (queries or {}).get(table)
            rows = f"select * from read_parquet({paths[table]}) where {sample} and {condition}"
            query = f"with rows as ({rows}) from rows" + (f" union all {more}" if more else "")
            connection.sql(query).write_parquet(str(directory / f"{table}.parquet"))


def build(
    directory: Path,
    *arguments: str,
    threads: int = 4,
    variables: Mapping[str, object] | None = None,
    with_tests: bool = False,
) -> Build:
    """Run `dbt build` on the raw files in a folder, data tests only where asked for."""
    result = Build(directory)
    target = str(directory / "target")
    run = subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "build"),
            *("--exclude-resource-type", "unit_test", *(() if with_tests else ("test",))),
            *("--threads", str(threads)),
            *("--vars", yaml.safe_dump({**SHORT_HISTORY, **(variables or {})})),
            *arguments,
        ],
        cwd=REPO_ROOT,
        env={
            **os.environ,
            "COMPLETEJOURNEY_DIR": str(result.raw),
            "WAREHOUSE_PATH": str(result.warehouse),
            "DBT_TARGET_PATH": target,
            "DBT_LOG_PATH": target,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return result
