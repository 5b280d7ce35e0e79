"""How good the shipped lists are: a build that ends earlier, judged by what was bought later.

    python -m benchmarks.recommendation_accuracy [--cutoff 2017-11-20] [--directory DIRECTORY]

Copies the demo's files with all transactions at or after the cutoff (in the shop's time zone)
left out, builds the warehouse from the copy, and judges `recommendations.customer_recommendations`
(for_you against everything bought from the cutoff on, discover against what was new to the
customer), beside the baselines popular and buy_again of `recommendation_candidates`.

Two protocols are printed. "known": customers with orders before the cutoff and products sold
before it, since no list can hold others; this is how the published figures are made. "all": every
customer and every product.
"""

import argparse
import tempfile
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from benchmarks.demo import demo_directory
from benchmarks.past_shop import build, check_cutoff, start_of, truncate
from personalization.metrics import Pairs, Ranking, customer_metrics

K = 20


def purchases_from(source: Path, cutoff: str) -> pd.DataFrame:
    """Who bought what, before the cutoff (`is_later` false) or from it on."""
    return duckdb.execute(
        f"""
        select distinct
            cast(household_id as varchar) as customer_id,
            cast(product_id as varchar) as item_id,
            transaction_timestamp >= {start_of(cutoff)} as is_later
        from read_parquet('{source / "transactions.parquet"}')
        where quantity > 0 or sales_value > 0
        """
    ).df()


def lists_in(warehouse: Path) -> dict[tuple[str, str], pd.DataFrame]:
    """The shipped lists and the baselines, by name and scope."""
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        shipped = connection.execute(
            "select surface, customer_id, product_id as item_id, rank"
            " from recommendations.customer_recommendations"
        ).df()
        candidates = connection.execute(
            "select generator, scope, customer_id, product_id as item_id, rank"
            " from recommendations.recommendation_candidates"
        ).df()
    lists = {
        ("customer_recommendations", scope): shipped[shipped["surface"] == surface]
        for surface, scope in (("for_you", "all"), ("discover", "new"))
    }
    by_generator = candidates.groupby(["generator", "scope"])
    return lists | {(str(name), str(scope)): frame for (name, scope), frame in by_generator}


def judge(
    lists: dict[tuple[str, str], pd.DataFrame], purchases: pd.DataFrame, *, known_only: bool
) -> pd.DataFrame:
    """Recall and NDCG at 20 of every list."""
    earlier = purchases[~purchases["is_later"]]
    later = purchases[purchases["is_later"]]
    pairs = pd.MultiIndex.from_frame(earlier[["customer_id", "item_id"]])
    is_new = ~pd.MultiIndex.from_frame(later[["customer_id", "item_id"]]).isin(pairs)
    if known_only:
        is_known = later["customer_id"].isin(earlier["customer_id"]) & later["item_id"].isin(
            earlier["item_id"]
        )
        later, is_new = later[is_known], is_new[is_known.to_numpy()]
    # Lists may hold what nobody bought.
    customers, items = (
        pd.Index(pd.concat([frame[column] for frame in (purchases, *lists.values())]).unique())
        for column in ("customer_id", "item_id")
    )
    rows = []
    for (name, scope), frame in lists.items():
        wanted = later[is_new] if scope == "new" else later
        ranking = Ranking(
            customers.get_indexer(pd.Index(frame["customer_id"])),
            items.get_indexer(pd.Index(frame["item_id"])),
            frame["rank"].to_numpy(np.int64),
        )
        relevant = Pairs(
            customers.get_indexer(pd.Index(wanted["customer_id"])),
            items.get_indexer(pd.Index(wanted["item_id"])),
        )
        means = customer_metrics(ranking, relevant, ks=(K,)).mean()
        rows.append((scope, name, means[f"recall@{K}"], means[f"ndcg@{K}"]))
    table = pd.DataFrame(rows, columns=["scope", "lists", f"recall@{K}", f"ndcg@{K}"])
    return table.sort_values(["scope", f"ndcg@{K}"], ascending=[True, False], ignore_index=True)


def main() -> None:
    """Build, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--cutoff",
        type=lambda text: str(date.fromisoformat(text)),
        default="2017-11-20",
        help="the day the build ends before",
    )
    parser.add_argument(
        "--directory",
        type=Path,
        help="where to build, or what to judge if it is built; kept (default: a temporary one)",
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        directory = arguments.directory or Path(temporary)
        source = demo_directory()
        warehouse = directory.resolve() / "warehouse.duckdb"
        if warehouse.exists():
            check_cutoff(warehouse, "recommendations.customer_recommendations", arguments.cutoff)
        else:
            truncate(source, directory.resolve() / "files", arguments.cutoff)
            build(
                directory.resolve() / "files",
                warehouse,
                "customer_recommendations",
                "recommendation_candidates",
            )
        purchases = purchases_from(source, arguments.cutoff)
        lists = lists_in(warehouse)
        for protocol in ("known", "all"):
            table = judge(lists, purchases, known_only=protocol == "known")
            print(f"\nProtocol: {protocol}\n")
            print(table.to_string(index=False, float_format="{:.4f}".format))


if __name__ == "__main__":
    main()
