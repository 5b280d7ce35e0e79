"""A cutoff knows what was known before it, and nothing else."""

from pathlib import Path

import pytest
from shop import Build, build, conditions_before, write_files

from warehouse.checksum import checksum_warehouse, differences

pytestmark = pytest.mark.builds

# The start of week 48 of the demo, and a cutoff that the small shop's own spine has.
WEEK_48 = "2017-11-20"
OLDER_CUTOFF = "2017-11-06"
# So early that most campaigns, redemptions and promotions of the files lie after it.
EARLY = "2017-04-03"
MARTS = ("behavior.", "customers.", "recommendations.", "predictions.", "evaluation.")


@pytest.fixture(scope="module")
def ended_before_week_48(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The shop as it was: no file holds anything of week 48 or later."""
    directory = tmp_path_factory.mktemp("ended")
    write_files(demo_dir, directory / "raw", conditions_before(WEEK_48))
    return build(directory)


@pytest.fixture(scope="module")
def sales_ended_before_week_48(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Only the transactions end before week 48; the other files go on."""
    directory = tmp_path_factory.mktemp("sales_ended")
    condition = conditions_before(WEEK_48)["transactions"]
    write_files(demo_dir, directory / "raw", {"transactions": condition})
    return build(directory)


@pytest.fixture(scope="module")
def told_as_of_week_48(small_shop: Build, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """All rows are there, but the warehouse is asked for the world as of week 48."""
    directory = tmp_path_factory.mktemp("as_of")
    (directory / "raw").symlink_to(small_shop.raw)
    return build(directory, variables={"as_of_date": WEEK_48})


@pytest.fixture(scope="module")
def before_older_cutoff(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The shop with every row from the older cutoff on deleted."""
    directory = tmp_path_factory.mktemp("older")
    write_files(demo_dir, directory / "raw", conditions_before(OLDER_CUTOFF))
    return build(directory, "--select", "+customer_features", "+segment_history")


def mart_differences(one: Build, other: Build) -> list[str]:
    with one.read() as left, other.read() as right:
        found = differences(checksum_warehouse(left), checksum_warehouse(right))
    return [line for line in found if line.startswith(MARTS)]


def test_newest_cutoff_follows_the_sales(sales_ended_before_week_48: Build) -> None:
    newest = {
        table: sales_ended_before_week_48.query(f"select max(as_of_date)::varchar from {table}")
        for table in (
            "customers.customer_features",
            "customers.customer_rfm",
            "customers.customer_segments",
            "customers.customer_profiles",
            "customers.customer_clusters",
            "recommendations.item_similarities",
            "recommendations.customer_recommendations",
            "predictions.customer_predictions",
        )
    }
    assert newest == {table: [(WEEK_48,)] for table in newest}


@pytest.mark.parametrize("other", ["sales_ended_before_week_48", "told_as_of_week_48"])
def test_later_rows_leave_no_trace(
    other: str, ended_before_week_48: Build, request: pytest.FixtureRequest
) -> None:
    assert mart_differences(ended_before_week_48, request.getfixturevalue(other)) == []


def test_later_rows_are_quarantined_with_their_reason(sales_ended_before_week_48: Build) -> None:
    found = sales_ended_before_week_48.query(
        "select distinct table_name from quality.quarantined_rows "
        "where rule_id = 'future_timestamp'"
    )
    assert {"events", "campaigns", "campaign_contacts", "promotions"} == {row[0] for row in found}


@pytest.mark.parametrize(
    "table", ["customers.customer_features", "customers.rfm_history", "customers.segment_history"]
)
def test_history_is_what_it_was(table: str, small_shop: Build, before_older_cutoff: Build) -> None:
    query = (
        f"select * exclude (is_newest) from {table} "
        f"where as_of_date <= '{OLDER_CUTOFF}' order by all"
    )
    rows = before_older_cutoff.query(query)
    assert len(rows) > 1000
    assert rows == small_shop.query(query)


def test_an_early_world_passes_its_own_tests(
    demo_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("early")
    condition = conditions_before(EARLY)["transactions"]
    write_files(demo_dir, directory / "raw", {"transactions": condition})
    early = build(directory, variables={"ranker_min_positives": 10000}, with_tests=True)
    assert early.query("select max(as_of_date)::varchar from customers.customer_rfm") == [(EARLY,)]
