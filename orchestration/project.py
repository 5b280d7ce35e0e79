"""The dbt project that Dagster runs, and the files that it reads and writes."""

import os
from pathlib import Path
from typing import Final

import yaml
from dagster_dbt import DbtProject

from orchestration.manifest import is_outdated
from warehouse.paths import REPO_ROOT, default_warehouse_path

DUCKDB_WRITER: Final = "duckdb_writer"
"""The pool of everything that needs the warehouse file to itself; its limit is in dagster.yaml."""


def open_project() -> DbtProject:
    """Return the dbt project, with a manifest that matches its files.

    Dagster itself parses only under `dg dev`, and would take an outdated manifest elsewhere. Here
    the manifest is made whenever a file of the project is newer, so that `dg launch` and
    `dg check defs` see a new model too and nothing is parsed twice.
    """
    project = DbtProject(
        project_dir=REPO_ROOT,
        target_path=os.environ.get("DBT_TARGET_PATH") or "target",
        profiles_dir=os.environ.get("DBT_PROFILES_DIR") or None,
    )
    if is_outdated(project.manifest_path, REPO_ROOT):
        project.preparer.prepare(project)
    return project


def shop_timezone(root: Path = REPO_ROOT) -> str:
    """Return the shop's time zone, which the dbt project declares as a variable.

    Args:
        root: The dbt project.
    """
    declaration = yaml.safe_load((root / "dbt_project.yml").read_text(encoding="utf-8"))
    return str(declaration["vars"]["shop_timezone"])


def warehouse_path() -> Path:
    """Return the warehouse that dbt builds; dbt reads a relative path from the project's root."""
    return REPO_ROOT / default_warehouse_path()


def published_warehouse_path() -> Path:
    """Return the snapshot for readers: PUBLISHED_WAREHOUSE_PATH, else data/published/<same name>.

    The file keeps its name, and so the database keeps its name too: the views in it, which dbt
    writes with the name of the database, then work for whoever opens the snapshot.
    """
    path = os.environ.get("PUBLISHED_WAREHOUSE_PATH")
    return REPO_ROOT / (path or Path("data", "published", warehouse_path().name))
