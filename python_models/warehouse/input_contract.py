"""The contract of the input layer, as the YAML of its models declares it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml

from warehouse.paths import REPO_ROOT

_PREFIX: Final = "input_layer__"
_FILLED_BY_THE_WAREHOUSE: Final = {"unreadable_text", "source_system"}


def read_input_contract(root: Path = REPO_ROOT) -> dict[str, dict[str, str]]:
    """Return the type of every column of every input table, in the order of their declaration.

    Args:
        root: The dbt project.

    Returns:
        By input table the type by column, without those that the warehouse fills itself.
    """
    path = root / "models" / "input_layer" / "_input_layer__models.yml"
    models = yaml.safe_load(path.read_text(encoding="utf-8"))["models"]
    return {str(model["name"]).removeprefix(_PREFIX): _types(model["columns"]) for model in models}


def _types(columns: list[Mapping[str, str]]) -> dict[str, str]:
    return {
        column["name"]: column["data_type"]
        for column in columns
        if column["name"] not in _FILLED_BY_THE_WAREHOUSE
    }
