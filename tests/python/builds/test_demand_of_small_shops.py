"""Demand of shops of hardly anything: the tables are there, and say what could not be done."""

from pathlib import Path

import pytest
from shop import Build, build, conditions_before, write_files

pytestmark = pytest.mark.builds

ONE_ORDER = (
    "basket_id = (select min(basket_id) from read_parquet({transactions}) where household_id = 10)"
)
FIVE_WEEKS = {
    "transactions": conditions_before("2017-02-06")["transactions"],
    "promotions": "false",
}
WANTED = (
    "path:models/marts/predictions/*demand*",
    "path:models/marts/*/department_day_*",
    "demand_backtests",
    "demand_interval_coverage",
)


def build_demand(directory: Path, demo: Path, conditions: dict[str, str]) -> Build:
    """The demand models of a shop, which pass their own tests."""
    write_files(demo, directory / "raw", conditions)
    return build(
        directory,
        *("--select", *(f"+{name}" for name in WANTED)),
        *("--indirect-selection", "cautious"),
        with_tests=True,
    )


@pytest.mark.parametrize(
    "conditions",
    [{"transactions": ONE_ORDER}, {"products": "product_category is null"}],
    ids=["one order", "no categories"],
)
def test_without_a_week_to_learn_from_there_are_no_forecasts(
    conditions: dict[str, str], demo_dir: Path, tmp_path: Path
) -> None:
    shop = build_demand(tmp_path, demo_dir, conditions)

    for table in (
        "predictions.demand_forecasts",
        "predictions.department_demand_forecasts",
        "predictions.department_day_forecasts",
        "evaluation.department_day_backtests",
        "evaluation.demand_backtests",
        "evaluation.demand_interval_coverage",
    ):
        assert shop.query(f"select count(*) from {table}") == [(0,)]


def test_few_weeks_have_forecasts_that_say_so(demo_dir: Path, tmp_path: Path) -> None:
    shop = build_demand(tmp_path, demo_dir, FIVE_WEEKS)

    found = shop.query(
        "select status, made_by, max(upper_80), bool_and(abs(forecast_units - baseline_units) "
        "< 0.000002), bool_and(reason like '%less than 12 weeks%') "
        "from predictions.demand_forecasts group by all"
    )
    assert found == [("short", "mean_of_last_4", None, True, True)]
    assert shop.query(
        "select count(upper_80), count(upper_95), bool_and(baseline_units >= 0) "
        "from predictions.department_day_forecasts"
    ) == [(0, 0, True)]
    assert shop.query("select count(*) from evaluation.demand_backtests") == [(0,)]
    assert shop.query("select count(*) from evaluation.department_day_backtests") == [(0,)]
