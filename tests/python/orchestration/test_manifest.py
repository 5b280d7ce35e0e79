import json
import os

import pytest

from orchestration.manifest import find_tested_nodes, is_outdated, read_manifest


@pytest.fixture
def project(tmp_path):
    """A dbt project whose manifest is a minute newer than its files."""
    (tmp_path / "dbt_project.yml").touch()
    (tmp_path / "models" / "marts").mkdir(parents=True)
    (tmp_path / "models" / "marts" / "events.sql").touch()
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.utime(path, (1_000_000, 1_000_000))
    manifest = tmp_path / "target" / "manifest.json"
    manifest.parent.mkdir()
    manifest.touch()
    os.utime(manifest, (1_000_060, 1_000_060))
    return tmp_path


def test_a_manifest_that_is_newer_than_its_files_is_kept(project):
    assert not is_outdated(project / "target" / "manifest.json", project)


def test_a_missing_manifest_is_made(project):
    assert is_outdated(project / "target" / "none.json", project)


def test_a_changed_model_outdates_the_manifest(project):
    (project / "models" / "marts" / "events.sql").write_text("select 1")
    assert is_outdated(project / "target" / "manifest.json", project)


def test_a_deleted_model_outdates_the_manifest(project):
    (project / "models" / "marts" / "events.sql").unlink()
    assert is_outdated(project / "target" / "manifest.json", project)


def test_what_python_caches_does_not_outdate_the_manifest(project):
    cached = project / "macros" / "__pycache__" / "x.pyc"
    cached.parent.mkdir(parents=True)
    cached.touch()
    os.utime(project / "macros", (1_000_000, 1_000_000))
    assert not is_outdated(project / "target" / "manifest.json", project)


def node(resource_type="model", reads=(), attached_node=None, name="x"):
    return {
        "name": name,
        "resource_type": resource_type,
        "depends_on": {"nodes": list(reads)},
        "attached_node": attached_node,
        "config": {},
    }


@pytest.fixture
def manifest():
    nodes = {
        "model.p.stg": node(reads=["source.p.s.a"]),
        "model.p.orders": node(reads=["model.p.stg"], name="orders"),
        "model.p.zeta": node(reads=["source.p.s.a"], name="zeta"),
        "test.p.singular": node("test", ["model.p.zeta", "model.p.orders", "model.p.stg"]),
        "test.p.with_raw": node("test", ["source.p.s.a", "model.p.stg"]),
        "test.p.of_one": node("test", ["model.p.orders"]),
        "test.p.generic": node(
            "test", ["model.p.orders", "model.p.stg"], attached_node="model.p.stg"
        ),
        "test.p.of_sources": node("test", ["source.p.s.a", "source.p.s.b"]),
    }
    parents = {unique_id: node["depends_on"]["nodes"] for unique_id, node in nodes.items()}
    return {"nodes": nodes, "sources": {}, "parent_map": parents}


def test_a_test_of_several_tables_is_one_of_what_is_built_last(manifest):
    found = find_tested_nodes(manifest)
    assert found == {
        "test.p.singular": manifest["nodes"]["model.p.orders"],
        "test.p.with_raw": manifest["nodes"]["model.p.stg"],
    }


def test_the_manifest_is_read_with_its_tests_attached(manifest, tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    test = read_manifest(path)["nodes"]["test.p.singular"]
    assert test["config"]["meta"]["dagster"]["ref"] == {"name": "orders"}


def test_what_a_test_says_itself_goes_first(manifest, tmp_path):
    own = {"dagster": {"ref": {"name": "zeta"}}}
    manifest["nodes"]["test.p.singular"]["config"]["meta"] = own
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(manifest))
    assert read_manifest(path)["nodes"]["test.p.singular"]["config"]["meta"] == own
