import dagster as dg
import duckdb
import pytest

from orchestration.sensors import CHANGED_FILES_TAG, raw_files_changed


@pytest.fixture
def tick(shop, monkeypatch):
    """Evaluate the sensor over the shop, from the cursor that the last tick has left."""
    monkeypatch.setattr("orchestration.sensors.read_sources", lambda: [shop])
    cursor = None

    def evaluate():
        nonlocal cursor
        with dg.build_sensor_context(cursor=cursor) as context:
            result = raw_files_changed(context)
        if isinstance(result, dg.SensorResult):
            cursor = result.cursor
        return result

    return evaluate


def changed(result):
    (request,) = result.run_requests
    return request.tags[CHANGED_FILES_TAG]


def test_the_first_tick_builds_what_is_there(tick):
    assert changed(tick()) == "raw_shop/places, raw_shop/sales"


def test_nothing_happens_while_nothing_changes(tick):
    tick()
    result = tick()
    assert not result.run_requests
    assert result.skip_reason.skip_message == "None of 2 raw files has changed"


def test_a_changed_file_is_named(tick, change):
    tick()
    change.content(rows=4)
    assert changed(tick()) == "raw_shop/sales"
    assert not tick().run_requests


def test_a_file_copied_again_is_no_change(tick, change):
    tick()
    change.only_the_time()
    assert not tick().run_requests


def test_a_new_file_and_a_lost_one_are_changes(tick, shop):
    tick()
    places = shop.directory / "places.parquet"
    with duckdb.connect() as connection:
        connection.sql("select 'here' as name").write_parquet(str(places))
    assert changed(tick()) == "raw_shop/places"
    places.unlink()
    assert changed(tick()) == "raw_shop/places"


def test_a_file_that_is_still_being_copied_is_waited_for(tick, change):
    tick()
    change.content(rows=5)
    whole = change.path.read_bytes()
    change.cut_off()
    result = tick()
    assert isinstance(result, dg.SkipReason)
    assert "sales.parquet" in result.skip_message
    change.path.write_bytes(whole)
    assert changed(tick()) == "raw_shop/sales"


def test_a_content_that_comes_back_is_built_again(tick, change):
    keys = []
    for rows in (3, 4, 3):
        change.content(rows)
        keys += [request.run_key for request in tick().run_requests]
    assert len(set(keys)) == 3


def test_a_tick_that_is_evaluated_twice_asks_for_one_run(shop, monkeypatch):
    monkeypatch.setattr("orchestration.sensors.read_sources", lambda: [shop])
    keys = set()
    for _ in range(2):
        with dg.build_sensor_context(cursor=None) as context:
            keys.add(raw_files_changed(context).run_requests[0].run_key)
    assert len(keys) == 1
