"""What the catalog said is kept, dated by the data and not by the clock."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from shop import Build, build, conditions_before, write_files

from warehouse.checksum import RelationChecksum, checksum_warehouse
from warehouse.paths import quote_literal

pytestmark = pytest.mark.builds

FIRST_DAY, SECOND_DAY = "2017-03-01", "2017-04-26"
MOVED, GONE, NEW = 1082185, 995242, -5

Rows = Sequence[tuple[object, ...]]


@dataclass(frozen=True)
class Seen:
    """What one build leaves behind."""

    versions: Rows
    features_of_the_first_day: Rows
    checksums: Sequence[RelationChecksum]


def write_day(demo: Path, directory: Path, day: str, catalog: str) -> None:
    """Write what a small shop has on a day: its sales until then, and its catalog."""
    shutil.rmtree(directory, ignore_errors=True)
    before = conditions_before(day)
    few = f"{before['transactions']} and household_id % 50 = 0"
    nothing = dict.fromkeys(("campaigns", "promotions"), "false")
    write_files(demo, directory, conditions={**before, **nothing, "transactions": few})
    products = f"select * from read_parquet({quote_literal(demo / 'products.parquet')})"
    with duckdb.connect() as connection:
        connection.sql(f"with products as ({products}) {catalog}").write_parquet(
            str(directory / "products.parquet")
        )


def catalog_with(department: str) -> str:
    """A catalog in which one product is in another department, one is gone and one is new."""
    return f"""
        select * from products where product_id not in ({MOVED}, {GONE})
        union all
        select * replace ('{department}' as department) from products where product_id = {MOVED}
        union all
        select * replace ({NEW} as product_id, 'NEW' as department) from products
        where product_id = {MOVED}
    """


def look_at(shop: Build) -> Seen:
    with shop.read() as connection:
        checksums = checksum_warehouse(connection)
    return Seen(
        versions=shop.query(f"""
            select
                product_id::int,
                department,
                valid_from_date::varchar,
                valid_to_date::varchar,
                is_current
            from behavior.product_attribute_history
            where product_id in ('{MOVED}', '{GONE}', '{NEW}')
            order by product_id::int, valid_from_date
        """),
        features_of_the_first_day=shop.query(f"""
            select * exclude (is_newest) from customers.customer_features
            where as_of_date = '{FIRST_DAY}'
            order by customer_id
        """),
        checksums=checksums,
    )


@pytest.fixture(scope="module")
def builds(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Seen]:
    """One warehouse: built on a day, on a later one, then on that with a correction, and again."""
    directory = tmp_path_factory.mktemp("attribute_history")
    seen = []
    for day, catalog in (
        (FIRST_DAY, "from products"),
        (SECOND_DAY, catalog_with("ELSEWHERE")),
        (SECOND_DAY, catalog_with("CORRECTED")),
        (SECOND_DAY, catalog_with("CORRECTED")),
    ):
        write_day(demo_dir, directory / "raw", day, catalog)
        shop = build(directory, "--select", "+product_attribute_history", "+customer_features")
        seen.append(look_at(shop))
    return seen


def test_a_version_begins_on_the_day_of_the_data_that_first_show_it(builds: list[Seen]) -> None:
    assert builds[0].versions == [
        (GONE, "GROCERY", FIRST_DAY, None, True),
        (MOVED, "PRODUCE", FIRST_DAY, None, True),
    ]
    assert builds[1].versions == [
        (NEW, "NEW", SECOND_DAY, None, True),
        (GONE, "GROCERY", FIRST_DAY, SECOND_DAY, False),
        (MOVED, "PRODUCE", FIRST_DAY, SECOND_DAY, False),
        (MOVED, "ELSEWHERE", SECOND_DAY, None, True),
    ]


def test_a_correction_on_the_same_day_replaces_the_version(builds: list[Seen]) -> None:
    corrected = [
        tuple("CORRECTED" if value == "ELSEWHERE" else value for value in row)
        for row in builds[1].versions
    ]
    assert builds[2].versions == corrected


def test_building_a_day_again_changes_nothing(builds: list[Seen]) -> None:
    assert builds[3].checksums == builds[2].checksums


def test_what_the_catalog_says_later_does_not_change_earlier_features(builds: list[Seen]) -> None:
    assert builds[0].features_of_the_first_day
    assert builds[1].features_of_the_first_day == builds[0].features_of_the_first_day
