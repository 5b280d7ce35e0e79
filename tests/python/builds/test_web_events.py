"""A shop that has nothing but web events, some of them broken: every line is accounted for."""

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from shop import Build, build

from warehouse.paths import REPO_ROOT

pytestmark = pytest.mark.builds

FIRST, SECOND = "2024-05-01", "2024-05-02"
NOON = f"{FIRST}T12:00:00Z"


def call(number: int, event: str, **properties: Any) -> dict[str, Any]:
    """A track call of Segment, at noon of the first day."""
    return {
        "type": "track",
        "event": event,
        "messageId": f"s{number}",
        "anonymousId": "a1",
        "userId": "u1",
        "timestamp": NOON,
        "receivedAt": NOON,
        "properties": properties,
    }


def ga4(micros: int, name: str, **fields: Any) -> dict[str, Any]:
    """An event of the export of GA4, on the first day."""
    return {
        "event_name": name,
        "event_timestamp": str(1714564800000000 + micros),
        "user_pseudo_id": "g1",
        "event_params": [],
        **fields,
    }


def plain(event_id: str | None, event_type: str = "page_view", **fields: Any) -> dict[str, Any]:
    """An event in the names of the contract."""
    fields = {"occurred_at": NOON, "received_at": NOON, "anonymous_id": "a2", **fields}
    return {"event_id": event_id, "event_type": event_type, **fields}


TEA = {"product_id": "tea", "name": "Green tea", "category": "Drinks", "price": 2.5}
SEGMENT = [
    call(1, "Product Viewed", **TEA),
    call(2, "Product Added", products=[{**TEA, "quantity": "2"}, {"product_id": "cup"}]),
    call(3, "Order Completed", order_id="o1", products=[{**TEA, "quantity": 2}]),
    {**call(4, ""), "type": "identify", "traits": {"email": "Bob@Example.com "}},
    call(5, "Deal Opened"),
    call(6, "Teleported"),
    call(7, "Heartbeat"),
]
GA4 = [
    ga4(1, "view_item", items=[{"item_id": "tea"}, {"item_id": "cup", "item_name": "Cup"}]),
    ga4(2, "purchase", ecommerce={"transaction_id": "o2"}, items=[{"item_id": "cup", "price": 4}]),
    ga4(3, "session_start"),
]
PLAIN = [
    plain("p1", "search", search_query="'; drop table events; -- 😀 שלום", search_results="3"),
    plain("p2", occurred_at=1714564800000, dwell_seconds="7.9", page_path="https://a.b/c?d"),
    plain("p3", occurred_at="1970-01-01T00:00:00Z"),
    plain("p4", occurred_at="2199-01-01T00:00:00Z"),
    plain("p5", occurred_at="noon"),
    plain("p6", "review", rating="five", product_id="tea"),
    plain("p7", dwell_seconds=-1),
    plain(None),
    plain("p8", is_simulated=True, search_query={"deep": [None, {"er": None}]}),
]
BROKEN = b'[1, 2]\n{"event_id": "\xff"}\nnull\n{"event_id": "half, bob@example.com'

QUARANTINED = {
    "p3": "bad_timestamp",
    "p4": "future_timestamp",
    "p5": "bad_timestamp",
    "p7": "impossible_value",
    "": "missing_key",
    "s6": "unknown_event_type",
    f"unreadable:arrival_date={SECOND}/broken.jsonl:1": "unreadable_row",
    f"unreadable:arrival_date={SECOND}/broken.jsonl:2": "unreadable_row",
    f"unreadable:arrival_date={SECOND}/broken.jsonl:3": "unreadable_row",
    f"unreadable:arrival_date={SECOND}/broken.jsonl:4": "unreadable_row",
    f"unreadable:arrival_date={SECOND}/cut.jsonl.gz": "unreadable_row",
    "unreadable:astray.jsonl": "unreadable_row",
}


