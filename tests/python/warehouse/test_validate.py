import json
import re

import pytest

from warehouse.source_settings import SourceSettingsError
from warehouse.validate import BrokenRule, Report, TableProfile, main, render, sources_of_shop

PROFILE = TableProfile(
    table="orders",
    rows=1200,
    accepted=1000,
    quarantined=199,
    copies=1,
    first_at="2026-01-01 10:00:00",
    last_at="2026-03-01 10:00:00",
    filled={"order_id": 1.0, "customer_id": 0.5, "ordered_at": 0.9999, "status": 0.0},
    required=["order_id", "ordered_at"],
)
RULE = BrokenRule(
    table="orders",
    rule_id="unknown_customer",
    action="reject",
    severity="error",
    reason="No accepted customer has this customer_id.",
    rows=300,
    rejected=199,
    share=0.25,
    example={"order_id": "O-1", "customer_id": "x" * 100},
)


def test_a_source_is_tried_with_the_others_of_its_shop() -> None:
    events = {"directory": "landing"}
    assert sources_of_shop({"completejourney": None, "web_events": events}, "web_events") == {
        "completejourney": {},
        "web_events": events,
    }
    two_shops = {"completejourney": {}, "online_retail": {}, "web_events": {**events, "shop": "a"}}
    assert sources_of_shop(two_shops, "web_events") == {"web_events": {**events, "shop": "a"}}
    assert sources_of_shop({"completejourney": {}}, "online_retail") == {"online_retail": {}}
    with pytest.raises(SourceSettingsError):
        sources_of_shop(["completejourney"], "completejourney")


def test_the_report_is_narrow_and_says_what_stops_the_build() -> None:
    report = Report(
        "custom",
        exit_code=1,
        problems=["orders: unknown_customer rejects 16.6% of the rows, more than 10.0%"],
        tables=[PROFILE],
        broken_rules=[RULE],
        unknown_event_types={"wink": 3},
    )
    text = render(report)
    assert re.search(r"  orders +1,200 +1,000 +199 +1  2026-01-01  2026-03-01\n", text)
    assert "null in     customer_id 50.0%, ordered_at (required) <0.1%" in text
    assert "not filled  status" in text
    assert "No accepted customer has this customer_id." in text
    assert "  wink" in text
    assert text.endswith(
        "The build would stop:\n"
        "  - orders: unknown_customer rejects 16.6% of the rows, more than 10.0%\n"
    )
    assert max(map(len, text.splitlines())) < 100
    assert not any(line.endswith(" ") for line in text.splitlines())


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["custom"], "sources.custom.tables: is missing"),
        (["custom", "--vars", "{sources: {custom: {tabels: {}}}}"], "custom.tabels: unknown key"),
        (["web_events", "--vars", "[1]"], "--vars is no mapping of vars"),
        (["web_events", "--vars", "{sources: {web_events: {directory: /nowhere}}}"], "no such fol"),
        (["completejourney", "--vars", "{sources: {completejourney: {directory: /no}}}"], "no suc"),
    ],
)
def test_what_cannot_be_read_is_told_without_a_build(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 2
    (found,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem in found
