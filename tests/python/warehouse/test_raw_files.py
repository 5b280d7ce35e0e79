from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from raw_shop import GOOD_SALES, good_shop, shop_source, write_parquet

from warehouse.raw_files import (
    RawDataError,
    SourceDeclarationError,
    check_source,
    check_sources,
    create_views,
    missing_optional_files,
    read_sources,
)
from warehouse.source_settings import FolderSettings

DECLARATION = """
version: 2
sources:
  - name: shop
    schema: raw_shop
    meta: {directory_variable: SHOP_DIR, package: yaml, package_directory: files}
    tables:
      - name: sales
        meta: {file: sales.parquet, is_required: true}
        columns:
          - {name: household_id, data_type: bigint}
          - {name: sales_value, data_type: "decimal(18,2)"}
      - name: places
        config: {meta: {file: places.parquet, is_required: false}}
        columns:
          - {name: store, data_type: string, description: "{{ doc('store') }}"}
"""

# Names that SQL, a glob or a partitioned data set would each understand in a way of its own.
AWKWARD_FOLDERS = ["a b", "q'q", 'd"d', "g[1]", "s*r", "q?q", "{a,b}", "household_id=3", "ümlaut"]


SHOP = {"shop": FolderSettings()}


def declare(root: Path, text: str) -> None:
    path = root / "models" / "staging" / "shop" / "_shop__sources.yml"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def sales_file(directory: Path, columns: str, source: str = GOOD_SALES) -> Path:
    """Write a sales file whose columns are changed as `* replace (...)` would."""
    return write_parquet(directory / "sales.parquet", f"select {columns} from ({source})")


class TestReadSources:
    def test_the_setting_of_the_folder_comes_first(self, tmp_path: Path) -> None:
        declare(tmp_path, DECLARATION)
        settings = {"shop": FolderSettings(directory="/data/set")}
        (source,) = read_sources(tmp_path, {"SHOP_DIR": "/data/shop"}, settings)
        assert source.directory == Path("/data/set")

    def test_leaves_out_what_is_not_switched_on(self, tmp_path: Path) -> None:
        declare(tmp_path, DECLARATION)
        assert read_sources(tmp_path, {"SHOP_DIR": "/data/shop"}, {}) == []

    def test_reads_tables_and_columns_from_either_place_of_meta(self, tmp_path: Path) -> None:
        declare(tmp_path, DECLARATION)
        (source,) = read_sources(tmp_path, {"SHOP_DIR": "/data/shop"}, SHOP)
        sales, places = source.tables
        assert (source.name, source.schema, source.directory) == (
            "shop",
            "raw_shop",
            Path("/data/shop"),
        )
        assert (sales.file, sales.is_required) == ("sales.parquet", True)
        assert sales.columns == {"household_id": "bigint", "sales_value": "decimal(18,2)"}
        assert (places.file, places.is_required) == ("places.parquet", False)

    @pytest.mark.parametrize("environment", [{}, {"SHOP_DIR": ""}])
    def test_takes_the_package_without_the_variable(
        self, tmp_path: Path, environment: dict[str, str]
    ) -> None:
        declare(tmp_path, DECLARATION)
        (source,) = read_sources(tmp_path, environment, SHOP)
        assert source.directory is not None
        assert source.directory.parts[-2:] == ("yaml", "files")

    def test_knows_no_folder_of_a_package_that_is_not_installed(self, tmp_path: Path) -> None:
        declare(tmp_path, DECLARATION.replace("package: yaml", "package: no_such_package"))
        (source,) = read_sources(tmp_path, {}, SHOP)
        assert source.directory is None
        assert check_source(source) == [
            "the Python package no_such_package is not installed; "
            "set SHOP_DIR to the folder of the files"
        ]

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("file: sales.parquet, ", "", "table sales: meta.file is missing"),
            ("data_type: bigint", "data_type: blob", "column household_id: data_type is blob"),
            (", data_type: bigint", "", "column household_id: data_type is None"),
        ],
    )
    def test_names_the_place_of_a_bad_declaration(
        self, tmp_path: Path, old: str, new: str, message: str
    ) -> None:
        declare(tmp_path, DECLARATION.replace(old, new))
        with pytest.raises(SourceDeclarationError, match=message):
            read_sources(tmp_path, {}, SHOP)

    def test_the_project_declares_the_demo(self, demo_dir: Path) -> None:
        (source,) = (s for s in read_sources(environment={}) if s.name == "completejourney")
        assert source.directory == demo_dir
        assert check_source(source) == []


