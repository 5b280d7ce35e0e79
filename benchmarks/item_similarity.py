"""Item neighbors on the demo data: `item_similarities` against scikit-learn's brute force.

    python -m benchmarks.item_similarity [--rounds 3] [--threads 2]

Each contender reads the same purchases, finds the 50 most similar items (cosine of who bought
them) of every item with at least 5 customers, and saves them. The results must agree before any
time is reported. Two tables follow: whole processes, and the computing alone (without imports,
reading and saving). scikit-learn is given all cores as well: its sparse product uses one.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import duckdb
import numpy as np
import pandas as pd

from benchmarks.demo import demo_directory
from benchmarks.measure import compare, format_table

K = 50
MIN_SUPPORT = 5


def read_purchases(path: Path) -> pd.DataFrame:
    """Read who bought what, once per customer and item, items with enough customers only."""
    query = """
        select
            cast(household_id as varchar) as customer_id,
            cast(product_id as varchar) as item_id,
            1.0 as weight
        from read_parquet($path)
        group by household_id, product_id
        qualify count(*) over (partition by product_id) >= $min_support
        order by customer_id, item_id
    """
    return duckdb.execute(query, {"path": str(path), "min_support": MIN_SUPPORT}).df()


def with_personalization(purchases: pd.DataFrame, n_threads: int) -> pd.DataFrame:
    """Neighbors by `item_similarities`."""
    from personalization.similarity import item_similarities

    return item_similarities(purchases, k=K, min_support=MIN_SUPPORT, n_threads=n_threads)[
        ["item_id", "neighbor_item_id", "score"]
    ]


def with_scikit_learn(purchases: pd.DataFrame, n_threads: int) -> pd.DataFrame:
    """Neighbors by `sklearn.neighbors.NearestNeighbors`, the item itself removed."""
    from scipy.sparse import csr_matrix
    from sklearn.neighbors import NearestNeighbors

    items, item_ids = pd.factorize(purchases["item_id"], sort=True)
    customers, _ = pd.factorize(purchases["customer_id"], sort=True)
    bought_by = csr_matrix((purchases["weight"].to_numpy(), (items, customers)))
    model = NearestNeighbors(metric="cosine", algorithm="brute", n_jobs=n_threads).fit(bought_by)
    distances, neighbors = model.kneighbors(bought_by, n_neighbors=K + 1)
    own = np.arange(len(item_ids))[:, np.newaxis]
    # Items with the same customers are as near as the item itself, which may then be missing.
    drop = np.argmax(neighbors == own, axis=1)
    drop[~(neighbors == own).any(axis=1)] = K
    keep = np.ones(neighbors.shape, dtype=bool)
    keep[own[:, 0], drop] = False
    return pd.DataFrame(
        {
            "item_id": item_ids.take(np.repeat(own[:, 0], K)),
            "neighbor_item_id": item_ids.take(neighbors[keep]),
            "score": 1 - distances[keep],
        }
    )


CONTENDERS: dict[str, Callable[[pd.DataFrame, int], pd.DataFrame]] = {
    "personalization": with_personalization,
    "scikit-learn": with_scikit_learn,
}


def contend(name: str, output: Path, n_threads: int) -> None:
    """Run one contender: save its neighbors, and add its computing time to a log."""
    purchases = read_purchases(demo_directory() / "transactions.parquet")
    started = time.perf_counter()
    neighbors = CONTENDERS[name](purchases, n_threads)
    seconds = time.perf_counter() - started
    neighbors.to_pickle(output / f"{name}.pickle")
    with (output / f"{name}.seconds").open("a") as log:
        log.write(f"{seconds}\n")


def check_agreement(ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Assert equal scores at every rank, and equal neighbors above the last score of each item.

    Which of several equally similar items comes last is free, so it is not compared.
    """
    tolerance = 1e-6
    # Ours lists no item without a common customer; scikit-learn fills up with them.
    theirs = theirs[theirs["score"] > tolerance]
    tables = []
    for table in (ours, theirs):
        ordered = table.sort_values(["item_id", "score"], ascending=[True, False], kind="stable")
        tables.append(ordered.reset_index(drop=True))
    left, right = tables
    assert left["item_id"].equals(right["item_id"]), "different numbers of neighbors"
    assert np.allclose(left["score"], right["score"], rtol=0, atol=tolerance), "different scores"

    pairs = [pd.MultiIndex.from_frame(table[["item_id", "neighbor_item_id"]]) for table in tables]
    last = left.groupby("item_id")["score"].transform("min")
    is_free = left["score"] <= last + 2 * tolerance
    assert pairs[0][~is_free].isin(pairs[1]).all(), "a neighbor of ours is missing in theirs"
    assert pairs[1][~is_free].isin(pairs[0]).all(), "a neighbor of theirs is missing in ours"
    print(f"{len(left):,} neighbors agree, {is_free.mean():.1%} of them tied with the last one")


def main() -> None:
    """Measure, check, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--contender", choices=CONTENDERS, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.contender:
        contend(arguments.contender, arguments.output, arguments.threads)
        return
    with tempfile.TemporaryDirectory() as directory:
        options = ["--output", directory, "--threads", str(arguments.threads)]
        usages = compare(
            {
                name: [
                    sys.executable,
                    "-m",
                    "benchmarks.item_similarity",
                    "--contender",
                    name,
                    *options,
                ]
                for name in CONTENDERS
            },
            rounds=arguments.rounds,
        )
        output = Path(directory)
        check_agreement(*(pd.read_pickle(output / f"{name}.pickle") for name in CONTENDERS))
        seconds = {
            name: median(map(float, (output / f"{name}.seconds").read_text().split()))
            for name in CONTENDERS
        }
    print(f"\nWhole process, {arguments.threads} threads, median of {arguments.rounds} rounds")
    print(format_table(usages))
    print("\nComputing alone, wall seconds")
    for name, value in seconds.items():
        print(f"{name:<15}  {value:8.2f}  x {seconds['scikit-learn'] / value:.2f}")


if __name__ == "__main__":
    main()
