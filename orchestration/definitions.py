"""Everything that Dagster knows of the warehouse."""

from typing import Final

import dagster as dg
from dagster_dbt import DbtCliResource

from orchestration.dbt_graph import dbt_graph, project
from orchestration.jobs import build_warehouse
from orchestration.published import published_warehouse
from orchestration.raw_files import raw_files
from orchestration.schedules import daily_build
from orchestration.sensors import raw_files_changed

defs: Final = dg.Definitions(
    assets=[raw_files, dbt_graph, published_warehouse],
    jobs=[build_warehouse],
    schedules=[daily_build],
    sensors=[raw_files_changed],
    resources={"dbt": DbtCliResource(project_dir=project)},
    # The steps wait for each other in any case; a process for each would only load dbt again.
    executor=dg.in_process_executor,
)