class TestGoodFiles:
    def test_a_good_source_has_no_problem(self, tmp_path: Path) -> None:
        source = good_shop(tmp_path)
        assert check_source(source) == []
        assert missing_optional_files(source) == ["places.parquet"]

    @pytest.mark.parametrize(
        "replacement",
        [
            "household_id::double as household_id",
            "household_id::utinyint as household_id",
            "sales_value::decimal(18, 2) as sales_value",
            "sales_value::float as sales_value",
            "sales_value::bigint as sales_value",
            "sold_at::date as sold_at",
            "sold_at::timestamp_ns as sold_at",
            "sold_at::timestamptz as sold_at",
        ],
    )
    def test_another_type_of_the_family_is_accepted(self, tmp_path: Path, replacement: str) -> None:
        sales_file(tmp_path, f"* replace ({replacement})", f"{GOOD_SALES} where i < 200")
        assert check_source(shop_source(tmp_path)) == []

    def test_pandas_turns_an_id_with_a_gap_into_a_double(self, tmp_path: Path) -> None:
        frame = pd.DataFrame(
            {
                "household_id": [1, None],
                "sales_value": [1.5, 2.0],
                "store": ["a", None],
                "sold_at": pd.to_datetime(["2026-01-01", None]),
            }
        )
        assert frame["household_id"].dtype == "float64"
        frame.to_parquet(tmp_path / "sales.parquet")
        assert check_source(shop_source(tmp_path)) == []

    def test_a_column_without_values_may_have_any_type(self, tmp_path: Path) -> None:
        table = pa.table(
            {
                "household_id": [1, 2],
                "sales_value": pa.array([None, None], pa.string()),
                "store": pa.nulls(2),
                "sold_at": pa.array([None, None], pa.float64()),
            }
        )
        pq.write_table(table, tmp_path / "sales.parquet")
        source = shop_source(tmp_path)
        assert check_source(source) == []
        with duckdb.connect() as connection:
            create_views(connection, source)
            assert connection.sql("from raw_shop.sales").types == [
                "BIGINT",
                "DOUBLE",
                "VARCHAR",
                "TIMESTAMP",
            ]

    def test_an_empty_optional_file_is_fine(self, tmp_path: Path) -> None:
        source = good_shop(tmp_path)
        pd.DataFrame({"store": [], "opened_on": []}).to_parquet(tmp_path / "places.parquet")
        assert check_source(source) == []

    def test_further_columns_and_another_case_are_fine(self, tmp_path: Path) -> None:
        sales_file(tmp_path, "* exclude (store), store as STORE, 1 as further")
        source = shop_source(tmp_path)
        assert check_source(source) == []
        with duckdb.connect() as connection:
            create_views(connection, source)
            assert connection.sql("from raw_shop.sales").columns == [
                "household_id",
                "sales_value",
                "store",
                "sold_at",
            ]


