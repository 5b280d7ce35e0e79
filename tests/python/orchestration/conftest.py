import shutil

import duckdb
import pytest

from warehouse.raw_files import RawSource, RawTable


@pytest.fixture
def shop(tmp_path):
    """A source with one good file; the other, an optional one, is absent."""
    folder = tmp_path / "shop"
    folder.mkdir()
    write_sales(folder / "sales.parquet", rows=3)
    return RawSource(
        name="shop",
        schema="raw_shop",
        directory=folder,
        tables=(
            RawTable("sales", "sales.parquet", is_required=True, columns={"sale_id": "bigint"}),
            RawTable("places", "places.parquet", is_required=False, columns={"name": "string"}),
        ),
    )


@pytest.fixture
def change(shop):
    """Do something to the shop's file of sales."""

    class Change:
        path = shop.directory / "sales.parquet"

        def content(self, rows):
            write_sales(self.path, rows)

        def only_the_time(self):
            copy = self.path.with_suffix(".copy")
            shutil.copyfile(self.path, copy)
            copy.replace(self.path)

        def cut_off(self):
            self.path.write_bytes(self.path.read_bytes()[:-20])

    return Change()


def write_sales(path, rows):
    with duckdb.connect() as connection:
        connection.sql(f"select range as sale_id from range({rows})").write_parquet(str(path))
