"""The dbt graph as assets, and its data tests as asset checks."""

from collections.abc import Iterator
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource, dbt_assets

from orchestration.manifest import read_manifest
from orchestration.project import DUCKDB_WRITER, open_project
from orchestration.translator import WarehouseTranslator

project = open_project()
manifest = read_manifest(project.manifest_path)
translator = WarehouseTranslator()


# No retry policy: after a failed data test it would build everything again and lose the check.
@dbt_assets(
    manifest=manifest,
    project=project,
    dagster_dbt_translator=translator,
    name="dbt_build",
    pool=DUCKDB_WRITER,
)
def dbt_graph(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator[Any]:
    """Run `dbt build` over what is selected, and count the rows of what it built."""
    # Column metadata is not fetched: its lineage cannot read Python models, and the contracts
    # already state the columns of what users query.
    yield from dbt.cli(["build"], context=context).stream().fetch_row_counts()
