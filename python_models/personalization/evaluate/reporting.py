"""From lists to metrics, tables of text and a file of the lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd

from personalization.evaluate.preparing import Problem
from personalization.evaluate.reading import InputError, in_one_line
from personalization.evaluate.running import Cost, Outcome
from personalization.generators.base import Picks, Scope
from personalization.metrics import (
    CUSTOMER_METRICS,
    LIST_METRICS,
    Interval,
    Ranking,
    bootstrap_interval,
    customer_metrics,
    list_metrics,
)


@dataclass(frozen=True, eq=False)
class Verdict:
    """How good the lists of a contender are in one scope.

    Attributes:
        name: Of the contender.
        metrics: Means over users and metrics of all lists, as in `recall@10` and `coverage@10`.
        n_users: Users with relevant items, over whom the means are.
        ndcg: NDCG at the largest k with its interval; of shape (1,).
        cost: What the lists took.
    """

    name: str
    metrics: Mapping[str, float]
    n_users: int
    ndcg: Interval
    cost: Cost


def judge(
    problem: Problem, name: str, outcome: Outcome, scope: Scope, ks: Sequence[int]
) -> Verdict:
    """Judge lists by the test data; those of new items by the pairs that are new to the user."""
    ranking = Ranking(*outcome.lists[scope][:3])
    by_user = customer_metrics(ranking, problem.relevant_in(scope), ks=ks)
    means = {str(metric): float(mean) for metric, mean in by_user.mean().items()}
    metrics = means | list_metrics(ranking, problem.inputs.bought, ks=ks)
    ndcg = bootstrap_interval(by_user[[f"ndcg@{max(ks)}"]].to_numpy())
    return Verdict(name, metrics, len(by_user), ndcg, outcome.cost)


def scope_tables(scope: Scope, verdicts: Sequence[Verdict], ks: Sequence[int]) -> str:
    """Lay out the contenders of one scope, best NDCG first: accuracy and cost, then the rest."""
    k = max(ks)
    items = "items new to the user" if scope == "new" else "all items"
    title = f"Top {k} of {items}, mean over {verdicts[0].n_users:,} users"
    accuracy = [f"{name}@{cutoff}" for name in ("recall", "ndcg") for cutoff in ks]
    others = [
        f"{name}@{k}" for name in CUSTOMER_METRICS + LIST_METRICS if name not in ("recall", "ndcg")
    ]
    costs = ("fit CPU s", "lists CPU s", "peak MiB")
    first = [["contender", *map(_label, accuracy), f"95 % of NDCG@{k}", *costs]]
    second = [["contender", *map(_label, others)]]
    for verdict in sorted(verdicts, key=lambda verdict: -verdict.metrics[f"ndcg@{k}"]):
        first.append(
            [
                verdict.name,
                *(_number(verdict.metrics[metric]) for metric in accuracy),
                f"{_number(verdict.ndcg.lower[0])} - {_number(verdict.ndcg.upper[0])}",
                f"{verdict.cost.fit_seconds:.2f}",
                f"{verdict.cost.list_seconds[scope]:.2f}",
                f"{verdict.cost.peak_mib:.0f}",
            ]
        )
        second.append([verdict.name, *(_number(verdict.metrics[metric]) for metric in others)])
    return "\n\n".join([title, format_table(first), format_table(second)])


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Align rows of text below their header: the first column left, the others right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]).rstrip()
        for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def write_lists(path: Path, problem: Problem, lists: Mapping[str, Mapping[Scope, Picks]]) -> int:
    """Write lists by contender and scope: generator, scope, user, item, rank, score.

    Sorted by generator, scope, user and rank; the same lists give the same bytes. The scope is
    "all" for a list that may hold any item, "new" for one of items new to the user. The score is
    the share of the user's best one.

    Returns:
        The number of rows.

    Raises:
        InputError: The file cannot be written.
    """
    users = pd.array(problem.inputs.interactions.customer_ids, dtype="str")
    items = pd.array(problem.inputs.interactions.item_ids, dtype="str")
    frames = [
        pd.DataFrame(
            {
                "generator": name,
                "scope": scope,
                "user": users.take(picks.customer),
                "item": items.take(picks.item),
                "rank": picks.rank.astype(np.int32),
                "score": picks.score,
            }
        )
        for name, by_scope in sorted(lists.items())
        for scope, picks in sorted(by_scope.items())
    ]
    table = pd.concat(frames, ignore_index=True)
    # On one thread, rows are written in their order and in groups of the same size.
    with duckdb.connect(config={"threads": 1}) as connection:
        try:
            connection.from_df(table).write_parquet(str(path), compression="zstd")
        except duckdb.Error as error:
            raise InputError(f"{path}: cannot be written: {in_one_line(error)}") from error
    return len(table)


def _label(metric: str) -> str:
    """The name of a metric as a heading."""
    name, _, k = metric.partition("@")
    heading = name.upper() if name in ("ndcg", "map", "mrr") else name.capitalize()
    return f"{heading.replace('_', ' ')}@{k}"


def _number(value: float) -> str:
    """Four digits, or a dash for what cannot be computed."""
    return "-" if np.isnan(value) else f"{value:.4f}"
