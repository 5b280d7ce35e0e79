"""The same data and code give the same warehouse."""

import pytest
from shop import Build, build

from warehouse.checksum import checksum_warehouse, differences

pytestmark = pytest.mark.builds


@pytest.fixture(scope="module")
def rebuilt_on_one_thread(small_shop: Build, tmp_path_factory: pytest.TempPathFactory) -> Build:
    directory = tmp_path_factory.mktemp("rebuilt")
    (directory / "raw").symlink_to(small_shop.raw)
    return build(directory, threads=1)


def test_thread_count_changes_nothing(small_shop: Build, rebuilt_on_one_thread: Build) -> None:
    with small_shop.read() as left, rebuilt_on_one_thread.read() as right:
        assert differences(checksum_warehouse(left), checksum_warehouse(right)) == []


def test_building_again_changes_nothing(small_shop: Build, rebuilt_on_one_thread: Build) -> None:
    build(rebuilt_on_one_thread.directory, threads=4)
    with small_shop.read() as left, rebuilt_on_one_thread.read() as right:
        assert differences(checksum_warehouse(left), checksum_warehouse(right)) == []
