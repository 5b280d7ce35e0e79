import dagster as dg

from orchestration.definitions import defs
from orchestration.raw_files import ABSENT, fingerprint, list_files, observe, raw_files


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


def test_a_folder_may_have_the_name_of_a_pattern(shop, tmp_path):
    folder = tmp_path / "week[1]*"
    shop.directory.rename(folder)
    (sales,) = (file for file in list_files([shop]) if file.path.name == "sales.parquet")
    moved = type(sales)(sales.key, sales.source, folder / "sales.parquet")
    assert observe(moved).metadata["dagster/row_count"] == 3


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