class TestBadFiles:
    def test_missing_folder(self, tmp_path: Path) -> None:
        assert check_source(shop_source(tmp_path / "none")) == [
            "there is no such folder; set SHOP_DIR to the folder of the files"
        ]

    def test_file_instead_of_the_folder(self, tmp_path: Path) -> None:
        path = write_parquet(tmp_path / "sales.parquet", GOOD_SALES)
        assert check_source(shop_source(path)) == [
            "that is not a folder; set SHOP_DIR to the folder of the files"
        ]

    def test_missing_required_file(self, tmp_path: Path) -> None:
        assert check_source(shop_source(tmp_path)) == ["sales.parquet: the file is missing"]

    @pytest.mark.parametrize("writer", ["duckdb", "pandas", "pyarrow"])
    @pytest.mark.parametrize("kept", [0.999, 0.5, 0.01])
    def test_file_cut_at_its_end(self, tmp_path: Path, writer: str, kept: float) -> None:
        path = self.write_with(writer, tmp_path / "sales.parquet")
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * kept)])
        assert check_source(shop_source(tmp_path)) == [
            "sales.parquet: is not a readable parquet file (truncated?)"
        ]

    @pytest.mark.parametrize("writer", ["duckdb", "pandas", "pyarrow"])
    def test_file_with_a_hole_before_an_intact_footer(self, tmp_path: Path, writer: str) -> None:
        path = self.write_with(writer, tmp_path / "sales.parquet")
        content = path.read_bytes()
        path.write_bytes(content[:1000] + content[6000:])
        (problem,) = check_source(shop_source(tmp_path))
        assert problem.startswith("sales.parquet: is not a readable parquet file (truncated? ")

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            (b"", "is not a readable parquet file (0 bytes)"),
            (b"PAR", "is not a parquet file"),
            (b"household_id,sales_value\n1,2\n", "is not a parquet file"),
            (b"PAR1PAR1", "is not a readable parquet file (truncated?)"),
        ],
    )
    def test_file_that_is_no_parquet(self, tmp_path: Path, content: bytes, problem: str) -> None:
        (tmp_path / "sales.parquet").write_bytes(content)
        assert check_source(shop_source(tmp_path)) == [f"sales.parquet: {problem}"]

    def test_folder_instead_of_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "sales.parquet").mkdir()
        assert check_source(shop_source(tmp_path)) == [
            "sales.parquet: is a folder, expected one parquet file"
        ]

    def test_missing_column(self, tmp_path: Path) -> None:
        sales_file(tmp_path, "* exclude (sales_value)")
        assert check_source(shop_source(tmp_path)) == [
            "sales.parquet: column sales_value is missing, expected a number (double)"
        ]

    @pytest.mark.parametrize(
        ("replacement", "problem"),
        [
            (
                "sales_value::varchar as sales_value",
                "column sales_value holds VARCHAR, expected a number (double)",
            ),
            ("true as sales_value", "column sales_value holds BOOLEAN, expected a number (double)"),
            (
                "[sales_value] as sales_value",
                "column sales_value holds DOUBLE[], expected a number (double)",
            ),
            ("household_id as store", "column store holds BIGINT, expected text (string)"),
            (
                "'2026-01-01' as sold_at",
                "column sold_at holds VARCHAR, expected a date or timestamp (timestamp)",
            ),
            (
                "epoch_ms(sold_at) as sold_at",
                "column sold_at holds BIGINT, expected a date or timestamp (timestamp)",
            ),
        ],
    )
    def test_wrong_type(self, tmp_path: Path, replacement: str, problem: str) -> None:
        sales_file(tmp_path, f"* replace ({replacement})")
        assert check_source(shop_source(tmp_path)) == [f"sales.parquet: {problem}"]

    @pytest.mark.parametrize("writer", ["pandas", "pyarrow"])
    def test_numbers_as_text_by_another_writer(self, tmp_path: Path, writer: str) -> None:
        path = self.write_with(writer, tmp_path / "sales.parquet", "* replace ('1' as sales_value)")
        assert path.exists()
        assert check_source(shop_source(tmp_path)) == [
            "sales.parquet: column sales_value holds VARCHAR, expected a number (double)"
        ]

    def test_no_rows_in_a_required_file(self, tmp_path: Path) -> None:
        sales_file(tmp_path, "*", f"{GOOD_SALES} where false")
        assert check_source(shop_source(tmp_path)) == [
            "sales.parquet: the file has no rows, expected at least one"
        ]

    def test_everything_is_reported_at_once(self, tmp_path: Path) -> None:
        sales_file(tmp_path, "* exclude (sold_at) replace ('1' as sales_value, 2 as store)")
        (tmp_path / "places.parquet").write_bytes(b"PAR1")
        with pytest.raises(RawDataError) as raised:
            check_sources([shop_source(tmp_path), shop_source(None)])
        assert str(raised.value).splitlines() == [
            f"The raw files of source shop in {tmp_path} cannot be used:",
            "  - sales.parquet: column sales_value holds VARCHAR, expected a number (double)",
            "  - sales.parquet: column store holds INTEGER, expected text (string)",
            "  - sales.parquet: column sold_at is missing, "
            "expected a date or timestamp (timestamp)",
            "  - places.parquet: is not a readable parquet file (truncated?)",
            "The raw files of source shop cannot be used:",
            "  - nothing says where the files are; set SHOP_DIR to the folder of the files",
        ]

    @staticmethod
    def write_with(writer: str, path: Path, columns: str = "*") -> Path:
        write_parquet(path, f"select {columns} from ({GOOD_SALES})")
        if writer == "pandas":
            pd.read_parquet(path).to_parquet(path)
        elif writer == "pyarrow":
            pq.write_table(pq.read_table(path), path, write_page_index=True)
        return path


