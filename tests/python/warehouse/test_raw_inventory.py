from pathlib import Path

import pytest
from raw_shop import write_parquet

from warehouse.raw_inventory import RawFile, diagnose_header, take_inventory
from warehouse.source_settings import parse_source_settings


def custom(directory: Path, files: str, **table: object) -> object:
    columns = {"order_id": "Order No", "ordered_at": {"column": "Date"}, "status": {"value": "ok"}}
    orders = {"files": str(directory / files), "columns": columns, **table}
    return parse_source_settings({"custom": {"tables": {"orders": orders}}}).custom


@pytest.mark.parametrize(
    ("content", "problems"),
    [
        ("Order No,Date\n1,2\n", ()),
        ("\ufeffOrder No,Date\n1,2\n", ()),
        (
            "Order No;Date;Total\n1;2;3\n",
            ("one column was found with the delimiter ','; is the delimiter ';'?",),
        ),
        ("Order No,Date,Date\n", ("column Date is there 2 times",)),
        ('Order No,"Date, UTC"\n', ("column Date is missing; there are Order No, Date, UTC",)),
        ("", ("the file has no header line",)),
    ],
)
def test_says_what_is_wrong_with_a_header(
    content: str, problems: tuple[str, ...], tmp_path: Path
) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(content, encoding="utf-8")
    assert diagnose_header(path, ",", ["Order No", "Date"]) == problems


def test_a_good_file_is_counted_and_unused_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Order No,Date,Clerk\n1,2026-03-01,x\n2,2026-03-01,y\n")
    write_parquet(tmp_path / "b.parquet", 'select 1 as "Order No", 2 as "Date"')
    inventory = take_inventory("custom", custom(tmp_path, "*.csv"))
    assert inventory.files == (RawFile("orders, a.csv", 2, ("Clerk",)),)
    assert inventory.problems == inventory.column_problems == ()
    inventory = take_inventory("custom", custom(tmp_path, "b.parquet"))
    assert inventory.files == (RawFile("orders, b.parquet", 1),)


def test_a_wrong_delimiter_cannot_be_read_but_a_missing_column_can(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Order No;Date\n1;2\n")
    inventory = take_inventory("custom", custom(tmp_path, "a.csv"))
    assert inventory.problems == (
        "orders, a.csv: one column was found with the delimiter ','; is the delimiter ';'?",
    )
    inventory = take_inventory("custom", custom(tmp_path, "a.csv", delimiter=";"))
    assert inventory.problems == inventory.column_problems == ()

    (tmp_path / "b.json").write_text('{"Order No": 1}\n')
    inventory = take_inventory("custom", custom(tmp_path, "b.json"))
    assert inventory.problems == ()
    assert inventory.column_problems == (
        "orders, b.json: column Date is missing; there are Order No",
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.csv", b"Order No,Date\n\xff\xfe,1\n"), ("a.parquet", b"PAR1"), ("a.json", b"{")],
)
def test_an_unreadable_file_is_a_problem(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (problem,) = take_inventory("custom", custom(tmp_path, name)).problems
    assert problem.startswith(f"orders, {name}: cannot be read (")


def test_files_that_are_not_there_are_a_problem(tmp_path: Path) -> None:
    (problem,) = take_inventory("custom", custom(tmp_path, "*.csv")).problems
    assert problem.startswith("orders: no file is ")


def test_the_landing_folder_is_listed_by_partition(tmp_path: Path) -> None:
    settings = parse_source_settings({"web_events": {"directory": str(tmp_path)}}).web_events
    for name in ("arrival_date=2026-03-01/a.jsonl", "arrival_date=2026-03-01/b.jsonl.gz"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert take_inventory("web_events", settings).files == (
        RawFile("arrival_date=2026-03-01", None, note="2 files"),
    )
    missing = parse_source_settings({"web_events": {"directory": str(tmp_path / "no")}}).web_events
    assert "there is no such folder" in take_inventory("web_events", missing).problems[0]


def test_a_folder_tells_missing_columns_from_missing_files(tmp_path: Path, demo_dir: Path) -> None:
    for path in demo_dir.glob("*.parquet"):
        (tmp_path / path.name).symlink_to(path)
    settings = parse_source_settings(
        {"completejourney": {"directory": str(tmp_path)}}
    ).completejourney
    assert take_inventory("completejourney", settings).column_problems == ()

    (tmp_path / "products.parquet").unlink()
    write_parquet(tmp_path / "products.parquet", "select 1 as product_id, 'x' as color")
    (tmp_path / "transactions.parquet").unlink()
    inventory = take_inventory("completejourney", settings)
    assert inventory.problems == ("transactions.parquet: the file is missing",)
    assert inventory.column_problems
    assert all("products.parquet: column" in line for line in inventory.column_problems)
    assert RawFile("products.parquet", 1, ("color",)) in inventory.files
