"""A small source of raw files for the tests beside this file."""

from pathlib import Path

import duckdb

from warehouse.raw_files import RawSource, RawTable

GOOD_SALES = """
    select
        i as household_id,
        i / 4 as sales_value,
        'store ' || i as store,
        timestamp '2026-01-01' + interval (i) hour as sold_at
    from range(1, 5001) rows(i)
"""


def write_parquet(path: Path, query: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as connection:
        connection.sql(query).write_parquet(str(path))
    return path


def shop_source(directory: Path | None) -> RawSource:
    return RawSource(
        name="shop",
        schema="raw_shop",
        directory=directory,
        tables=(
            RawTable(
                "sales",
                "sales.parquet",
                is_required=True,
                columns={
                    "household_id": "bigint",
                    "sales_value": "double",
                    "store": "string",
                    "sold_at": "timestamp",
                },
            ),
            RawTable(
                "places",
                "places.parquet",
                is_required=False,
                columns={"store": "string", "opened_on": "date"},
            ),
        ),
        directory_variable="SHOP_DIR",
    )


def good_shop(directory: Path) -> RawSource:
    """A source whose required file is good and whose optional file is missing."""
    write_parquet(directory / "sales.parquet", GOOD_SALES)
    return shop_source(directory)
