import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.custom_source import check_custom_source, load_custom_source
from warehouse.input_contract import read_input_contract
from warehouse.source_settings import CustomSettings, parse_source_settings

CONTRACT = read_input_contract()
SALES = """No;When;Who;What;Units;Price
1;31/01/2024 23:30;7;a;2;1,50
2;01/02/2024 10:00;8;b;1;2,00
"""
LINES = "select order_id, product_id, quantity, amount_paid from raw_custom.order_lines order by 1"
EXPECTED_LINES = [("1", "a", 2, 3), ("2", "b", 1, 2)]
UNREADABLE = (
    "select split_part(order_id, ':', -1), unreadable_text from raw_custom.orders "
    "where order_id like 'unreadable:%' order by order_id"
)


@pytest.fixture
def warehouse() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def shop(files: Path | str, **table: Any) -> dict[str, Any]:
    """Settings of a shop with one CSV file of sales."""
    return {
        "tables": {
            "orders": {
                "files": str(files),
                "delimiter": ";",
                "columns": {
                    "order_id": "No",
                    "customer_id": "Who",
                    "ordered_at": {
                        "column": "When",
                        "format": "%d/%m/%Y %H:%M",
                        "timezone": "Europe/London",
                    },
                    "status": {"value": "completed"},
                },
                **table,
            },
            "order_lines": {
                "files": str(files),
                "delimiter": ";",
                "columns": {
                    "order_id": "No",
                    "product_id": "What",
                    "quantity": "Units",
                    "amount_paid": {"column": "Price", "multiply_by": "Units", "decimal": ","},
                },
                **table,
            },
        }
    }


def settings(custom: dict[str, Any]) -> CustomSettings:
    parsed = parse_source_settings({"custom": custom}).custom
    assert parsed is not None
    return parsed


def load(
    warehouse: duckdb.DuckDBPyConnection, custom: dict[str, Any], query: str
) -> list[tuple[Any, ...]]:
    assert check_custom_source(settings(custom), CONTRACT) == []
    load_custom_source(warehouse, settings(custom), CONTRACT)
    return warehouse.execute(query).fetchall()


