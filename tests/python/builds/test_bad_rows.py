"""Bad rows among good ones are quarantined with their reason, and every row is accounted for."""

from pathlib import Path

import pytest
from shop import Build, build, write_files

pytestmark = pytest.mark.builds

# A good line to spoil: the first of the small shop.
LINE = "(select * from rows order by basket_id, product_id limit 1)"
SPOILED = {
    "duplicate_key": "* replace (sales_value + 1 as sales_value)",
    "missing_key": "* replace (null as product_id, 1 as quantity)",
    "impossible_quantity": "* replace (-1 as quantity, 1 as product_id)",
    "impossible_price": "* replace (-0.5 as sales_value, 2 as product_id)",
    "impossible_discount": "* replace (-0.5 as retail_disc, 3 as product_id)",
    "not_a_number": "* replace ('nan'::double as sales_value, 4 as product_id)",
    "future": "* replace (timestamp '2199-01-01' as transaction_timestamp, -1 as basket_id)",
    "long_past": "* replace (timestamp '1970-01-01' as transaction_timestamp, -2 as basket_id)",
    "unknown_product": "* replace (99999999 as product_id)",
    "nobody": "* replace (null as household_id, -3 as basket_id)",
}
COPIES = f"select * from {LINE} union all select * from {LINE}"


@pytest.fixture(scope="module")
def shop(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    directory = tmp_path_factory.mktemp("bad_rows")
    lines = [f"select {columns} from {LINE}" for columns in SPOILED.values()]
    write_files(
        demo_dir,
        directory / "raw",
        queries={
            "transactions": " union all ".join([*lines, COPIES]),
            "products": "select * replace ('Other' as department) from "
            "(select * from rows order by product_id limit 1)",
            "campaigns": "select * replace (999 as campaign_id) from (from rows limit 1)",
            "coupon_redemptions": "select * replace (-7 as household_id) from (from rows limit 1) "
            "union all select * replace (timestamp '2199-01-01' as redemption_date) "
            "from (from rows limit 1)",
            "promotions": "(from rows limit 1) union all "
            "select * replace (null as product_id) from (from rows limit 1)",
        },
    )
    wanted = (
        "path:models/marts/quality",
        "path:models/marts/behavior",
        "customer_features",
        "customer_rfm",
    )
    return build(directory, "--select", *(f"+{name}" for name in wanted))


def test_rejected_rows_are_quarantined(shop: Build) -> None:
    found = shop.query(
        "select table_name, rule_id, count(*) "
        "from quality.quarantined_rows group by all order by all"
    )
    assert found == [
        ("campaign_contacts", "bad_timestamp", 1),
        ("events", "bad_timestamp", 1),
        ("events", "future_timestamp", 1),
        ("events", "unknown_customer", 1),
        ("order_lines", "duplicate_key", 1),
        ("order_lines", "impossible_discount", 1),
        ("order_lines", "impossible_price", 2),
        ("order_lines", "impossible_quantity", 1),
        ("order_lines", "missing_key", 1),
        ("order_lines", "rejected_order", 2),
        ("orders", "bad_timestamp", 1),
        ("orders", "future_timestamp", 1),
        ("products", "duplicate_key", 1),
        ("promotions", "missing_key", 1),
    ]


def test_quarantine_keeps_the_row_and_says_why(shop: Build) -> None:
    ((reason, amount, seen),) = shop.query(
        "select reason, (raw_row ->> 'amount_paid'), first_seen_at is not null "
        "from quality.quarantined_rows where rule_id = 'impossible_price' "
        "and (raw_row ->> 'product_id') = '2'"
    )
    assert amount == "-0.5"
    assert str(reason).endswith(".")
    assert seen is True


def test_copies_are_removed_and_counted(shop: Build) -> None:
    found = shop.query(
        "select table_name, exact_duplicates_removed from quality.reconciliation "
        "where exact_duplicates_removed > 0 order by all"
    )
    assert found == [("order_lines", 2), ("promotions", 1)]


def test_every_row_is_accounted_for(shop: Build) -> None:
    assert shop.query("select distinct is_reconciled from quality.reconciliation") == [(True,)]


def test_strange_dates_do_not_move_the_end_of_the_data(shop: Build) -> None:
    found = shop.query("select max(as_of_date)::varchar from customers.customer_features")
    assert found == [("2018-01-01",)]


def test_flagged_rows_pass_and_say_so(shop: Build) -> None:
    found = shop.query(
        "select quality_flags from behavior.order_lines where product_id = '99999999'"
    )
    assert found == [("unknown_product",)]
    named = shop.query(
        "select product_name, is_in_catalog from behavior.products where product_id = '99999999'"
    )
    assert named == [("Product 99999999", False)]


def test_anonymous_sales_count_for_the_shop_and_for_no_customer(shop: Build) -> None:
    ((sales, customers),) = shop.query(
        "select count(*), count(customer_id) from behavior.order_lines where order_id = '-3'"
    )
    assert (sales, customers) == (1, 0)
    assert shop.query("select count(*) from customers.customer_rfm where customer_id is null") == [
        (0,)
    ]
