"""A simulated shop for tests, and how to look at it."""

from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import duckdb

from simulation.blocks import Written

Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Simulated:
    """What a simulation has written."""

    folder: Path
    written: Written

    def query(self, sql: str) -> Rows:
        """Run a query; landing, shop and truth are the folders, `rows` the readable rows."""
        with duckdb.connect() as connection:
            connection.execute(f"set file_search_path = '{self.folder}'")
            connection.execute(
                "create view lines as select line, arrival_date, filename from read_csv("
                f"'{self.folder}/landing/*/*.jsonl', columns = {{line: 'varchar'}}, quote = '', "
                "escape = '', delim = e'\\x1f', header = false, hive_partitioning = true, "
                "filename = true)"
            )
            connection.execute(
                "create view rows as select *, "
                + ", ".join(
                    f"line ->> '$.{name}' as {name}"
                    for name in ("event_id", "event_type", "customer_id", "anonymous_id", "email")
                )
                + ", try_cast(line ->> '$.occurred_at' as timestamp) as occurred_at, "
                "try_cast(line ->> '$.received_at' as timestamp) as received_at "
                "from lines where json_valid(line)"
            )
            return connection.sql(sql).fetchall()


def assert_rate(successes: int, trials: int, probability: float) -> None:
    """Fail if so many successes are 4.5 standard errors from what the probability says."""
    error = sqrt(probability * (1 - probability) / trials)
    assert abs(successes / trials - probability) <= 4.5 * error, (successes, trials, probability)
