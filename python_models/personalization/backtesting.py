"""Back-tests: what each generator would have recommended, against what was bought next."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol, TypeAlias

import numpy as np
import pandas as pd

from personalization.generators.base import (
    Generator,
    GeneratorInputs,
    Scope,
    entries_at,
    top_items_and_new_items,
)
from personalization.generators.registry import BASELINES
from personalization.interactions import FloatArray, IntArray
from personalization.metrics import (
    Pairs,
    Ranking,
    customer_metrics,
    interval_of,
    list_metrics,
    resampled_means,
)

EVERYONE: Final = "everyone"
"""The name of the segment of all customers."""

RANKER: Final = "ranker"
"""The name of the learned ranker among the generators."""

_Lists: TypeAlias = dict[Scope, dict[str, Ranking]]

_BOUNDS: Final = ("", "_lower", "_upper")
_TYPES: Final = {
    "step": "int64",
    "generator": "str",
    "scope": "str",
    "segment": "str",
    "k": "int64",
    "metric": "str",
    **dict.fromkeys(("value", "lower", "upper"), "float64"),
    **{f"ratio_to_{name}{bound}": "float64" for name in BASELINES for bound in _BOUNDS},
    "customers": "int64",
}


class States(Protocol):
    """A shop at several cutoffs, each given by its number of intervals before the newest."""

    def inputs(self, step: int, *, with_baskets: bool) -> GeneratorInputs:
        """What may be known at the cutoff."""

    def bought_next(self, step: int) -> pd.DataFrame:
        """Who bought what in the interval after: `customer_id`, `item_id`."""


class _Case(NamedTuple):
    """A cutoff: what was known, the lists made of it, and the purchases that followed."""

    inputs: GeneratorInputs
    lists: _Lists
    relevant: dict[Scope, Pairs]


def backtest(
    states: States,
    ranked: pd.DataFrame,
    generators: Callable[[int], Mapping[str, Generator]],
    *,
    steps: Sequence[int],
    ks: Sequence[int] = (5, 10, 20),
    replicates: int = 1000,
) -> pd.DataFrame:
    """Judge all generators and the ranker at earlier cutoffs, by what was bought next.

    Customers are those known at the cutoff who bought something in scope in the interval after.
    Purchases of items that nobody could have recommended yet count as missed. Metrics are those
    of `personalization.metrics`; intervals are 95 % bootstrap intervals over customers, and for
    the ratios to the baselines every resample serves both models.

    Args:
        states: The shop at its cutoffs.
        ranked: The lists of the ranker as `rank_in_time` returns them; a cutoff at which another
            generator stood in for it has none.
        generators: The generators at a cutoff by name, the `BASELINES` among them.
        steps: The cutoffs to judge.
        ks: Lengths of list.
        replicates: Bootstrap resamples.

    Returns:
        One row per `step`, `generator` (`RANKER` for the ranker), `scope` ("all" items, or those
        "new" to the customer), `segment` (of the cutoff, and `EVERYONE`), `k` and `metric`:
        `value`, its interval from `lower` to `upper`, the ratio to each baseline with its
        interval (null where the baseline scores 0), and `customers`. Metrics of all lists
        together are there for everyone only, without intervals.
    """
    tables = [pd.DataFrame(columns=list(_TYPES)).astype(_TYPES)]
    for step in steps:
        case = _open(states, ranked[ranked["step"] == step], generators(step), step=step, k=max(ks))
        segment = case.inputs.customers["segment"].to_numpy(object)
        for scope, lists in case.lists.items():
            if len(case.relevant[scope].customer) == 0:
                continue
            of_customers = _judge_customers(lists, case.relevant[scope], segment, ks, replicates)
            of_lists = _judge_lists(lists, case.inputs, ks)
            tables += [table.assign(step=step, scope=scope) for table in (of_customers, of_lists)]
    return pd.concat(tables, ignore_index=True)[list(_TYPES)]


def _open(
    states: States,
    ranked: pd.DataFrame,
    generators: Mapping[str, Generator],
    *,
    step: int,
    k: int,
) -> _Case:
    """Make the lists of one cutoff and look up what followed."""
    inputs = states.inputs(step, with_baskets=True)
    lists: _Lists = {"all": {}, "new": {}}
    for name, generator in generators.items():
        both = top_items_and_new_items(inputs, generator(inputs), k=k)
        for scope, picks in zip(lists, both, strict=True):
            lists[scope][name] = Ranking(picks.customer, picks.item, picks.rank)
    ranked = ranked[ranked["scored_by"] == RANKER]
    customer, item = inputs.interactions.positions(ranked)
    ranks: tuple[tuple[Scope, str], ...] = (("all", "rank"), ("new", "new_rank"))
    for scope, column in ranks if len(ranked) else ():
        rank = ranked[column].to_numpy(np.float64, na_value=np.inf)
        kept = rank <= k
        lists[scope][RANKER] = Ranking(customer[kept], item[kept], rank[kept].astype(np.int64))

    purchases = states.bought_next(step)
    customer, item = inputs.interactions.positions(purchases)
    is_served = customer >= 0
    purchases, customer, item = purchases[is_served], customer[is_served], item[is_served]
    # Items beyond the catalog get positions after it, so that no list holds them.
    is_unknown = item < 0
    item[is_unknown] = inputs.bought.shape[1] + pd.factorize(purchases["item_id"][is_unknown])[0]
    is_new = is_unknown.copy()
    is_new[~is_unknown] = entries_at(inputs.bought, customer[~is_unknown], item[~is_unknown]) == 0
    return _Case(
        inputs,
        lists,
        {"all": Pairs(customer, item), "new": Pairs(customer[is_new], item[is_new])},
    )


def _judge_customers(
    lists: Mapping[str, Ranking],
    relevant: Pairs,
    segment: np.ndarray,
    ks: Sequence[int],
    replicates: int,
) -> pd.DataFrame:
    """Means over the customers of each segment, with intervals and ratios to the baselines."""
    metrics = {name: customer_metrics(ranking, relevant, ks=ks) for name, ranking in lists.items()}
    judged = metrics[BASELINES[0]]
    segment = segment[judged.index]
    values = np.stack([frame.to_numpy(np.float64) for frame in metrics.values()], axis=1)
    tables = []
    for name in (EVERYONE, *sorted(set(segment[pd.notna(segment)]))):
        rows = np.arange(len(segment)) if name == EVERYONE else np.flatnonzero(segment == name)
        means = resampled_means(values[rows].reshape(len(rows), -1), replicates, seed=0)
        means = means.reshape(-1, *values.shape[1:])
        for place, generator in enumerate(metrics):
            columns = _intervals(means, place, list(metrics))
            tables.append(
                pd.DataFrame(columns).assign(
                    generator=generator,
                    segment=name,
                    customers=len(rows),
                    **_split_names(judged.columns),
                )
            )
    return pd.concat(tables, ignore_index=True)


def _intervals(means: FloatArray, place: int, names: Sequence[str]) -> dict[str, FloatArray]:
    """Value, interval and ratios of one generator; arrays of shape (n_metrics,)."""
    columns = dict(zip(("value", "lower", "upper"), interval_of(means[:, place]), strict=True))
    for baseline in BASELINES:
        theirs = means[:, names.index(baseline)]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = interval_of(means[:, place] / theirs)
        for bound, values in zip(_BOUNDS, ratio, strict=True):
            columns[f"ratio_to_{baseline}{bound}"] = np.where(np.isfinite(values), values, np.nan)
    return columns


def _judge_lists(
    lists: Mapping[str, Ranking], inputs: GeneratorInputs, ks: Sequence[int]
) -> pd.DataFrame:
    """What the lists expose of the catalog."""
    tables = []
    for name, ranking in lists.items():
        found = pd.Series(list_metrics(ranking, inputs.bought, ks=ks))
        tables.append(
            pd.DataFrame({"value": found.to_numpy()}).assign(
                generator=name,
                segment=EVERYONE,
                customers=len(np.unique(ranking.customer)),
                **_split_names(found.index),
            )
        )
    return pd.concat(tables, ignore_index=True)


def _split_names(names: pd.Index) -> dict[str, IntArray | pd.Index]:
    """Metric and k of names such as ndcg@10."""
    parts = names.str.split("@")
    return {"metric": parts.str[0], "k": parts.str[1].astype(np.int64)}
