"""Shops of odd customers get their predictions too, and these say what could not be done."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from shop import Build, build, write_files

pytestmark = pytest.mark.builds

ONE_OUTCOME = "one outcome only to learn from"

# An order of the small shop in which nothing was paid. Others are made of its first line, those of
# household 0 for the customer who placed it.
FREE_ORDER = (
    "sales_value = 0 and basket_id = (select min(basket_id) from read_parquet({transactions}) "
    "where household_id % 10 = 0 and sales_value = 0)"
)


def orders(households: str, days: str, *, amount: str, per_day: int = 1) -> str:
    """SQL of lines, one per order: of each `household` on each `day` of the year."""
    return f"""
        select line.* replace (
            household_id + household as household_id,
            household * 100000 + day * 100 + place as basket_id,
            1 as quantity,
            {amount} as sales_value,
            1 + day // 7 as week,
            timestamp '2017-01-02 15:00' + to_days(day::int) + to_minutes(place::int)
                as transaction_timestamp
        )
        from (select * from rows order by basket_id, product_id limit 1) as line,
            {households} as households (household),
            range(364) as days (day),
            range({per_day}) as places (place)
        where {days}
    """


def build_predictions(
    directory: Path, demo: Path, condition: str, queries: Mapping[str, str] | None = None
) -> Build:
    """The predictions of a shop, which pass their own tests."""
    # Campaigns and coupons of customers who are not there would fail the tests of the quality gate.
    conditions = {
        "transactions": condition,
        "campaigns": "false",
        "coupon_redemptions": "false",
    }
    write_files(demo, directory / "raw", conditions, queries)
    wanted = (
        "path:models/marts/predictions",
        "anomaly_backtests",
        "calibration_bins",
        "fairness_audit",
        "prediction_backtest_summaries",
        "prediction_drift",
    )
    return build(
        directory,
        *("--select", *(f"+{name}" for name in wanted)),
        *("--indirect-selection", "cautious"),
        # Whether models or rules do better is left to chance among so few customers.
        *("--exclude", "shipped_predictions_beat_their_baseline"),
        with_tests=True,
    )


@pytest.fixture(scope="module")
def one_order_each(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Fifty customers, each with one order, some time in the year."""
    condition = (
        # By a digest, so that the days are spread over the year.
        "household_id <= 500 and basket_id in ("
        "select arg_min(basket_id, md5(basket_id::varchar)) from read_parquet({transactions}) "
        "group by household_id)"
    )
    return build_predictions(tmp_path_factory.mktemp("one_order_each"), demo_dir, condition)


@pytest.fixture(scope="module")
def nothing_paid(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Sixty customers who come now and then and never pay."""
    lines = orders("range(60)", "day % (3 + household) = household % 3", amount="0")
    directory = tmp_path_factory.mktemp("nothing_paid")
    return build_predictions(directory, demo_dir, FREE_ORDER, {"transactions": lines})


@pytest.fixture(scope="module")
def every_week(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Sixty customers who come once a week, and one with ten thousand orders: 28 a day."""
    weekly = orders("range(1, 61)", "day % 7 = household % 7", amount="household + day % 5")
    often = orders("range(1)", "true", amount="1 + place", per_day=28)
    directory = tmp_path_factory.mktemp("every_week")
    queries = {"transactions": f"{weekly} union all {often}"}
    return build_predictions(directory, demo_dir, FREE_ORDER, queries)


@pytest.fixture(params=["one_order_each", "nothing_paid", "every_week"])
def odd_shop(request: pytest.FixtureRequest) -> Build:
    shop: Build = request.getfixturevalue(request.param)
    return shop


def said_of_customers(shop: Build, columns: str) -> list[tuple[object, ...]]:
    """The different things said of customers who have ordered, and of how many."""
    return shop.query(
        f"select {columns}, count(*) from predictions.customer_predictions "
        "where status != 'no order yet' group by all order by all"
    )


def test_every_customer_has_one_row(odd_shop: Build) -> None:
    ((customers, rows, distinct_rows),) = odd_shop.query(
        "select (select count(*) from intermediate.int_customers_accepted), "
        "count(*), count(distinct customer_id) from predictions.customer_predictions"
    )
    assert customers == rows == distinct_rows


def test_no_number_is_without_end(odd_shop: Build) -> None:
    columns = odd_shop.query(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_schema in ('predictions', 'evaluation') and data_type in ('DOUBLE', 'FLOAT')"
    )
    assert len(columns) > 20
    unbounded = [
        (table, column)
        for table, column in columns
        if odd_shop.query(f'select 1 from {table} where not isfinite("{column}") limit 1')
    ]
    assert unbounded == []


def test_customers_who_never_came_back(one_order_each: Build) -> None:
    columns = "status, purchase_probability_28d, churn_probability, spend_28d_model"
    assert said_of_customers(one_order_each, columns) == [
        (f"purchase_28d: {ONE_OUTCOME}; churn: {ONE_OUTCOME}", 0, 1, "last_12_weeks", 50)
    ]


def test_customers_who_never_paid(nothing_paid: Build) -> None:
    columns = "expected_spend_28d_lower, expected_spend_91d_upper, lifetime_value"
    assert said_of_customers(nothing_paid, columns) == [(0, 0, 0, 60)]


def test_customers_who_always_came(every_week: Build) -> None:
    columns = "status, purchase_probability_28d, churn_probability"
    assert said_of_customers(every_week, columns) == [
        (f"purchase_28d: {ONE_OUTCOME}; churn: {ONE_OUTCOME}", 1, 0, 61)
    ]


def test_a_customer_with_ten_thousand_orders(every_week: Build) -> None:
    found = every_week.query(
        "select expected_spend_28d between 11000 and 12000, value_band "
        "from predictions.customer_predictions "
        "where customer_id in (select customer_id from intermediate.int_orders_enriched "
        "group by customer_id having count(*) > 10000)"
    )
    assert found == [(True, "high")]
