"""What recommendations cost, and how the cost grows with the number of customers.

    python -m benchmarks.recommendation_cost

Takes a quarter, half and all of the customers of a built warehouse, each in a process of its own
on one thread: all generators at the newest cutoff, then the ranker with its training windows. The
parts are told by CPU time.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

from duckdb import DuckDBPyRelation
from threadpoolctl import threadpool_limits

from personalization.candidates import generate_candidates
from personalization.evaluate.running import peak_mib
from personalization.ranking import Ranker
from personalization.ranking_in_time import Window
from warehouse.paths import REPO_ROOT, connect_read_only, default_warehouse_path
from warehouse.shop import Shop

# By the first digit of a hash of the customer: the same customers every time.
SHARES = {25: "4", 50: "8", 100: "g"}
N_WINDOWS = 3


def of_some_customers(shop: Shop, share: int) -> Shop:
    """The shop as if it had only a share, in percent, of its customers."""
    values = {field.name: getattr(shop, field.name) for field in fields(shop)}
    kept: dict[str, Any] = {
        name: value.filter(f"md5(customer_id) < '{SHARES[share]}'")
        for name, value in values.items()
        if isinstance(value, DuckDBPyRelation) and "customer_id" in value.columns
    }
    return replace(shop, **kept)


@contextmanager
def timed(costs: dict[str, float], name: str) -> Iterator[None]:
    """Add the CPU time of a block of code to a part."""
    started = time.process_time()
    yield
    costs[name] = round(costs.get(name, 0) + time.process_time() - started, 2)


def measure(share: int) -> dict[str, float]:
    """Run the parts for a share of the customers."""
    costs: dict[str, float] = {"% of customers": share}
    with (
        connect_read_only(REPO_ROOT / default_warehouse_path()) as connection,
        threadpool_limits(limits=1),
    ):
        shop = of_some_customers(Shop.read(connection), share)
        with timed(costs, "read"):
            inputs = shop.inputs(0, with_baskets=True)
        costs["customers"], costs["items"] = inputs.bought.shape
        costs["pairs"] = inputs.bought.nnz
        with timed(costs, "generators"):
            generate_candidates(inputs, shop.generators(0), k=20)
        windows = []
        for step in range(N_WINDOWS, -1, -1):
            known = shop.inputs(step)
            with timed(costs, f"{N_WINDOWS + 1} windows"):
                window = Window.open(known, shop.is_offered(known, step))
            if step:
                windows.append((window.candidates, window.label(shop.bought_next(step))))
        costs["candidates"] = len(window.candidates.customer)
        with timed(costs, "ranker fit"):
            ranker = Ranker.fit(windows)
        with timed(costs, "ranker scores"):
            ranker.score(window.candidates)
    return costs | {"peak MiB": round(peak_mib())}


def main() -> None:
    """Measure every share in a new process and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--share", type=int, choices=SHARES, help=argparse.SUPPRESS)
    share = parser.parse_args().share
    if share:
        print(json.dumps(measure(share)))
        return
    command = [sys.executable, "-m", "benchmarks.recommendation_cost", "--share"]
    results = [
        json.loads(subprocess.run([*command, str(share)], stdout=-1, check=True).stdout)
        for share in SHARES
    ]
    for name in results[0]:
        print(f"{name:<16}" + "".join(f"{result[name]:>12,.6g}" for result in results))


if __name__ == "__main__":
    main()