def as_lines(events: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Build:
    directory = tmp_path_factory.mktemp("web_events")
    landing = directory / "landing"
    for day in (FIRST, SECOND):
        (landing / f"arrival_date={day}").mkdir(parents=True)
    first, second = landing / f"arrival_date={FIRST}", landing / f"arrival_date={SECOND}"
    (first / "segment.jsonl.gz").write_bytes(gzip.compress(as_lines(SEGMENT)))
    (first / "plain.jsonl").write_bytes(as_lines(PLAIN))
    (first / "empty.jsonl").touch()
    # What is sent twice is there twice.
    (second / "plain.json").write_bytes(as_lines(PLAIN[:2]))
    (second / "broken.jsonl").write_bytes(BROKEN)
    (second / "cut.jsonl.gz").write_bytes(gzip.compress(as_lines(PLAIN))[:-9])
    (landing / "astray.jsonl").write_bytes(as_lines(PLAIN))
    lines = directory / "ga4.jsonl"
    lines.write_bytes(as_lines(GA4))
    duckdb.read_json(str(lines)).write_parquet(str(second / "ga4.parquet"))
    return build(
        directory,
        *("--select", "+path:models/marts/quality", "web_events__ignored_events"),
        variables={
            "sources": {"web_events": {"directory": str(landing)}},
            "web_event_names": {"Deal Opened": "page_view", "heartbeat": None},
            "as_of_date": "2024-06-01",
            "shop_timezone": "UTC",
        },
    )


def test_every_line_is_accounted_for(shop: Build) -> None:
    found = shop.query(
        "select rows_in, rows_accepted, rows_quarantined, exact_duplicates_removed "
        "from quality.reconciliation where table_name = 'events' and is_reconciled"
    )
    lines = len(SEGMENT) + len(GA4) + len(PLAIN) + 2 + len(BROKEN.splitlines())
    whole_files, ignored, further_products = 2, 2, 2
    rows = lines + whole_files - ignored + further_products
    accepted = rows - len(QUARANTINED) - 2
    assert found == [(rows, accepted, len(QUARANTINED), 2)]
    assert shop.query(
        "select arrival_date, event_name, events from input_layer.web_events__ignored_events "
        "order by event_name"
    ) == [
        (date.fromisoformat(FIRST), "heartbeat", 1),
        (date.fromisoformat(SECOND), "session_start", 1),
    ]


def test_what_is_no_event_is_quarantined_with_its_reason(shop: Build) -> None:
    found = shop.query(
        "select row_key, rule_id from quality.quarantined_rows where table_name = 'events'"
    )
    assert dict(found) == QUARANTINED
    ((raw_row,),) = shop.query(
        "select raw_row ->> 'unreadable_text' from quality.quarantined_rows "
        "where row_key like '%broken.jsonl:4'"
    )
    assert raw_row == 'is no valid JSON: {"event_id": "half, <e-mail>'


def test_events_are_told_in_our_words(shop: Build) -> None:
    found = shop.query(
        "select event_id, event_type, product_id, quantity::int, dwell_seconds, page_path, "
        "quality_flags, source_system from intermediate.int_events_accepted "
        "where event_id not like 'ga4%' order by event_id"
    )
    told = "web_events"
    assert found == [
        ("p1", "search", None, None, None, None, None, told),
        ("p2", "page_view", None, None, 7, "/c", None, told),
        ("p6", "review", "tea", None, None, None, "unreadable_value", told),
        ("p8", "page_view", None, None, None, None, None, "simulated"),
        ("s1", "product_view", "tea", None, None, None, None, told),
        ("s2:0", "add_to_cart", "tea", 2, None, None, None, told),
        ("s2:1", "add_to_cart", "cup", None, None, None, None, told),
        ("s3", "place_order", None, None, None, None, None, told),
        ("s4", "identify", None, None, None, None, None, told),
        ("s5", "page_view", None, None, None, None, None, told),
    ]
    assert shop.query(
        "select event_type, product_id, order_id from intermediate.int_events_accepted "
        "where event_id like 'ga4%' order by all"
    ) == [
        ("place_order", None, "o2"),
        ("product_view", "cup", None),
        ("product_view", "tea", None),
    ]


def test_events_fill_what_nothing_else_does(shop: Build) -> None:
    assert shop.query("select customer_id, left(email_hash, 8) from input_layer.customers") == [
        ("u1", "5ff860bf")
    ]
    assert shop.query(
        "select product_id, product_name, category, list_price::float from input_layer.products "
        "order by product_id"
    ) == [("cup", "Cup", None, 4.0), ("tea", "Green tea", "Drinks", 2.5)]
    assert shop.query(
        "select order_line_id, orders.customer_id, quantity::int, amount_paid::float "
        "from input_layer.order_lines inner join input_layer.orders using (order_id) order by all"
    ) == [("o1-0", "u1", 2, 5.0), ("o2-0", None, 1, 4.0)]


def test_no_address_is_told_anywhere(shop: Build) -> None:
    tables = shop.query("select schema_name, table_name from duckdb_tables()")
    assert ("raw_web_events", "unreadable_lines") in tables
    for schema, table in tables:
        told = f'select * from "{schema}"."{table}" as t where cast(t as varchar) ilike \'%bob@%\''
        assert shop.query(told) == []


def run_dbt(shop: Build, *arguments: str, variables: Mapping[str, object]) -> str:
    run = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", *arguments, "--vars", yaml.safe_dump(variables)],
        cwd=REPO_ROOT,
        env={
            **os.environ,
            "WAREHOUSE_PATH": str(shop.warehouse),
            "DBT_TARGET_PATH": str(shop.directory / "target"),
            "DBT_LOG_PATH": str(shop.directory / "target"),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    return run.stdout


def test_the_unit_tests_of_the_source(shop: Build) -> None:
    """The demo has no web events, so that its own build does not run them."""
    told = run_dbt(
        shop,
        *("--no-use-colors", "test", "--select"),
        *("path:models/staging/web_events", "path:models/input_layer/web_events"),
        variables={"sources": {"web_events": {"directory": str(shop.directory / "landing")}}},
    )
    assert "Done. PASS=6 " in told


def test_events_of_a_shop_with_files_of_its_own_fill_nothing_else(shop: Build) -> None:
    web_events = {"directory": str(shop.directory / "landing")}
    listed = run_dbt(
        shop,
        *("--quiet", "ls", "--output", "name", "--resource-type", "model"),
        *("--select", "path:models/input_layer/web_events"),
        variables={"sources": {"completejourney": {}, "web_events": web_events}},
    )
    assert {word for word in listed.split() if word.startswith("web_events__")} == {
        "web_events__event_names",
        "web_events__events",
        "web_events__ignored_events",
        "web_events__items",
    }


@pytest.mark.parametrize("layout", ["auto", "ga4"])
def test_an_empty_folder_is_an_empty_table(layout: str, tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    landing.mkdir()
    web_events = {"directory": str(landing), "layout": layout, "hosts": ["pay.example"]}
    shop = build(
        tmp_path,
        *("--select", "+input_layer__events", "+input_layer__order_lines"),
        variables={"sources": {"web_events": web_events}},
    )
    assert shop.query("from input_layer.events") == []
    assert shop.query("from input_layer.order_lines") == []