class TestCreateViews:
    def test_reads_exactly_the_declared_columns(self, tmp_path: Path) -> None:
        source = good_shop(tmp_path)
        sales_file(tmp_path, "1 as further, *")
        with duckdb.connect() as connection:
            assert create_views(connection, source) == ["sales", "places"]
            sales = connection.sql("from raw_shop.sales")
            assert sales.columns == ["household_id", "sales_value", "store", "sold_at"]
            assert sales.count("*").fetchall() == [(5000,)]

    def test_a_missing_optional_file_is_an_empty_table(self, tmp_path: Path) -> None:
        with duckdb.connect() as connection:
            create_views(connection, good_shop(tmp_path))
            places = connection.sql("from raw_shop.places")
            assert places.columns == ["store", "opened_on"]
            assert places.types == ["VARCHAR", "DATE"]
            assert places.fetchall() == []

    @pytest.mark.parametrize("folder", AWKWARD_FOLDERS)
    def test_any_folder_name_works(self, tmp_path: Path, folder: str) -> None:
        source = good_shop(tmp_path / folder)
        for neighbor in ("g1", "sssr", "qqq", "a"):
            write_parquet(tmp_path / neighbor / "sales.parquet", "select 1 as other")
        assert check_source(source) == []
        with duckdb.connect() as connection:
            create_views(connection, source)
            assert connection.sql("select max(household_id) from raw_shop.sales").fetchall() == [
                (5000,)
            ]

    def test_a_second_time_changes_nothing(self, tmp_path: Path) -> None:
        source = good_shop(tmp_path / "q'q")
        warehouse = tmp_path / "warehouse.duckdb"
        with duckdb.connect(str(warehouse)) as connection:
            create_views(connection, source)
        before = warehouse.read_bytes()
        with duckdb.connect(str(warehouse)) as connection:
            assert create_views(connection, source) == []
        assert warehouse.read_bytes() == before

    def test_only_what_changed_is_replaced(self, tmp_path: Path) -> None:
        source = good_shop(tmp_path)
        with duckdb.connect() as connection:
            create_views(connection, source)
            write_parquet(
                tmp_path / "places.parquet", "select 'a' as store, date '2020-01-01' as opened_on"
            )
            assert create_views(connection, source) == ["places"]
            assert connection.sql("from raw_shop.places").count("*").fetchall() == [(1,)]

    def test_a_changed_type_replaces_the_view(self, tmp_path: Path) -> None:
        source = good_shop(tmp_path)
        with duckdb.connect() as connection:
            create_views(connection, source)
            sales_file(tmp_path, "* replace (household_id::double as household_id)")
            assert create_views(connection, source) == ["sales"]
            (column_type,) = connection.sql(
                "select data_type from duckdb_columns() "
                "where table_name = 'sales' and column_name = 'household_id'"
            ).fetchall()
            assert column_type == ("DOUBLE",)

    def test_moved_files_replace_the_view(self, tmp_path: Path) -> None:
        with duckdb.connect() as connection:
            create_views(connection, good_shop(tmp_path / "old"))
            (tmp_path / "old" / "sales.parquet").unlink()
            assert create_views(connection, good_shop(tmp_path / "new")) == ["sales"]

    def test_all_views_or_none(self, tmp_path: Path) -> None:
        with duckdb.connect() as connection:
            connection.execute("create schema raw_shop; create table raw_shop.places (a int)")
            with pytest.raises(duckdb.CatalogException):
                create_views(connection, good_shop(tmp_path))
            assert (
                connection.sql("select * from duckdb_views() where not internal").fetchall() == []
            )

    def test_a_file_that_broke_after_the_check(self, tmp_path: Path) -> None:
        source = good_shop(tmp_path)
        (tmp_path / "sales.parquet").write_bytes(b"PAR1")
        with duckdb.connect() as connection, pytest.raises(RawDataError, match=r"sales\.parquet"):
            create_views(connection, source)
