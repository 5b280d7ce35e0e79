"""A shop's own CSV files become recommendations by the recipe of docs/sources.md as it stands."""

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from shop import Build, build, write_files

from warehouse.paths import REPO_ROOT, quote_literal

pytestmark = pytest.mark.builds


def recipe(files: Path) -> dict[str, Any]:
    """The vars that the documentation tells, with its folder put where the files are."""
    text = (REPO_ROOT / "docs" / "sources.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- recipe: custom -->\n```yaml\n(.*?)```", text, re.DOTALL)
    assert found
    variables: dict[str, Any] = yaml.safe_load(found[1].replace("my_shop/", f"{files}/"))
    return variables


def write_csv_files(raw: Path, files: Path) -> None:
    """Write the small shop as the two files that the documentation shows."""
    files.mkdir()
    transactions = quote_literal(raw / "transactions.parquet")
    products = quote_literal(raw / "products.parquet")
    duckdb.sql(
        'select basket_id as "Order No", '
        "strftime(timezone('America/New_York', timezone('UTC', transaction_timestamp)), "
        "'%d/%m/%Y %H:%M:%S') as \"Date\", "
        'household_id as "Customer", product_id as "Article", quantity as "Units", '
        'round(sales_value / greatest(quantity, 1), 4) as "Unit price" '
        f"from read_parquet({transactions}) order by basket_id, product_id"
    ).write_csv(str(files / "sales.csv"), sep=";")
    duckdb.sql(
        'select product_id as "Article", coalesce(product_type, product_category) as "Name", '
        'product_category as "Group", department as "Department" '
        f"from read_parquet({products}) order by product_id"
    ).write_csv(str(files / "articles.csv"), sep=";")


@pytest.fixture(scope="module")
def files(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("own")
    write_files(demo_dir, directory / "raw")
    write_csv_files(directory / "raw", directory / "files")
    return directory / "files"


@pytest.fixture(scope="module")
def own_shop(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    return build(
        tmp_path_factory.mktemp("build"),
        *("--select", "+customer_recommendations", "+customer_predictions"),
        *("+customer_profiles", "+quarantined_rows"),
        variables=recipe(files),
    )


def test_every_line_of_the_files_counts(own_shop: Build, files: Path) -> None:
    raw = quote_literal(files / "sales.csv")
    expected = duckdb.sql(
        'select count(*), count(distinct "Order No"), '
        'sum(round("Unit price"::decimal(18, 6) * "Units", 2)) '
        f"from read_csv({raw}, delim = ';', types = {{'Unit price': 'varchar'}})"
    ).fetchall()
    assert (
        own_shop.query(
            "select count(*), count(distinct order_id), sum(amount_paid) from behavior.order_lines"
        )
        == expected
    )
    assert own_shop.query("from quality.quarantined_rows") == []


def test_every_customer_is_recommended_something_and_told_why(own_shop: Build) -> None:
    assert own_shop.query(
        "select count(*) from customers.customer_profiles where customer_id not in ("
        "select customer_id from recommendations.customer_recommendations "
        "where product_id is not null and reason is not null)"
    ) == [(0,)]


def test_every_customer_is_predicted(own_shop: Build) -> None:
    assert own_shop.query(
        "select count(*) filter (where purchase_probability_28d is null) "
        "from predictions.customer_predictions"
    ) == [(0,)]


def test_what_cannot_be_read_is_quarantined_with_its_reason(
    files: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("broken")
    lines = (files / "sales.csv").read_bytes().splitlines()[:1001]
    date, customer, article = lines[1].split(b";")[1:4]
    lines += [
        b"N1;" + date + b";" + customer + b";" + article + b";two;1.00",
        b"N2;tomorrow;" + customer + b";" + article + b";2;1.00",
        b"N3;" + date + b";\xff\xfe;" + article + b";2;1.00",
        b"N4;" + date + b";" + customer,
    ]
    (directory / "sales.csv").write_bytes(b"\n".join(lines))
    (directory / "articles.csv").symlink_to(files / "articles.csv")
    shop = build(
        directory,
        *("--select", "+reconciliation", "+quarantined_rows"),
        variables=recipe(directory),
    )
    assert shop.query(
        "select table_name, rule_id, count(*) from quality.quarantined_rows "
        "group by all order by all"
    ) == [
        ("order_lines", "impossible_quantity", 1),
        ("order_lines", "rejected_order", 1),
        ("order_lines", "unknown_order", 1),
        ("order_lines", "unreadable_row", 1),
        ("orders", "bad_timestamp", 1),
        ("orders", "unreadable_row", 2),
    ]
    assert shop.query(
        "select split_part(row_key, ':', -1), raw_row ->> 'unreadable_text' "
        "from quality.quarantined_rows where rule_id = 'unreadable_row' "
        "and table_name = 'orders' order by all"
    )[1] == ("1005", b"missing columns: N4;%s;%s".decode() % (date.decode(), customer.decode()))
    assert shop.query(
        "select rows_in, is_reconciled from quality.reconciliation where table_name = 'order_lines'"
    ) == [(1004, True)]


def test_two_shops_with_the_same_ids_stay_apart(
    files: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same shop twice, once in its own files: every id is there two times."""
    directory = tmp_path_factory.mktemp("two")
    (directory / "raw").symlink_to(files.parent / "raw")
    variables = recipe(files)
    variables["sources"]["completejourney"] = {"shop": "us"}
    shops = build(
        directory,
        *("--select", "+int_quality_counted", "+order_lines"),
        variables=variables,
    )
    assert shops.query("select sum(rows_quarantined) from intermediate.int_quality_counted") == [
        (0,)
    ]
    assert shops.query(
        "select source_system, split_part(order_id, ':', 1), split_part(customer_id, ':', 1), "
        "split_part(product_id, ':', 1), count(*) > 10000 "
        "from behavior.order_lines group by all order by all"
    ) == [
        ("completejourney", "us", "us", "us", True),
        ("custom", "custom", "custom", "custom", True),
    ]
