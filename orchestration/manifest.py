"""dbt's manifest: when it must be made again, and which asset each of its tests is a check of."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

_INPUTS: Final = (
    "dbt_project.yml",
    "profiles.yml",
    "macros",
    "models",
    "python_models/models",
    "tests/data",
)


def is_outdated(path: Path, root: Path) -> bool:
    """Tell whether a manifest is missing or older than a file that it is made from.

    Args:
        path: The manifest.
        root: The dbt project.
    """
    if not path.exists():
        return True
    made_at = path.stat().st_mtime_ns
    return any(entry.stat().st_mtime_ns > made_at for entry in _inputs(root))


def read_manifest(path: Path) -> dict[str, Any]:
    """Return a manifest in which every test that can be is attached to an asset.

    Args:
        path: The manifest.
    """
    manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for unique_id, node in find_tested_nodes(manifest).items():
        test = manifest["nodes"][unique_id]
        meta = test["config"].setdefault("meta", {})
        meta.setdefault("dagster", {}).setdefault("ref", {"name": node["name"]})
    return manifest


def find_tested_nodes(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Find what is tested by each test that reads several tables and names none of them.

    dbt does not say whether a test that joins a mart with its inputs is one of the mart or of the
    inputs, and dagster-dbt leaves such a test out. It is taken for a test of what is built last
    among the tables that it reads, since only then can it run.

    Args:
        manifest: dbt's manifest.

    Returns:
        The model, seed or snapshot, by the id of the test. A test of sources alone has none.
    """
    nodes = manifest["nodes"]

    @cache
    def depth(unique_id: str) -> int:
        parents = manifest["parent_map"].get(unique_id, [])
        return 1 + max(map(depth, parents), default=0)

    found = {}
    for unique_id, test in nodes.items():
        if test["resource_type"] != "test" or test.get("attached_node"):
            continue
        read = set(test["depends_on"]["nodes"])
        candidates = [parent for parent in read if parent in nodes]
        if len(read) > 1 and candidates:
            found[unique_id] = nodes[max(candidates, key=lambda parent: (depth(parent), parent))]
    return found


def _inputs(root: Path) -> Iterator[Path]:
    for name in _INPUTS:
        path = root / name
        # The folders count too: one gets newer when a file in it is deleted.
        for entry in (path, *path.rglob("*")):
            if entry.exists() and "__pycache__" not in entry.parts:
                yield entry
