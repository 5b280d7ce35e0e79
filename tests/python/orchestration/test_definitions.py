import datetime as dt
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import yaml
from dagster_dbt import DbtCliResource

from orchestration.dbt_graph import dbt_graph, manifest, project
from orchestration.definitions import defs
from orchestration.jobs import build_warehouse
from orchestration.project import DUCKDB_WRITER
from orchestration.published import published_warehouse
from orchestration.raw_files import list_files, raw_files
from orchestration.schedules import daily_build
from orchestration.sensors import raw_files_changed
from orchestration.translator import asset_key, is_mart
from warehouse.raw_files import read_sources

# Data tests that cannot be the check of an asset: those that read several sources and no model.
TESTS_WITHOUT_AN_ASSET: list[str] = []

ANALYTICS = ["team:customer-analytics"]
PLATFORM = ["team:data-platform"]
DBT = {"dbt", "duckdb"}


def nodes_of_type(*resource_types):
    return [node for node in manifest["nodes"].values() if node["resource_type"] in resource_types]


def test_the_definitions_hold_together():
    dg.Definitions.validate_loadable(defs)


def test_every_model_and_seed_is_an_asset():
    built = {
        asset_key(node)
        for node in nodes_of_type("model", "seed", "snapshot")
        if node["config"]["materialized"] != "ephemeral"
    }
    assert dbt_graph.keys == built


def test_every_declared_raw_table_is_observed():
    declared = {asset_key(source) for source in manifest["sources"].values()}
    assert raw_files.keys == declared
    assert {file.key for file in list_files(read_sources())} == declared


def test_the_graph_starts_at_the_raw_files():
    dependencies = {dep.asset_key for spec in dbt_graph.specs for dep in spec.deps}
    assert dependencies - dbt_graph.keys == raw_files.keys


def test_every_data_test_is_a_check():
    checks = sorted(check.metadata["dagster_dbt/unique_id"] for check in dbt_graph.check_specs)
    tests = sorted(
        node["unique_id"]
        for node in nodes_of_type("test")
        if node["name"] not in TESTS_WITHOUT_AN_ASSET
    )
    assert checks == tests


def test_checks_of_severity_error_are_blocking():
    severities = {node["unique_id"]: node["config"]["severity"] for node in nodes_of_type("test")}
    for check in dbt_graph.check_specs:
        severity = severities[check.metadata["dagster_dbt/unique_id"]].lower()
        assert check.blocking is (severity == "error"), check.name


@pytest.mark.parametrize(
    ("key", "group", "owners", "kinds"),
    [
        ("raw_completejourney/transactions", "raw", PLATFORM, {"parquet"}),
        ("staging/stg_completejourney__transactions", "staging", None, DBT | {"view"}),
        ("input_layer/order_lines", "input_layer", None, DBT),
        ("intermediate/int_orders_checked", "quality_gate", None, DBT),
        ("intermediate/int_cutoffs_spined", "intermediate", None, DBT),
        ("behavior/events", "behavior", ANALYTICS, DBT),
        ("customers/customer_features", "customers", ANALYTICS, DBT | {"table"}),
        ("python_models/py_item_similarities", "python_models", None, DBT | {"python"}),
        ("recommendations/customer_recommendations", "recommendations", ANALYTICS, DBT),
        ("quality/reconciliation", "quality", PLATFORM, DBT),
        ("seeds/rfm_segment_rules", "seeds", None, DBT | {"seed"}),
        ("published_warehouse", "published", PLATFORM, {"duckdb"}),
    ],
)
def test_assets_are_found_where_one_looks_for_them(key, group, owners, kinds):
    spec = defs.resolve_asset_graph().get(dg.AssetKey.from_user_string(key))
    assert spec.group_name == group
    assert {f"dagster/kind/{kind}" for kind in kinds} <= spec.tags.keys()
    if owners is not None:
        assert list(spec.owners) == owners


def test_marts_are_documented():
    for node in filter(is_mart, manifest["nodes"].values()):
        spec = dbt_graph.get_asset_spec(asset_key(node))
        assert spec.description, spec.key
        assert spec.owners, spec.key
        assert spec.metadata["grain"], spec.key


def test_the_snapshot_waits_for_every_mart():
    marts = {asset_key(node) for node in manifest["nodes"].values() if is_mart(node)}
    assert {dep.asset_key for dep in published_warehouse.get_asset_spec().deps} == marts


def test_one_process_at_a_time_writes_to_the_warehouse(repo_root):
    assert dbt_graph.op.pool == DUCKDB_WRITER
    assert published_warehouse.op.pool == DUCKDB_WRITER
    settings = yaml.safe_load((repo_root / "orchestration" / "dagster.yaml").read_text())
    assert settings["concurrency"]["pools"] == {"default_limit": 1, "granularity": "run"}


def test_the_instance_reports_to_nobody(repo_root):
    settings = yaml.safe_load((repo_root / "orchestration" / "dagster.yaml").read_text())
    assert settings["telemetry"] == {"enabled": False}


def test_a_failed_data_test_does_not_build_everything_again():
    assert dbt_graph.op.retry_policy is None


def test_dbt_lets_go_of_the_warehouse_and_waits_for_it(repo_root):
    profiles = yaml.safe_load((repo_root / "profiles.yml").read_text())
    output = profiles["sales_personalization_warehouse"]["outputs"]["dev"]
    # The snapshot is made in the process that has just counted rows through dbt's connection.
    assert output["keep_open"] is False
    assert output["retries"]["connect_attempts"] > 1
    assert output["retries"]["retryable_exceptions"] == ["IOException"]


def test_dbt_runs_in_this_project(repo_root):
    dbt = defs.resources["dbt"]
    assert isinstance(dbt, DbtCliResource)
    assert project.project_dir == repo_root


def test_the_job_observes_then_builds_then_publishes():
    job = defs.resolve_job_def("build_warehouse")
    keys = raw_files.keys | dbt_graph.keys | published_warehouse.keys
    assert job.asset_layer.selected_asset_keys == keys
    steps = [node.name for node in job.nodes_in_topological_order]
    assert steps == ["raw_files", "dbt_build", "published_warehouse"]


def test_the_schedule_is_at_five_on_the_clock_of_the_shop(repo_root):
    declared = yaml.safe_load((repo_root / "dbt_project.yml").read_text())["vars"]["shop_timezone"]
    assert daily_build.execution_timezone == declared
    assert daily_build.cron_schedule == "0 5 * * *"
    assert daily_build.job_name == build_warehouse.name

    five = dt.datetime(2026, 7, 1, 5, tzinfo=ZoneInfo(declared))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=five)
        tick = defs.resolve_schedule_def("daily_build").evaluate_tick(context)
    assert len(tick.run_requests) == 1


def test_nothing_starts_by_itself():
    assert daily_build.default_status == dg.DefaultScheduleStatus.STOPPED
    assert raw_files_changed.default_status == dg.DefaultSensorStatus.STOPPED
