"""What `dbt build` does, and does not do, when a raw file cannot be used."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from raw_shop import write_parquet

from warehouse.paths import quote_literal

pytestmark = pytest.mark.builds


@dataclass(frozen=True)
class BadInput:
    """A way to break the raw files, and the problems that the build must name."""

    break_files: Callable[[Path], None]
    problems: tuple[str, ...]


def rewrite(file: str, columns: str, condition: str = "true") -> Callable[[Path], None]:
    """Write a file anew with 1,000 of its rows and other columns."""

    def break_files(directory: Path) -> None:
        path = directory / file
        original = path.resolve()
        path.unlink()
        write_parquet(
            path, f"select {columns} from {quote_literal(original)} where {condition} limit 1000"
        )

    return break_files


def rewrite_bytes(file: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def break_files(directory: Path) -> None:
        path = directory / file
        content = path.read_bytes()
        path.unlink()
        path.write_bytes(change(content))

    return break_files


def remove(file: str) -> Callable[[Path], None]:
    return lambda directory: (directory / file).unlink()


def several_at_once(directory: Path) -> None:
    rewrite("transactions.parquet", "* exclude (quantity) replace ('1.5' as sales_value)")(
        directory
    )
    remove("products.parquet")(directory)
    rewrite_bytes("coupons.parquet", lambda content: content[:-100])(directory)


BAD_INPUTS = {
    "missing folder": BadInput(
        shutil.rmtree,
        ("there is no such folder; set COMPLETEJOURNEY_DIR to the folder of the files",),
    ),
    "missing file": BadInput(
        remove("transactions.parquet"), ("transactions.parquet: the file is missing",)
    ),
    "truncated file": BadInput(
        rewrite_bytes("transactions.parquet", lambda content: content[: len(content) // 2]),
        ("transactions.parquet: is not a readable parquet file (truncated?)",),
    ),
    "file with a hole": BadInput(
        rewrite_bytes("products.parquet", lambda content: content[:10_000] + content[60_000:]),
        ("products.parquet: is not a readable parquet file (truncated? ",),
    ),
    "truncated optional file": BadInput(
        rewrite_bytes("demographics.parquet", lambda content: content[:-1]),
        ("demographics.parquet: is not a readable parquet file (truncated?)",),
    ),
    "text file": BadInput(
        rewrite_bytes("products.parquet", lambda _: b"product_id,brand\n1,National\n"),
        ("products.parquet: is not a parquet file",),
    ),
    "missing column": BadInput(
        rewrite("transactions.parquet", "* exclude (transaction_timestamp)"),
        (
            "transactions.parquet: column transaction_timestamp is missing, "
            "expected a date or timestamp (timestamp)",
        ),
    ),
    "numbers as text": BadInput(
        rewrite("transactions.parquet", "* replace (sales_value::varchar as sales_value)"),
        ("transactions.parquet: column sales_value holds VARCHAR, expected a number (double)",),
    ),
    "dates as text": BadInput(
        rewrite("campaign_descriptions.parquet", "* replace (start_date::varchar as start_date)"),
        (
            "campaign_descriptions.parquet: column start_date holds VARCHAR, "
            "expected a date or timestamp (timestamp)",
        ),
    ),
    "no rows": BadInput(
        rewrite("transactions.parquet", "*", "false"),
        ("transactions.parquet: the file has no rows, expected at least one",),
    ),
    "several at once": BadInput(
        several_at_once,
        (
            "transactions.parquet: column quantity is missing, expected a number (bigint)",
            "transactions.parquet: column sales_value holds VARCHAR, expected a number (double)",
            "products.parquet: the file is missing",
            "coupons.parquet: is not a readable parquet file (truncated?)",
        ),
    ),
}


@dataclass(frozen=True)
class Workplace:
    """Where the builds of this file run.

    One for all of them: dbt keeps what it has parsed as long as the warehouse's path stays.
    """

    repo_root: Path
    directory: Path

    @property
    def warehouse(self) -> Path:
        return self.directory / "data" / "warehouse.duckdb"

    def build(self, raw_files: Path) -> subprocess.CompletedProcess[str]:
        target = str(self.directory / "target")
        return subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "--no-use-colors", "build"],
            cwd=self.repo_root,
            env={
                **os.environ,
                "COMPLETEJOURNEY_DIR": str(raw_files),
                "WAREHOUSE_PATH": str(self.warehouse),
                "DBT_TARGET_PATH": target,
                "DBT_LOG_PATH": target,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )


@pytest.fixture(scope="module")
def workplace(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return Workplace(repo_root, tmp_path_factory.mktemp("workplace"))


@pytest.fixture
def raw_files(demo_dir: Path, tmp_path: Path) -> Path:
    directory = tmp_path / "raw files of a shop's demo"
    directory.mkdir()
    for path in demo_dir.glob("*.parquet"):
        (directory / path.name).symlink_to(path)
    return directory


@pytest.fixture(scope="module")
def last_good_warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("last_good") / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("create table marker as select 'last good build' as state")
    return path


@pytest.mark.parametrize("kind", BAD_INPUTS)
def test_bad_input_stops_the_build_and_leaves_the_warehouse(
    kind: str, raw_files: Path, last_good_warehouse: Path, workplace: Workplace
) -> None:
    workplace.warehouse.parent.mkdir(exist_ok=True)
    shutil.copy(last_good_warehouse, workplace.warehouse)
    bad_input = BAD_INPUTS[kind]
    bad_input.break_files(raw_files)

    run = workplace.build(raw_files)

    # 1 would mean that models ran and failed.
    assert run.returncode == 2, run.stdout
    header = f"The raw files of source completejourney in {raw_files} cannot be used:"
    assert run.stdout.count(header) == 1, run.stdout
    listed = run.stdout.partition(header)[2]
    assert listed.count("  - ") == len(bad_input.problems), run.stdout
    for problem in bad_input.problems:
        assert listed.count(f"  - {problem}") == 1, run.stdout
    assert "Traceback" not in run.stdout

    assert [path.name for path in workplace.warehouse.parent.iterdir()] == ["warehouse.duckdb"]
    assert workplace.warehouse.read_bytes() == last_good_warehouse.read_bytes()
    with duckdb.connect(str(workplace.warehouse), read_only=True) as connection:
        assert connection.sql("from marker").fetchall() == [("last good build",)]


def test_bad_input_makes_no_warehouse(raw_files: Path, workplace: Workplace) -> None:
    shutil.rmtree(workplace.warehouse.parent, ignore_errors=True)
    remove("products.parquet")(raw_files)

    run = workplace.build(raw_files)

    assert run.returncode == 2, run.stdout
    assert "products.parquet: the file is missing" in run.stdout
    assert not workplace.warehouse.parent.exists()
