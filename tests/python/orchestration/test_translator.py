import dagster as dg
import pytest

from orchestration.translator import (
    asset_key,
    check_description,
    description,
    grain,
    group_name,
    is_mart,
    kinds,
    owners,
)


def model(path, **props):
    return {
        "resource_type": "model",
        "original_file_path": path,
        "language": "sql",
        "config": {"materialized": "table"},
        **props,
    }


SOURCE = {
    "resource_type": "source",
    "schema": "raw_shop",
    "identifier": "sales_2026",
    "name": "sales",
    "original_file_path": "models/staging/shop/_shop__sources.yml",
    "config": {"meta": {"owner": "data-platform"}},
}


def test_a_model_is_known_by_what_one_queries():
    props = model("models/input_layer/x.sql", schema="input_layer", alias="events", name="other")
    assert asset_key(props) == dg.AssetKey(["input_layer", "events"])


def test_a_raw_table_is_known_by_its_view():
    assert asset_key(SOURCE) == dg.AssetKey(["raw_shop", "sales_2026"])


@pytest.mark.parametrize(
    ("path", "group"),
    [
        ("models/staging/shop/stg_shop__sales.sql", "staging"),
        ("models/input_layer/input_layer__events.sql", "input_layer"),
        ("models/input_layer/shop/shop__events.sql", "input_layer"),
        ("models/intermediate/int_orders_enriched.sql", "intermediate"),
        ("models/intermediate/quality_gate/int_orders_checked.sql", "quality_gate"),
        ("models/marts/behavior/events.sql", "behavior"),
        ("models/marts/a_new_area/deeper/things.sql", "a_new_area"),
        ("models/seeds/rules.csv", "seeds"),
        ("models/at_the_top.sql", "models"),
        ("python_models/models/customers/py_clusters.py", "python_models"),
    ],
)
def test_the_place_of_a_file_is_its_group(path, group):
    assert group_name(model(path)) == group


def test_raw_tables_are_a_group_wherever_they_are_declared():
    assert group_name(SOURCE) == "raw"


@pytest.mark.parametrize(
    ("meta", "expected"),
    [
        ({"owner": "customer-analytics"}, ["team:customer-analytics"]),
        ({"owner": "somebody@example.com"}, ["somebody@example.com"]),
        ({}, []),
    ],
)
def test_owners_are_teams_unless_they_have_an_address(meta, expected):
    assert owners({"config": {"meta": meta}}) == expected


def test_meta_may_be_beside_the_config():
    assert owners({"config": {}, "meta": {"owner": "data-platform"}}) == ["team:data-platform"]


def test_a_raw_table_is_described_with_its_source():
    props = {**SOURCE, "description": "One row per sale.\n", "source_description": "A shop."}
    assert description(props) == "One row per sale.\n\nA shop."


def test_a_model_without_documentation_has_no_description():
    assert description(model("models/x.sql", description="")) is None


@pytest.mark.parametrize(
    ("props", "expected"),
    [
        (SOURCE, {"parquet"}),
        (model("models/x.sql"), {"dbt", "duckdb", "table"}),
        (model("models/x.csv", config={"materialized": "seed"}), {"dbt", "duckdb", "seed"}),
        (model("python_models/models/x.py", language="python"), {"dbt", "duckdb", "python"}),
    ],
)
def test_kinds(props, expected):
    assert kinds(props) == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (["customer_id", "as_of_date"], "customer_id, as_of_date"),
        (["all"], "all columns"),
        (None, None),
    ],
)
def test_grain(columns, expected):
    assert grain({"config": {"meta": {"grain": columns}}}) == expected


@pytest.mark.parametrize(
    ("props", "expected"),
    [
        (model("models/marts/behavior/events.sql"), True),
        (model("models/marts.sql"), False),
        (model("models/staging/shop/marts.sql"), False),
        (SOURCE, False),
    ],
)
def test_marts_are_what_lies_among_them(props, expected):
    assert is_mart(props) is expected


@pytest.mark.parametrize(
    ("props", "expected"),
    [
        (
            {"raw_code": "-- Nothing is lost,\n-- not a cent.\nselect 1 -- of many"},
            "Nothing is lost, not a cent.",
        ),
        ({"description": "Said in YAML.", "raw_code": "-- In SQL.\nselect 1"}, "Said in YAML."),
        ({"raw_code": "{{ test_not_null(**_dbt_generic_test_kwargs) }}"}, None),
    ],
)
def test_a_check_says_what_it_is_for(props, expected):
    assert check_description(props) == expected
