"""Everything that dbt knows of this project is described, and lies where its name says."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

PACKAGE = "sales_personalization_warehouse"
ENGINES = ("default__", "duckdb__", "spark__")

Node = dict[str, Any]
Manifest = dict[str, Any]


@pytest.fixture(scope="module")
def manifest(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    """The project as dbt parses it now; a manifest in target/ may be older than the files."""
    target = tmp_path_factory.mktemp("docs_coverage")
    run = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", "parse"],
        cwd=repo_root,
        env={**os.environ, "DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    content: Manifest = json.loads((target / "manifest.json").read_text())
    return content


def own(resources: dict[str, Node], *kinds: str) -> Iterator[Node]:
    for resource in resources.values():
        if resource["package_name"] == PACKAGE and (
            not kinds or resource["resource_type"] in kinds
        ):
            yield resource


def tables(manifest: Manifest) -> list[Node]:
    """Models, seeds and source tables."""
    return [*own(manifest["nodes"], "model", "seed", "snapshot"), *own(manifest["sources"])]


def without_description(resources: list[tuple[str, Node]]) -> list[str]:
    return [name for name, resource in resources if not (resource.get("description") or "").strip()]


def test_tables_are_described(manifest: Manifest) -> None:
    assert without_description([(table["unique_id"], table) for table in tables(manifest)]) == []


def test_sources_are_described(manifest: Manifest) -> None:
    undescribed = {
        source["source_name"]
        for source in own(manifest["sources"])
        if not source["source_description"].strip()
    }
    assert undescribed == set()


def test_every_table_declares_its_columns(manifest: Manifest) -> None:
    assert [table["unique_id"] for table in tables(manifest) if not table["columns"]] == []


def test_columns_are_described(manifest: Manifest) -> None:
    columns = [
        (f"{table['unique_id']}.{name}", column)
        for table in tables(manifest)
        for name, column in table["columns"].items()
    ]
    assert len(columns) > 500
    assert without_description(columns) == []


def test_macros_and_their_arguments_are_described(manifest: Manifest) -> None:
    macros = list(own(manifest["macros"]))
    described = [(macro["name"], macro) for macro in macros]
    arguments = [
        (f"{macro['name']}({argument['name']})", argument)
        for macro in macros
        for argument in macro["arguments"]
    ]
    assert without_description(described + arguments) == []
    assert [name for name, argument in arguments if not argument["type"]] == []


def test_singular_and_unit_tests_are_described(manifest: Manifest) -> None:
    # A generic test is described by its macro.
    singular = [
        (test["name"], test)
        for test in own(manifest["nodes"], "test")
        if not test.get("test_metadata")
    ]
    unit = [(test["name"], test) for test in own(manifest["unit_tests"])]
    assert singular
    assert unit
    assert without_description(singular + unit) == []


def test_exposures_and_metrics_are_described(manifest: Manifest) -> None:
    resources = [
        (resource["unique_id"], resource)
        for kind in ("exposures", "metrics", "semantic_models", "saved_queries")
        for resource in own(manifest.get(kind, {}))
    ]
    assert without_description(resources) == []


def test_a_macro_lies_in_the_file_of_its_name(manifest: Manifest) -> None:
    misplaced = []
    for macro in own(manifest["macros"]):
        name = macro["name"]
        for prefix in (*ENGINES, "test_"):
            name = name.removeprefix(prefix)
        if Path(macro["original_file_path"]).stem != name:
            misplaced.append(macro["unique_id"])
    assert misplaced == []


@pytest.mark.warehouse
def test_built_tables_hold_the_columns_that_are_described(
    manifest: Manifest, warehouse: duckdb.DuckDBPyConnection
) -> None:
    built = set(
        warehouse.execute(
            "select table_schema, table_name from information_schema.tables"
        ).fetchall()
    )
    compared = 0
    differences = {}
    for table in tables(manifest):
        schema, name = table["schema"], table.get("alias") or table["identifier"]
        if (schema, name) not in built:
            continue
        compared += 1
        columns = {
            column for column, *_ in warehouse.execute(f'describe {schema}."{name}"').fetchall()
        }
        if columns != set(table["columns"]):
            differences[f"{schema}.{name}"] = sorted(columns ^ set(table["columns"]))
    assert compared > 0
    assert differences == {}
