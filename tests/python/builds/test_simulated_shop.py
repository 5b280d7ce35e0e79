"""What a simulated shop was made of comes out of the warehouse again."""

import pytest
import yaml
from shop import Build, build

from simulation.__main__ import main
from warehouse.paths import quote_literal

pytestmark = pytest.mark.builds

QUARANTINED_AS = {
    "invalid_json": "unreadable_row",
    "truncated_line": "unreadable_row",
    "wrong_types": "bad_timestamp",
    "missing_event_id": "missing_key",
    "negative_dwell": "impossible_value",
    "no_timestamp": "bad_timestamp",
    "year_1970": "bad_timestamp",
    "year_2199": "future_timestamp",
    "unknown_type": "unknown_event_type",
}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Build:
    directory = tmp_path_factory.mktemp("simulated")
    folder = directory / "raw"
    main(["shop", "--customers", "1500", "--days", "45", "--out", str(folder)])
    return build(
        directory,
        *("--select", "+sessions", "+events", "+identity_map"),
        *("+quarantined_rows", "+reconciliation"),
        variables=yaml.safe_load((folder / "vars.yml").read_text(encoding="utf-8")),
    )


def truth(shop: Build, name: str) -> str:
    path = shop.raw / "truth" / name
    return (
        f"read_parquet({quote_literal(path / '*.parquet' if path.is_dir() else f'{path}.parquet')})"
    )


def test_every_planted_row_has_its_verdict(simulated: Build) -> None:
    planted = dict(
        simulated.query(f"select kind, count(*) from {truth(simulated, 'planted_rows')} group by 1")
    )
    expected: dict[object, int] = {}
    for kind, rule in QUARANTINED_AS.items():
        expected[rule] = expected.get(rule, 0) + int(str(planted[kind]))
    found = dict(
        simulated.query(
            "select rule_id, count(*) from quality.quarantined_rows "
            "where table_name = 'events' group by 1"
        )
    )
    again = int(str(found.pop("duplicate_key", 0)))
    ((copies,),) = simulated.query(
        "select exact_duplicates_removed from quality.reconciliation where table_name = 'events'"
    )
    assert found == expected
    assert again + int(str(copies)) == planted["duplicate"] + planted["moved_duplicate"]
    assert simulated.query("select bool_and(is_reconciled) from quality.reconciliation") == [
        (True,)
    ]


def test_every_true_event_is_accepted(simulated: Build) -> None:
    assert simulated.query(
        f"select count(*) from {truth(simulated, 'events')} "
        "where event_id not in (select event_id from behavior.events)"
    ) == [(0,)]


def test_sessions_are_the_planted_ones(simulated: Build) -> None:
    ((planted, equal, converted),) = simulated.query(
        f"""
        with planted as (
            select session_id, list(event_id order by event_id) as events
            from {truth(simulated, "events")} group by session_id
        ),
        built as (
            select session_id, list(event_id order by event_id) as events
            from intermediate.int_events_sessionized group by session_id
        )
        select
            (select count(*) from planted),
            count(*),
            count(*) filter (truths.is_converted = sessions.is_converted)
        from planted
        inner join built on planted.events = built.events
        inner join {truth(simulated, "sessions")} as truths
            on planted.session_id = truths.session_id
        inner join behavior.sessions on built.session_id = sessions.session_id
        """
    )
    assert int(str(planted)) > 5000
    assert int(str(equal)) >= 0.99 * int(str(planted))
    assert converted == equal


def test_devices_are_joined_to_who_used_them(simulated: Build) -> None:
    """Recall over devices of one person who logged in or came by a link in an e-mail."""
    ((linkable, found, joined, right),) = simulated.query(
        f"""
        with devices as (
            select
                anonymous_id,
                list(distinct customer_id) as customers,
                max(logins + email_links) > 0 and count(distinct person_id) = 1 as is_linkable
            from {truth(simulated, "identities")} group by anonymous_id
        ),
        joined as (
            select id_value, customer_id
            from customers.identity_map
            where id_type = 'anonymous_id' and customer_id is not null
        )
        select
            count(*) filter (is_linkable),
            count(*) filter (is_linkable and joined.customer_id = customers[1]),
            count(joined.customer_id),
            count(*) filter (list_contains(customers, joined.customer_id))
        from devices left join joined on devices.anonymous_id = joined.id_value
        """
    )
    assert int(str(found)) >= 0.97 * int(str(linkable))
    assert int(str(right)) >= 0.99 * int(str(joined))


def test_shared_devices_join_nobody(simulated: Build) -> None:
    assert simulated.query(
        f"""
        select count(*)
        from customers.identity_map
        where
            id_type = 'anonymous_id' and customer_id is not null
            and id_value in (
                select anonymous_id from {truth(simulated, "identities")}
                where logins > 0
                group by anonymous_id having count(distinct person_id) > 1
            )
        """
    ) == [(0,)]


def test_everything_is_labeled_as_simulated(simulated: Build) -> None:
    for table in ("behavior.sessions", "behavior.events", "customers.identity_map"):
        assert simulated.query(f"select distinct source_system from {table}") == [("simulated",)]
