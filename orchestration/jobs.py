"""What can be launched as a whole."""

from typing import Final

import dagster as dg

from orchestration.raw_files import raw_files

build_warehouse: Final = dg.define_asset_job(
    name="build_warehouse",
    description="Observe the raw files, build and test every dbt model, publish the snapshot.",
    # `all` alone leaves out what is observed.
    selection=dg.AssetSelection.assets(*raw_files.keys) | dg.AssetSelection.all(),
)
