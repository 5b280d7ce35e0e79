"""How a dbt resource looks in Dagster: its key, group, owner, kinds and description.

Each rule is a pure function of the properties that dbt's manifest holds of a resource. None of them
names a model, so that a new one finds its place by where its file lies.
"""

from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import PurePosixPath
from typing import Any, Final

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtProject

RAW_GROUP: Final = "raw"

# In these layers the subfolder is what a reader looks for: models/marts/behavior is "behavior".
_LAYERS_GROUPED_BY_SUBFOLDER: Final = frozenset({"intermediate", "marts"})

Props = Mapping[str, Any]


def asset_key(props: Props) -> dg.AssetKey:
    """Return schema and name as one queries them, as in `behavior.events`."""
    relation = props["identifier"] if is_source(props) else props["alias"]
    return dg.AssetKey([props["schema"], relation])


def group_name(props: Props) -> str:
    """Return the layer or, within the marts and the intermediate layer, the area."""
    if is_source(props):
        return RAW_GROUP
    root, *folders = PurePosixPath(props["original_file_path"]).parent.parts
    if root != "models" or not folders:
        return root
    layer, *areas = folders
    return areas[0] if areas and layer in _LAYERS_GROUPED_BY_SUBFOLDER else layer


def owners(props: Props) -> list[str]:
    """Return `meta.owner`: an address as it is, any other name as a team."""
    owner = meta(props).get("owner")
    if not owner:
        return []
    return [owner if "@" in owner else f"team:{owner}"]


def description(props: Props) -> str | None:
    """Return the documentation; a raw table brings that of its source along.

    The code stays out: the code reference leads to it.
    """
    texts = [props.get("description"), props.get("source_description")]
    return "\n\n".join(text.strip() for text in texts if text) or None


def check_description(props: Props) -> str | None:
    """Return what a data test says of itself: its description, else the comment that it opens with.

    dbt has no place for the description of a test that is a file of its own.
    """
    if props.get("description"):
        return str(props["description"])
    lines = (line.strip() for line in props.get("raw_code", "").splitlines())
    comment = takewhile(lambda line: line.startswith("--"), lines)
    return " ".join(line.removeprefix("--").strip() for line in comment) or None


def kinds(props: Props) -> set[str]:
    """Return what the asset is made with and what it is."""
    if is_source(props):
        return {"parquet"}
    if props.get("language") == "python":
        return {"dbt", "duckdb", "python"}
    return {"dbt", "duckdb", props["config"]["materialized"]}


def grain(props: Props) -> str | None:
    """Return the columns that identify a row, from `meta.grain`."""
    columns = meta(props).get("grain")
    if not columns:
        return None
    return "all columns" if columns == ["all"] else ", ".join(columns)


def is_mart(props: Props) -> bool:
    """Tell whether the resource is a model that users query."""
    return bool(
        props["resource_type"] == "model"
        and PurePosixPath(props["original_file_path"]).parts[:2] == ("models", "marts")
    )


def is_source(props: Props) -> bool:
    """Tell whether the resource is a raw table."""
    return bool(props["resource_type"] == "source")


def meta(props: Props) -> Mapping[str, Any]:
    """Return the `meta` of a resource, which dbt keeps in its config."""
    return (props.get("config") or {}).get("meta") or props.get("meta") or {}


class WarehouseTranslator(DagsterDbtTranslator):
    """Applies the rules of this module to every dbt resource."""

    def __init__(self) -> None:
        """Make a check of every data test, those of sources included."""
        super().__init__(
            DagsterDbtTranslatorSettings(
                enable_source_tests_as_checks=True,
                enable_code_references=True,
            )
        )

    def get_asset_spec(
        self, manifest: Mapping[str, Any], unique_id: str, project: DbtProject | None
    ) -> dg.AssetSpec:
        """Return the asset of a resource, with our kinds in place of the integration's."""
        spec = super().get_asset_spec(manifest, unique_id, project)
        return spec.replace_attributes(kinds=kinds(self.get_resource_props(manifest, unique_id)))

    def get_asset_check_spec(
        self,
        asset_spec: dg.AssetSpec,
        manifest: Mapping[str, Any],
        unique_id: str,
        project: DbtProject | None,
    ) -> dg.AssetCheckSpec | None:
        """Return the check that a data test is, if it is one of this asset."""
        spec = super().get_asset_check_spec(asset_spec, manifest, unique_id, project)
        if spec is None:
            return None
        test = self.get_resource_props(manifest, unique_id)
        return spec._replace(description=check_description(test))

    def get_asset_key(self, dbt_resource_props: Props) -> dg.AssetKey:
        """Return the key of a resource."""
        return asset_key(dbt_resource_props)

    def get_group_name(self, dbt_resource_props: Props) -> str:
        """Return the group of a resource."""
        return group_name(dbt_resource_props)

    def get_owners(self, dbt_resource_props: Props) -> Sequence[str]:
        """Return the owners of a resource."""
        return owners(dbt_resource_props)

    def get_description(self, dbt_resource_props: Props) -> str | None:  # type: ignore[override]
        """Return the documentation of a resource."""
        return description(dbt_resource_props)

    def get_metadata(self, dbt_resource_props: Props) -> Mapping[str, Any]:
        """Return the columns and the grain of a resource."""
        metadata = super().get_metadata(dbt_resource_props)
        rows = grain(dbt_resource_props)
        return {**metadata, "grain": rows} if rows else metadata
