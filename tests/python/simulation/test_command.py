"""What a person types, and what comes of it."""

import json
from datetime import date
from pathlib import Path

import duckdb
import pytest
import yaml

from simulation.__main__ import main
from warehouse.raw_files import read_sources
from warehouse.source_settings import FolderSettings, parse_source_settings


@pytest.fixture(scope="module")
def demo_sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every fiftieth household of the demo."""
    (source,) = read_sources(environment={}, settings={"completejourney": FolderSettings()})
    folder = tmp_path_factory.mktemp("demo")
    for table, condition in (("transactions", "household_id % 50 = 0"), ("products", "true")):
        duckdb.sql(f"from '{source.directory}/{table}.parquet' where {condition}").write_parquet(
            str(folder / f"{table}.parquet")
        )
    return folder


@pytest.fixture(scope="module")
def demo_web(demo_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Web events of these households."""
    out = tmp_path_factory.mktemp("web") / "simulated_web"
    arguments = ["web-for-demo", "--directory", str(demo_sample), "--out", str(out), "--clean"]
    assert main(arguments) == 0
    return out


def test_a_shop_tells_the_settings_that_build_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "shop"
    size = ("--customers", "60", "--days", "8", "--start", "2024-03-01", "--products", "40")
    assert main(["shop", "--out", str(out), *size, "--set", "late_share=0.5"]) == 0
    assert f"SETTINGS={out}/vars.yml" in capsys.readouterr().out
    variables = yaml.safe_load((out / "vars.yml").read_text())
    settings = parse_source_settings(variables["sources"])
    assert settings.custom is not None
    assert settings.web_events is not None
    assert Path(settings.web_events.directory) == out / "landing"
    for name, table in settings.custom.tables.items():
        described = duckdb.sql(f"from '{table.files}'").columns
        assert [column.column for column in table.columns.values()] == described, name
    assert variables["shop_timezone"] == "Etc/GMT+5"
    assert variables["as_of_date"] == "2024-03-09"
    assert json.loads((out / "simulation.json").read_text())["rates"]["late_share"] == 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["shop", "--products", "30"], "multiple of 20"),
        (["shop", "--set", "late_share=2"], "between 0 and 1"),
        (["web-for-demo", "--directory", "/nowhere"], "/nowhere"),
    ],
)
def test_what_cannot_be_made_is_said(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--out", str(tmp_path / "shop")]) == 2
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("rate", ["late_share=often", "no_such_rate=1", "days=0"])
def test_unknown_rates_are_refused(rate: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        main(["shop", "--out", str(tmp_path), "--set", rate])


def read_events(out: Path) -> duckdb.DuckDBPyRelation:
    return duckdb.sql(
        "select * replace (occurred_at::timestamp as occurred_at) "
        f"from read_json('{out}/landing/*/*')"
    )


def test_households_browse_but_do_not_order(demo_web: Path, demo_sample: Path) -> None:
    events = read_events(demo_web)
    types = dict(events.aggregate("event_type, count(*)").fetchall())
    assert set(types) == {
        *("page_view", "product_view", "search", "add_to_cart", "remove_from_cart"),
        *("identify", "review", "share"),
    }
    unknown = events.filter(
        f"customer_id not in (select household_id::text from '{demo_sample}/transactions.parquet') "
        f"or product_id not in (select product_id::text from '{demo_sample}/products.parquet') "
        "or not is_simulated"
    )
    assert unknown.fetchall() == []
    assert events.filter("customer_id is not null").fetchone() is not None


def test_browsing_keeps_to_the_days_of_the_demo(demo_web: Path) -> None:
    ((first, last),) = (
        read_events(demo_web).aggregate("min(occurred_at), max(occurred_at)").fetchall()
    )
    assert first.date() >= date(2017, 1, 1)
    assert str(last) < "2018-01-01 05:00:00"


def test_households_view_what_they_buy_in_the_days_after(demo_web: Path, demo_sample: Path) -> None:
    # Of the products that identified households view, how many they buy within three days, against
    # how many they bought within the three days before.
    ((after, before, views),) = (
        read_events(demo_web)
        .filter("event_type = 'product_view' and customer_id is not null")
        .query(
            "views",
            f"""
            with purchases as (
                select distinct
                    household_id::text as customer_id,
                    product_id::text as product_id,
                    (transaction_timestamp - interval 5 hours)::date as day
                from '{demo_sample}/transactions.parquet'
            ),
            days as (
                select
                    *,
                    row_number() over () as view,
                    (occurred_at - interval 9 hours)::date as day
                from views
            )
            select
                count(distinct view) filter (where purchases.day > days.day),
                count(distinct view) filter (where purchases.day < days.day),
                (select count(*) from days)
            from days
            inner join purchases using (customer_id, product_id)
            where abs(purchases.day - days.day) <= 3
            """,
        )
        .fetchall()
    )
    assert after > 0.3 * views
    assert after > 5 * before
