from pathlib import Path

import pytest

from warehouse.source_settings import (
    FolderSettings,
    SourceSettingsError,
    parse_source_settings,
    read_source_settings,
)

ORDERS = {"files": "orders.csv", "columns": {"order_id": "Order No"}}


def test_a_named_source_is_switched_on() -> None:
    assert parse_source_settings({"completejourney": None}).enabled() == {
        "completejourney": FolderSettings()
    }


def test_a_column_may_be_its_name_alone() -> None:
    settings = parse_source_settings({"custom": {"tables": {"orders": ORDERS}}})
    assert settings.custom is not None
    assert settings.custom.tables["orders"].columns["order_id"].column == "Order No"


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        (["completejourney"], "is not a mapping of sources to their settings"),
        (None, "is not a mapping of sources to their settings"),
        ({}, "sources: switch on at least one source"),
        ({"completejourny": {}}, "sources.completejourny: unknown key"),
        ({"completejourney": {"dir": "a"}}, "sources.completejourney.dir: unknown key"),
        ({"completejourney": {"directory": 3}}, "directory: input should be a valid string, got 3"),
        ({"completejourney": "a"}, "sources.completejourney: is not a mapping of settings"),
        ({"completejourney": {"shop": "a b"}}, "sources.completejourney.shop: string should match"),
        ({"web_events": {}}, "sources.web_events.directory: is missing"),
        ({"web_events": {"directory": "a", "layout": "x"}}, "sources.web_events.layout: input sho"),
        (
            {"completejourney": {}, "online_retail": {}, "web_events": {"directory": "a"}},
            "web_events: name its shop, since there are several",
        ),
        ({"custom": {"tables": {}}}, "sources.custom.tables: dictionary should have at least 1"),
        (
            {"custom": {"tables": {"orders": {**ORDERS, "table": "erp.orders"}}}},
            "sources.custom.tables.orders: name either files or a table",
        ),
        (
            {"custom": {"tables": {"orders": {**ORDERS, "columns": {"order_id": {}}}}}},
            "sources.custom.tables.orders.columns.order_id: name either a column or a value",
        ),
        (
            {"custom": {"tables": {"orders": {**ORDERS, "columns": {"order_id": {"colum": "a"}}}}}},
            "columns.order_id.colum: unknown key",
        ),
    ],
)
def test_says_what_is_wrong_and_where(sources: object, message: str) -> None:
    with pytest.raises(SourceSettingsError, match=message):
        parse_source_settings(sources)


def test_an_offset_is_told_once() -> None:
    column = {"column": "Date", "format": "%d/%m/%Y %H:%M%z", "timezone": "Europe/London"}
    table = {**ORDERS, "columns": {"ordered_at": column}}
    with pytest.raises(SourceSettingsError, match="the format already tells the offset"):
        parse_source_settings({"custom": {"tables": {"orders": table}}})


def test_vars_of_the_command_override_those_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text("vars: {sources: {completejourney: {}}}")
    assert list(read_source_settings(tmp_path, {}).enabled()) == ["completejourney"]
    settings = read_source_settings(tmp_path, {"sources": {"online_retail": {}}})
    assert list(settings.enabled()) == ["online_retail"]