class TestFormats:
    """The same rows, whatever they are written in."""

    def test_csv(self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        (tmp_path / "sales.csv").write_text(SALES)
        assert load(warehouse, shop(tmp_path / "sales.csv"), LINES) == EXPECTED_LINES

    def test_csv_with_a_byte_order_mark_and_letters_of_latin_1(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        (tmp_path / "sales.csv").write_bytes(SALES.encode("utf-8-sig"))
        assert load(warehouse, shop(tmp_path / "sales.csv"), LINES) == EXPECTED_LINES
        (tmp_path / "sales.csv").write_bytes(SALES.replace(";b;", ";café;").encode("latin-1"))
        custom = shop(tmp_path / "sales.csv", encoding="latin-1")
        assert [row[1] for row in load(warehouse, custom, LINES)] == ["a", "café"]

    def test_json_lines(self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
        (tmp_path / "sales.jsonl").write_text(
            '{"No": 1, "When": "31/01/2024 23:30", "What": "a", "Units": 2, "Price": "1,50"}\n'
            '{"No": "2", "When": "01/02/2024 10:00", "What": "b", "Units": "1", "Price": "2,00"}\n'
        )
        assert load(warehouse, shop(tmp_path / "*.jsonl"), LINES) == EXPECTED_LINES

    def test_parquet_with_keys_that_were_stored_as_floats(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        file = tmp_path / "sales.parquet"
        duckdb.sql(
            "select 1::double as No, null as Who, timestamp '2024-01-31 23:30' as \"When\", "
            "'a' as What, 2 as Units, '1,50' as Price union all "
            "select 2, 8, timestamp '2024-02-01 10:00', 'b', 1, '2,00'"
        ).write_parquet(str(file))
        custom = shop(file)
        custom["tables"]["orders"]["columns"]["ordered_at"] = {
            "column": "When",
            "timezone": "Europe/London",
        }
        assert load(warehouse, custom, LINES) == EXPECTED_LINES
        orders = warehouse.execute(
            "select customer_id, ordered_at::varchar from raw_custom.orders order by order_id"
        ).fetchall()
        assert orders == [(None, "2024-01-31 23:30:00"), ("8", "2024-02-01 10:00:00")]

    @pytest.mark.parametrize("type_", ["sqlite", "duckdb"])
    def test_a_table_of_a_database(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path, type_: str
    ) -> None:
        path = tmp_path / "erp.db"
        create = (
            'create table sales (No integer, "When" text, Who integer, What text, '
            "Units integer, Price text)"
        )
        insert = (
            "insert into sales values (1, '31/01/2024 23:30', 7, 'a', 2, '1,50'), "
            "(2, '01/02/2024 10:00', 8, 'b', 1, '2,00')"
        )
        if type_ == "sqlite":
            with sqlite3.connect(path) as database:
                database.execute(create)
                database.execute(insert)
        else:
            with duckdb.connect(str(path)) as attached:
                attached.execute(create)
                attached.execute(insert)
        custom = shop("unused")
        custom["databases"] = {"erp": {"type": type_, "path": str(path)}}
        for table in custom["tables"].values():
            del table["files"]
            table["table"] = "erp.sales" if type_ == "sqlite" else "erp.main.sales"
        assert load(warehouse, custom, LINES) == EXPECTED_LINES


class TestValues:
    @pytest.mark.parametrize(
        ("written", "column", "expected"),
        [
            (
                "31/07/2024 23:30",
                {"format": "%d/%m/%Y %H:%M", "timezone": "Europe/London"},
                "22:30",
            ),
            ("2024-07-31 23:30:00", {"timezone": "Europe/London"}, "22:30"),
            ("2024-07-31T23:30:00Z", {"timezone": "Europe/London"}, "23:30"),
            ("2024-07-31T23:30:00+02:00", {"timezone": "Europe/London"}, "21:30"),
            ("2024-07-31 23:30:00", {}, "23:30"),
            ("2024-07-31T23:30:00+02:00", {}, "21:30"),
            ("yesterday", {}, None),
            ("2024-07-31", {"timezone": "America/New_York"}, "04:00"),
            ("2024-07-31 23:30:00 +02:00", {"timezone": "America/New_York"}, "21:30"),
            ("2024-07-31 23:30:00 UTC", {"timezone": "America/New_York"}, "23:30"),
            ("2024-07-31t23:30:00z", {"timezone": "America/New_York"}, "23:30"),
        ],
    )
    def test_moments(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        tmp_path: Path,
        written: str,
        column: dict[str, str],
        expected: str | None,
    ) -> None:
        (tmp_path / "sales.csv").write_text(f"No;When;Who;What;Units;Price\n1;{written};7;a;1;1\n")
        custom = shop(tmp_path / "sales.csv")
        custom["tables"]["orders"]["columns"]["ordered_at"] = {"column": "When", **column}
        query = "select strftime(ordered_at, '%H:%M') from raw_custom.orders"
        assert load(warehouse, custom, query) == [(expected,)]

    def test_tells_which_values_it_could_not_read(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        file = tmp_path / "sales.csv"
        file.write_text(SALES.replace(";2;1,50", ";two;1,50"))
        assert load_custom_source(warehouse, settings(shop(file)), CONTRACT) == [
            f"{file}: 1 values cannot be read as quantity"
        ]
        lines = warehouse.execute(
            "select quantity, unreadable_text from raw_custom.order_lines order by order_id"
        ).fetchall()
        assert lines == [(None, "quantity: two"), (1, None)]

    @pytest.mark.parametrize(
        ("written", "expected"), [("1.234,50", 1234.5), ("12,5", 12.5), ("12.50", None)]
    )
    def test_numbers_with_a_comma(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        tmp_path: Path,
        written: str,
        expected: float | None,
    ) -> None:
        (tmp_path / "sales.csv").write_text(f"No;When;Who;What;Units;Price\n1;x;7;a;1;{written}\n")
        query = "select amount_paid from raw_custom.order_lines"
        assert load(warehouse, shop(tmp_path / "sales.csv"), query) == [(expected,)]

    def test_a_missing_key_that_was_stored_as_a_float_is_missing(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        file = tmp_path / "sales.parquet"
        duckdb.sql(
            "select 1 as No, 'nan'::double as Who, '31/01/2024 23:30' as \"When\", "
            "'a' as What, 2 as Units, '1,50' as Price"
        ).write_parquet(str(file))
        assert load(warehouse, shop(file), "select customer_id from raw_custom.orders") == [(None,)]


class TestUnreadableLines:
    def test_of_a_csv_file_are_kept_with_the_problem(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        file = tmp_path / "sales.csv"
        file.write_bytes(SALES.encode() + b"3;x\n4;x;7;a;1;1;1;1\n5;x;\xff\xfe;a;1;1\n6;01/02")
        assert load(warehouse, shop(file), UNREADABLE) == [
            ("4", "missing columns: 3;x"),
            ("5", "too many columns: 4;x;7;a;1;1;1;1"),
            ("6", "invalid encoding: 5;x;??;a;1;1"),
            ("7", "missing columns: 6;01/02"),
        ]
        assert len(warehouse.execute("from raw_custom.orders").fetchall()) == 6

    def test_of_json_lines_are_kept_as_they_are(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        file = tmp_path / "sales.jsonl"
        file.write_text('{"No": 1}\n\n[1]\n{"No": 2, "Wh')
        assert load(warehouse, shop(file), UNREADABLE) == [
            ("2", "no JSON object: [1]"),
            ("3", 'no JSON object: {"No": 2, "Wh'),
        ]


class TestChanges:
    QUERY = "select order_id from raw_custom.orders order by 1"

    def test_only_new_and_changed_files_are_read(
        self,
        warehouse: duckdb.DuckDBPyConnection,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        read: list[str] = []
        from warehouse.custom_source import loading

        stage = loading.stage_file
        monkeypatch.setattr(
            loading,
            "stage_file",
            lambda cursor, table, file, databases: (
                read.append(Path(file.name).name),
                stage(cursor, table, file, databases),
            ),
        )
        custom = shop(tmp_path / "*.csv")
        (tmp_path / "1.csv").write_text(SALES)
        assert load(warehouse, custom, self.QUERY) == [("1",), ("2",)]
        (tmp_path / "2.csv").write_text(SALES.replace("\n1;", "\n3;").replace("\n2;", "\n4;"))
        assert load(warehouse, custom, self.QUERY) == [("1",), ("2",), ("3",), ("4",)]
        assert read == ["1.csv"] * 2 + ["2.csv"] * 2
        (tmp_path / "1.csv").write_text(SALES + "5;01/02/2024 10:00;8;b;1;2,00\n")
        assert load(warehouse, custom, self.QUERY) == [("1",), ("2",), ("3",), ("4",), ("5",)]
        assert read[4:] == ["1.csv"] * 2
        (tmp_path / "1.csv").unlink()
        assert load(warehouse, custom, self.QUERY) == [("3",), ("4",)]

    def test_another_mapping_reads_anew(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        (tmp_path / "sales.csv").write_text(SALES)
        custom = shop(tmp_path / "sales.csv")
        load(warehouse, custom, self.QUERY)
        custom["tables"]["orders"]["columns"]["order_id"] = "Who"
        assert load(warehouse, custom, self.QUERY) == [("7",), ("8",)]

    def test_a_database_is_read_in_every_build(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        path = tmp_path / "erp.db"
        custom = shop("unused")
        custom["databases"] = {"erp": {"type": "sqlite", "path": str(path)}}
        for table in custom["tables"].values():
            del table["files"]
            table["table"] = "erp.sales"
        with sqlite3.connect(path) as database:
            database.execute("pragma journal_mode = wal")
            columns = ", ".join(f'"{name}" text' for name in SALES.splitlines()[0].split(";"))
            database.execute(f"create table sales ({columns})")
            insert = "insert into sales values (?, '31/01/2024 23:30', '7', 'a', '1', '1,00')"
            database.execute(insert, ["1"])
            database.commit()
            assert load(warehouse, custom, self.QUERY) == [("1",)]
            database.execute(insert, ["2"])
            database.commit()
            assert load(warehouse, custom, self.QUERY) == [("1",), ("2",)]

    def test_what_is_remembered_of_a_file_holds_no_setting(
        self, warehouse: duckdb.DuckDBPyConnection, tmp_path: Path
    ) -> None:
        (tmp_path / "sales.csv").write_text(SALES)
        custom = shop(tmp_path / "sales.csv")
        (state, *_) = load(warehouse, custom, "select distinct state from raw_custom.loaded_files")
        assert len(str(state[0])) == 64


class TestProblems:
    @pytest.mark.parametrize(
        ("column", "setting", "message"),
        [
            ("customer_id", {"decimal": ","}, "columns.customer_id.decimal: does nothing"),
            ("customer_id", {"format": "%d"}, "columns.customer_id.format: does nothing"),
            ("ordered_at", {"multiply_by": "x"}, "columns.ordered_at.multiply_by: does nothing"),
        ],
    )
    def test_settings_that_would_do_nothing(
        self, tmp_path: Path, column: str, setting: dict[str, str], message: str
    ) -> None:
        change = {column: {"column": "When", **setting}}
        assert message in self.problems(tmp_path / "sales.csv", SALES, **change)

    def test_lines_of_an_order_are_never_merged(self, tmp_path: Path) -> None:
        (tmp_path / "sales.csv").write_text(SALES)
        problems = check_custom_source(
            settings(shop(tmp_path / "sales.csv", distinct=True)), CONTRACT
        )
        assert problems == [
            "tables.order_lines.distinct: equal lines of an order are that many lines, "
            "so none can be left out"
        ]

    def problems(self, file: Path, text: str, **changes: Any) -> str:
        file.write_text(text)
        custom = shop(file)
        custom["tables"]["orders"]["columns"].update(changes)
        return "\n".join(check_custom_source(settings(custom), CONTRACT))

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", "is empty, expected a header"),
            (SALES.replace("Who", "Kunde"), "has no column Who; it has No, When, Kunde"),
            (SALES.replace(";", ","), "is its delimiter ','?"),
            (SALES.replace("Units;Price", "Units;Units"), "has several columns named Units"),
        ],
    )
    def test_of_the_file_are_told_before_anything_is_built(
        self, tmp_path: Path, text: str, expected: str
    ) -> None:
        assert expected in self.problems(tmp_path / "sales.csv", text)

    def test_an_unknown_column_of_the_contract(self, tmp_path: Path) -> None:
        message = self.problems(tmp_path / "sales.csv", SALES, order_nr="No")
        assert "tables.orders.columns.order_nr: no column of this table, expected one of" in message

    def test_what_is_needed_and_not_mapped(self, tmp_path: Path) -> None:
        (tmp_path / "sales.csv").write_text(SALES)
        custom = shop(tmp_path / "sales.csv")
        del custom["tables"]["order_lines"]["columns"]["quantity"]
        assert check_custom_source(settings(custom), CONTRACT) == [
            "tables.order_lines.columns: quantity is missing; map it or give it a value"
        ]
        del custom["tables"]["order_lines"]
        assert check_custom_source(settings(custom), CONTRACT) == [
            "tables.order_lines: orders and order_lines are needed to build anything"
        ]

    @pytest.mark.parametrize(
        ("place", "expected"),
        [
            ({"files": "no/such/*.csv"}, "no file matches no/such/*.csv"),
            ({"files": "sales.dat"}, "no file matches sales.dat"),
            ({"table": "erp.sales"}, "erp.sales: no database erp is declared"),
        ],
    )
    def test_nothing_to_read(self, place: dict[str, str], expected: str) -> None:
        custom = shop("unused")
        for table in custom["tables"].values():
            del table["files"]
            table.update(place)
        assert expected in "\n".join(check_custom_source(settings(custom), CONTRACT))

    def test_a_database_that_needs_an_extension_says_so(self) -> None:
        custom = shop("unused")
        custom["databases"] = {"erp": {"type": "postgres", "path": "host=nowhere"}}
        for table in custom["tables"].values():
            del table["files"]
            table["table"] = "erp.public.sales"
        message = "\n".join(check_custom_source(settings(custom), CONTRACT))
        assert "DuckDB's extension postgres is not installed on this machine" in message
