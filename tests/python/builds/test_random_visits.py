"""Random visits fall into the sessions that the rules, told event by event, make of them."""

import json
import os
import random
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import duckdb
import pytest

from warehouse.paths import REPO_ROOT

pytestmark = pytest.mark.builds

MODEL = "model.sales_personalization_warehouse.int_events_sessionized"
SHOP = ZoneInfo("America/New_York")
PAUSES = [0, 0, 5, 600, 1799, 1800, 1801, 7200, 90000]


class Event(NamedTuple):
    event_id: str
    visitor: str
    occurred_at: datetime
    customer_id: str | None
    traffic_source: str | None


def random_visits(seed: int) -> list[Event]:
    rng = random.Random(seed)
    events = []
    for visitor in range(200):
        at = datetime(2017, 1, 2) + timedelta(seconds=rng.randrange(86400))
        for place in range(rng.randrange(1, 40)):
            at += timedelta(seconds=rng.choice(PAUSES))
            customer_id = rng.choice([None, None, None, f"c{visitor}", f"c{visitor}", "guest"])
            source = rng.choice([None, None, None, "news", "search"])
            events.append(Event(f"e{visitor:03}-{place:02}", str(visitor), at, customer_id, source))
    return events


def told_one_by_one(events: list[Event], *, by_day: bool, max_hours: int) -> dict[str, str]:
    """The session of each event, as one reads them in their order."""
    sessions = {}
    previous: Event | None = None
    for event in sorted(events, key=lambda event: (event.visitor, event.occurred_at, event[0])):
        is_new_sitting = (
            previous is None
            or previous.visitor != event.visitor
            or event.occurred_at - previous.occurred_at > timedelta(minutes=30)
            or (by_day and day(event) != day(previous))
        )
        if is_new_sitting:
            started_at, customer_id, source, stretch = event.occurred_at, None, None, 0
        new_stretch = (event.occurred_at - started_at) // timedelta(hours=max_hours)
        if (
            is_new_sitting
            or new_stretch > stretch
            or (customer_id and event.customer_id and customer_id != event.customer_id)
            or (source and event.traffic_source and source != event.traffic_source)
        ):
            session_id = f"session:{event.event_id}"
        sessions[event.event_id] = session_id
        customer_id = event.customer_id or customer_id
        source = event.traffic_source or source
        stretch, previous = new_stretch, event
    return sessions


def day(event: Event) -> object:
    return event.occurred_at.replace(tzinfo=UTC).astimezone(SHOP).date()


def sessions_of_model(
    events: list[Event], directory: Path, variables: dict[str, object]
) -> dict[str, str]:
    """The same by the model, compiled and run on the events alone."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "dbt.cli.main", "--quiet", "compile", "--no-introspect"),
            *("--select", "int_events_sessionized", "--vars", json.dumps(variables)),
        ],
        cwd=REPO_ROOT,
        env={
            **os.environ,
            "WAREHOUSE_PATH": str(directory / "warehouse.duckdb"),
            "DBT_TARGET_PATH": str(directory),
            "DBT_LOG_PATH": str(directory),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    manifest = json.loads((directory / "manifest.json").read_text())
    sql = manifest["nodes"][MODEL]["compiled_code"]
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as warehouse; create schema warehouse.intermediate")
        connection.execute("""
            create table warehouse.intermediate.int_events_enriched (
                event_id text, anonymous_id text, occurred_at timestamp, customer_id text,
                traffic_source text, event_type text default 'page_view', known_date date,
                product_id text, order_id text, search_query text, search_results int,
                dwell_seconds int, device text, page_path text, referrer_host text,
                traffic_medium text, traffic_campaign text, source_system text default 'custom'
            )
        """)
        connection.executemany(
            "insert into warehouse.intermediate.int_events_enriched "
            "(event_id, anonymous_id, occurred_at, customer_id, traffic_source) "
            "values (?, ?, ?, ?, ?)",
            random.Random(0).sample(events, len(events)),
        )
        found = connection.sql(sql).select("event_id, session_id").fetchall()
    assert len(found) == len(events)
    return dict(found)


@pytest.mark.parametrize(("by_day", "max_hours"), [(False, 24), (True, 1)])
def test_random_visits(by_day: bool, max_hours: int, tmp_path: Path) -> None:
    events = random_visits(seed=1)
    expected = told_one_by_one(events, by_day=by_day, max_hours=max_hours)
    variables: dict[str, object] = {"session_new_on_day": by_day, "session_max_hours": max_hours}
    assert len(set(expected.values())) > 1000
    assert sessions_of_model(events, tmp_path, variables) == expected
