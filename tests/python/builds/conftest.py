from pathlib import Path

import pytest
from shop import Build, build, write_files


@pytest.fixture(scope="session")
def small_shop(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Build:
    """The small shop, built from all its rows."""
    directory = tmp_path_factory.mktemp("small_shop")
    write_files(demo_dir, directory / "raw")
    return build(directory)
