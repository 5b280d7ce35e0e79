import dataclasses

import dagster as dg
import pytest

from orchestration.definitions import defs
from orchestration.raw_files import (
    ABSENT,
    RawFile,
    fingerprint,
    list_files,
    observe,
    observe_sources,
    raw_files,
)
from warehouse.raw_files import RawDataError


def test_equal_content_is_the_same_version(change):
    before = fingerprint(change.path)
    change.only_the_time()
    assert fingerprint(change.path) == before


def test_other_content_is_another_version(change):
    before = fingerprint(change.path)
    change.content(rows=4)
    assert fingerprint(change.path) != before


def test_a_change_of_one_byte_is_another_version(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"a" * 1000)
    before = fingerprint(path)
    path.write_bytes(b"a" * 500 + b"b" + b"a" * 499)
    assert fingerprint(path) != before


def test_an_observation_says_what_the_file_holds(shop):
    sales, places = map(observe, list_files([shop]))
    path = shop.directory / "sales.parquet"
    assert sales.asset_key == dg.AssetKey(["raw_shop", "sales"])
    assert sales.data_version == dg.DataVersion(fingerprint(path))
    assert sales.metadata["dagster/row_count"] == 3
    assert sales.metadata["bytes"] == path.stat().st_size
    assert places.data_version == dg.DataVersion(ABSENT)
    assert places.metadata["dagster/row_count"] == 0


def test_a_folder_may_have_the_name_of_a_pattern(change, tmp_path):
    folder = tmp_path / "week[1]*"
    change.path.parent.rename(folder)
    file = RawFile(dg.AssetKey("sales"), folder / "sales.parquet")
    assert observe(file).metadata["dagster/row_count"] == 3


def test_only_what_is_selected_is_observed(shop):
    (result,) = observe_sources([shop], {dg.AssetKey(["raw_shop", "places"])})
    assert result.asset_key == dg.AssetKey(["raw_shop", "places"])


def test_a_file_that_cannot_be_used_is_named(shop, change):
    change.cut_off()
    with pytest.raises(RawDataError, match=r"sales\.parquet"):
        list(observe_sources([shop], {dg.AssetKey(["raw_shop", "sales"])}))


def test_a_source_without_a_folder_is_named(shop):
    nowhere = dataclasses.replace(shop, directory=None)
    with pytest.raises(RawDataError, match="shop"):
        list(observe_sources([nowhere], {dg.AssetKey(["raw_shop", "sales"])}))


def test_the_raw_files_of_the_demo_are_observed(monkeypatch):
    monkeypatch.delenv("COMPLETEJOURNEY_DIR", raising=False)
    key = dg.AssetKey(["raw_completejourney", "products"])
    with dg.DagsterInstance.ephemeral() as instance:
        result = defs.resolve_job_def("build_warehouse").execute_in_process(
            instance=instance, asset_selection=[key]
        )
        (observation,) = result.get_asset_observation_events()
    observed = observation.asset_observation_data.asset_observation
    assert observed.asset_key == key
    assert key in raw_files.keys
    assert observed.metadata["dagster/row_count"].value == 92_331
