import shutil
import subprocess
import sys

import duckdb
import pytest

from orchestration.project import published_warehouse_path, warehouse_path
from orchestration.published import publish
from warehouse.paths import REPO_ROOT

HOLD = """
import duckdb, sys
connection = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""

CRASH = """
import duckdb, os, sys
connection = duckdb.connect(sys.argv[1])
connection.execute("insert into numbers values (2)")
os._exit(1)
"""


@pytest.fixture
def warehouse(tmp_path):
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute("create table numbers as select 1 as n")
        connection.execute("create view warehouse.main.doubles as select 2 * n as n from numbers")
    return path


@pytest.fixture
def published(tmp_path):
    return tmp_path / "published" / "warehouse.duckdb"


@pytest.fixture
def writer(warehouse):
    """Another process that has the warehouse open for writing."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.stdin.close()


def add_number(path):
    with duckdb.connect(path) as connection:
        connection.execute("insert into numbers select max(n) + 1 from numbers")


def numbers(path):
    with duckdb.connect(path, read_only=True) as connection:
        return [n for (n,) in connection.execute("select n from numbers order by n").fetchall()]


def test_the_snapshot_is_described(warehouse, published):
    snapshot = publish(warehouse, published)
    assert (snapshot.tables, snapshot.views) == (1, 1)
    assert snapshot.size == published.stat().st_size
    assert [path.name for path in published.parent.iterdir()] == [published.name]


def test_views_work_in_the_snapshot(warehouse, published):
    publish(warehouse, published)
    with duckdb.connect(published, read_only=True) as connection:
        assert connection.execute("select n from doubles").fetchall() == [(2,)]


def test_the_snapshot_cannot_be_written_by_accident(warehouse, published):
    publish(warehouse, published)
    assert published.stat().st_mode & 0o222 == 0


def test_readers_do_not_notice_a_writer(warehouse, published, request):
    publish(warehouse, published)
    request.getfixturevalue("writer")
    assert numbers(published) == [1]


def test_nothing_is_published_while_a_build_writes(warehouse, published, request):
    publish(warehouse, published)
    request.getfixturevalue("writer")
    with pytest.raises(duckdb.IOException):
        publish(warehouse, published)
    assert numbers(published) == [1]
    assert [path.name for path in published.parent.iterdir()] == [published.name]


def test_no_build_starts_while_the_bytes_are_copied(warehouse, published, monkeypatch):
    copy = shutil.copyfile

    def copy_while_a_build_tries(source, target):
        attempt = subprocess.run(
            [sys.executable, "-c", "import duckdb, sys; duckdb.connect(sys.argv[1])", warehouse],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Could not set lock" in attempt.stderr
        return copy(source, target)

    monkeypatch.setattr("orchestration.published.shutil.copyfile", copy_while_a_build_tries)
    publish(warehouse, published)
    assert numbers(published) == [1]


def test_a_reader_keeps_the_snapshot_that_it_has_open(warehouse, published):
    publish(warehouse, published)
    with published.open("rb") as reader:
        before = published.read_bytes()
        add_number(warehouse)
        publish(warehouse, published)
        assert reader.read() == before
    assert numbers(published) == [1, 2]


def test_a_copy_that_fails_leaves_the_last_one(warehouse, published, monkeypatch):
    publish(warehouse, published)
    add_number(warehouse)

    def copy_half(source, target):
        target.write_bytes(source.read_bytes()[:5000])

    monkeypatch.setattr("orchestration.published.shutil.copyfile", copy_half)
    with pytest.raises(duckdb.Error):
        publish(warehouse, published)
    assert numbers(published) == [1]
    assert [path.name for path in published.parent.iterdir()] == [published.name]


def test_what_a_killed_build_committed_is_published(warehouse, published):
    subprocess.run([sys.executable, "-c", CRASH, str(warehouse)], check=False)
    assert warehouse.with_name("warehouse.duckdb.wal").exists()
    publish(warehouse, published)
    assert numbers(published) == [1, 2]


def test_a_missing_warehouse_is_named(tmp_path, published):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        publish(tmp_path / "nowhere.duckdb", published)


def test_the_warehouse_is_not_its_own_snapshot(warehouse):
    with pytest.raises(ValueError, match="its own snapshot"):
        publish(warehouse, warehouse)


def test_the_snapshot_has_the_name_of_the_warehouse(monkeypatch):
    monkeypatch.delenv("PUBLISHED_WAREHOUSE_PATH", raising=False)
    monkeypatch.setenv("WAREHOUSE_PATH", "data/shop.duckdb")
    assert warehouse_path() == REPO_ROOT / "data" / "shop.duckdb"
    assert published_warehouse_path() == REPO_ROOT / "data" / "published" / "shop.duckdb"


def test_the_snapshot_may_be_anywhere(monkeypatch, tmp_path):
    monkeypatch.setenv("PUBLISHED_WAREHOUSE_PATH", str(tmp_path / "x.duckdb"))
    assert published_warehouse_path() == tmp_path / "x.duckdb"
