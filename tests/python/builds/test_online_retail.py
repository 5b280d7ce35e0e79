"""Online Retail as it is: nothing is lost, and every table copes with it."""

import os
from pathlib import Path

import pytest
from shop import Build, build

from warehouse.paths import REPO_ROOT

pytestmark = pytest.mark.builds

SHARED_DATA = Path(os.environ.get("SHARED_DATA", REPO_ROOT.parent / "shared" / "data"))
RAW_LINES = """
    select
        InvoiceNo, StockCode, CustomerID, strptime(InvoiceDate, '%Y-%m-%d %H:%M:%S') as invoiced_at,
        Quantity::decimal(18, 3) as quantity,
        (100 * Quantity::decimal(18, 3) * UnitPrice::decimal(18, 4))::decimal(18, 0) as pence
    from raw_online_retail.invoice_lines
"""
# All lines with a verdict: those of the marts and those that the quality gate keeps out.
ALL_LINES = """
    select order_id, amount_paid, 'accepted' as row_status from behavior.order_lines
    union all
    select order_id, amount_paid, row_status from intermediate.int_order_lines_checked
    where row_status != 'accepted'
"""


@pytest.fixture(scope="module")
def settings() -> dict[str, object]:
    """The vars that build this shop."""
    directory = SHARED_DATA / "online_retail"
    if not (directory / "online_retail.parquet").is_file():
        pytest.skip(f"no online_retail.parquet in {directory}: SHARED_DATA names the folder")
    return {
        "sources": {"online_retail": {"directory": str(directory)}},
        "shop_timezone": "Europe/London",
        "max_countable_quantity": 100_000,
        "max_line_amount": 200_000,
        # The catalog has no categories to vary a list by, and what wholesalers spend differs so
        # much that ten thousand of them prove little.
        "recommendation_max_per_category": 0,
        "prediction_proof_customers": 100_000,
    }


@pytest.fixture(scope="module")
def books(settings: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Build:
    """What the totals need, with its tests."""
    return build(
        tmp_path_factory.mktemp("online_retail_books"),
        *("--select", "+order_lines", "+orders", "+products", "+quarantined_rows"),
        *("+reconciliation", "--indirect-selection", "cautious"),
        variables=settings,
        with_tests=True,
    )


@pytest.fixture(scope="module")
def whole_shop(settings: dict[str, object], tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Every table, with its tests."""
    if os.environ.get("WHOLE_ONLINE_RETAIL") != "1":
        pytest.skip("the whole chain takes five CPU minutes: WHOLE_ONLINE_RETAIL=1 runs it")
    return build(tmp_path_factory.mktemp("online_retail_shop"), variables=settings, with_tests=True)


def test_every_line_is_accounted_for(books: Build) -> None:
    counted = books.query(
        f"with lines as ({ALL_LINES}), orders as (select order_id, customer_id "
        "from input_layer.orders) select count(*), "
        "count(*) filter (customer_id is null), "
        "count(*) filter (row_status = 'exact_duplicate') from lines join orders using (order_id)"
    )
    assert counted == [(541_909, 135_080, 0)]


def test_only_stock_movements_are_kept_out(books: Build) -> None:
    kept_out = books.query(
        "select distinct rejected_by, row_status from intermediate.int_orders_checked "
        "union all select distinct rejected_by, row_status "
        "from intermediate.int_order_lines_checked where row_status != 'accepted' "
        "order by 1 desc"
    )
    assert kept_out == [("stock_adjustment", "quarantined"), ("rejected_order", "quarantined")]
    in_raw_data = books.query(
        f"select count(distinct InvoiceNo), count(*) from ({RAW_LINES}) where InvoiceNo not in ("
        f"select InvoiceNo from ({RAW_LINES}) where CustomerID is not null or pence != 0)"
    )
    in_quarantine = books.query(
        "select count(*) filter (table_name = 'orders'), "
        "count(*) filter (table_name = 'order_lines') from quality.quarantined_rows"
    )
    assert in_quarantine == in_raw_data


def test_sales_match_to_the_penny(books: Build) -> None:
    by_month = books.query(
        f"select strftime(invoiced_at, '%Y-%m'), sum(pence)::bigint from ({RAW_LINES}) "
        "group by 1 order by 1"
    )
    assert len(by_month) == 13
    assert by_month == books.query(
        "select strftime(order_date, '%Y-%m'), sum(amount_paid * 100)::bigint "
        "from behavior.orders group by 1 order by 1"
    )
    ((orders, lines, products),) = books.query(
        "select (select sum(amount_paid) from behavior.orders), "
        "(select sum(amount_paid) from behavior.order_lines), "
        "(select sum(amount_paid) from behavior.products where not is_merchandise) + "
        "(select sum(amount_paid) from behavior.order_lines where is_merchandise)"
    )
    assert str(orders) == "9747747.93"
    assert orders == lines == products


def test_what_is_no_product_is_money_only(books: Build) -> None:
    found = books.query(
        "select sum(amount_paid), sum(units), count(*) filter (units != 0) "
        "from behavior.order_lines where not is_merchandise"
    )
    in_raw_data = books.query(
        f"select (sum(pence) / 100)::decimal(18, 2), 0, 0 from ({RAW_LINES}) "
        "where upper(StockCode) in ('POST', 'DOT', 'C2', '23444', '23574', '22016', 'D', 'M', 'S', "
        "'PADS', 'AMAZONFEE', 'BANK CHARGES', 'CRUK', 'B') or StockCode ilike 'gift_0001_%'"
    )
    assert found == in_raw_data


def test_an_order_cancelled_minutes_later_was_none(books: Build) -> None:
    returned = books.query(
        "select order_line_id, units, returned_units, returned_amount, "
        "returned_date = known_date from behavior.order_lines where units > 50000 order by units"
    )
    assert [(line, units == back, now) for line, units, back, _, now in returned] == [
        ("541431-23166-1", True, True),
        ("581483-23843-1", True, True),
    ]
    assert [str(amount) for *_, amount, _ in returned] == ["77183.60", "168469.60"]


def test_most_returns_find_their_purchase(books: Build) -> None:
    ((matched, all_returns),) = books.query(
        "select count(returned_order_line_id), count(*) from behavior.order_lines "
        "where is_return and is_merchandise and customer_id is not null"
    )
    assert matched == 7071
    assert all_returns == 8536


def test_nothing_but_goods_is_recommended(whole_shop: Build) -> None:
    tables = {
        "recommendations.customer_recommendations": "product_id",
        "recommendations.segment_recommendations": "product_id",
        "recommendations.item_recommendations": "recommended_product_id",
        "recommendations.item_similarities": "neighbor_product_id",
        "recommendations.association_rules": "consequent_product_id",
        "intermediate.int_interactions_weighted": "product_id",
    }
    for table, column in tables.items():
        ((rows, others),) = whole_shop.query(
            f"select count(*), count(*) filter (not is_merchandise) from {table} "
            f"as found join behavior.products on found.{column} = products.product_id"
        )
        assert rows
        assert not others


def test_customers_are_told_apart(whole_shop: Build) -> None:
    ((profiles, segments, predictions),) = whole_shop.query(
        "select (select count(*) from customers.customer_profiles), "
        "(select count(distinct segment) from customers.customer_segments), "
        "(select count(*) from predictions.customer_predictions)"
    )
    assert profiles == predictions == 4372
    assert segments > 5
