"""Ranked candidates at several cutoffs, each by a ranker that knows only what lay before."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

from personalization.explaining import explain
from personalization.generators.base import GeneratorInputs, Scorer
from personalization.generators.item_based import ItemScorer, rp3_beta_neighbors
from personalization.generators.registry import FOR_REPEAT_PURCHASES, SOURCES_PER_ITEM
from personalization.interactions import BoolArray, FloatArray, IntArray, rank_within
from personalization.ranking import Candidates, Ranker, find_candidates

# What the ranker listens to besides `rp3_beta`, whose weights explain its choice too.
_LISTENS_TO: Final = ("tifu_knn", "buy_again_in_time", "ease", "user_knn", "popular")

FALLBACK: Final = "tifu_knn"
"""The generator that ranks alone where there is too little to learn from."""


class States(Protocol):
    """A shop at several cutoffs, each given by its number of intervals before the newest."""

    def inputs(self, step: int) -> GeneratorInputs:
        """What may be known at the cutoff."""

    def is_offered(self, inputs: GeneratorInputs, step: int) -> BoolArray:
        """Which items may be recommended, shape (n_items,)."""

    def bought_next(self, step: int) -> pd.DataFrame:
        """Who bought what in the interval after: `customer_id`, `item_id`."""


@dataclass(frozen=True, eq=False)
class Window:
    """A cutoff with its candidates.

    Attributes:
        inputs: What was known.
        candidates: What could be recommended.
        neighbors: Weights of items (rows) for items (columns) that explain new candidates.
    """

    inputs: GeneratorInputs
    candidates: Candidates
    neighbors: csc_array

    @classmethod
    def open(cls, inputs: GeneratorInputs, is_offered: BoolArray) -> "Window":
        """Run the generators that the ranker listens to, and describe what they propose."""
        neighbors = rp3_beta_neighbors(inputs.bought, neighbors=SOURCES_PER_ITEM)
        scorers: dict[str, Scorer] = {
            name: FOR_REPEAT_PURCHASES[name](inputs) for name in _LISTENS_TO
        }
        scorers["rp3_beta"] = ItemScorer(inputs.bought, neighbors)
        candidates = find_candidates(inputs, scorers, is_offered=is_offered, evidence="rp3_beta")
        return cls(inputs, candidates, neighbors)

    def label(self, purchases: pd.DataFrame) -> BoolArray:
        """Whether the customer bought each candidate in the interval after."""
        customer, item = self.inputs.interactions.positions(purchases)
        is_known = (customer >= 0) & (item >= 0)
        n_items = self.inputs.bought.shape[1]
        found: BoolArray = np.isin(
            self.candidates.customer * n_items + self.candidates.item,
            (customer * n_items + item)[is_known],
        )
        return found


def rank_in_time(
    states: States,
    *,
    steps: Sequence[int],
    n_backtests: int,
    n_windows: int,
    min_positives: int,
    k: int,
    k_backtest: int = 20,
) -> pd.DataFrame:
    """Rank the candidates of the newest cutoff, and of earlier ones as they would have been.

    The ranker of a cutoff learns from up to `n_windows` cutoffs whose interval has passed by then,
    and from nothing later. Where these hold fewer than `min_positives` candidates that were bought
    next, or that were not, the generator `FALLBACK` ranks alone. It does so at the newest cutoff
    as well if no ranker was there to be judged at the one before: what is shipped is proven.

    Args:
        states: The shop at its cutoffs.
        steps: The cutoffs there are, 0 being the newest.
        n_backtests: How many earlier cutoffs to rank as well.
        n_windows: How many cutoffs a ranker learns from.
        min_positives: How many candidates it needs that were bought, and that were not.
        k: How many candidates per customer to return at the newest cutoff, of all and of new ones.
        k_backtest: The same at earlier cutoffs.

    Returns:
        One row per cutoff, customer and item, sorted so: `step`, `customer_id`, `item_id`,
        `is_bought`, `score` (of the ranker the probability to be bought next, of the fallback a
        share of the customer's best candidate), `rank` (among all candidates), `new_rank` (among
        those the customer never bought, null for others), `scored_by` ("ranker" or the fallback),
        `reason_code`, `reason_item_id`, and the features.
    """
    past: deque[tuple[Candidates, BoolArray]] = deque(maxlen=n_windows)
    tables = []
    can_be_judged = False
    for step in sorted(steps, reverse=True):
        if step > n_backtests + n_windows:
            continue
        inputs = states.inputs(step)
        window = Window.open(inputs, states.is_offered(inputs, step))
        if step <= n_backtests:
            depth = k if step == 0 else k_backtest
            is_learned = _is_enough(past, min_positives) and (step > 0 or can_be_judged)
            table = _rank(window, past if is_learned else None, k=depth)
            table.insert(0, "step", step)
            tables.append(table)
            can_be_judged = step == 1 and is_learned
        if step > 0:
            past.append((window.candidates, window.label(states.bought_next(step))))
    return pd.concat(tables[::-1], ignore_index=True)


def _is_enough(past: Sequence[tuple[Candidates, BoolArray]], min_positives: int) -> bool:
    """Whether a ranker has candidates enough to learn from, bought next and not."""
    n_positive = sum(int(label.sum()) for _, label in past)
    n_negative = sum(int((~label).sum()) for _, label in past)
    return min(n_positive, n_negative) >= max(min_positives, 1)


def _rank(
    window: Window, past: Sequence[tuple[Candidates, BoolArray]] | None, *, k: int
) -> pd.DataFrame:
    """Score the candidates of one cutoff and keep the best: of all, of new and of bought items."""
    candidates = window.candidates
    score = _shares_of_best(candidates) if past is None else Ranker.fit(past).score(candidates)
    tie_breaks = window.inputs.tie_breaks[candidates.item]
    rank = _ranks(candidates.customer, score, tie_breaks)
    rank_in_kind = np.empty_like(rank)
    for kind in (candidates.is_bought, ~candidates.is_bought):
        rank_in_kind[kind] = _ranks(candidates.customer[kind], score[kind], tie_breaks[kind])
    kept = np.flatnonzero((score > 0) & (np.minimum(rank, rank_in_kind) <= k))

    customer, item = candidates.customer[kept], candidates.item[kept]
    has_history = np.diff(window.inputs.bought.indptr)[customer] > 0
    otherwise = np.where(has_history, "similar_taste", "popular")
    reasons = explain(window.inputs, window.neighbors, customer, item, otherwise=otherwise)
    is_bought = candidates.is_bought[kept]
    ids = window.inputs.interactions
    item_ids = pd.array(ids.item_ids, dtype="str")
    table = pd.DataFrame(
        {
            "customer_id": pd.array(ids.customer_ids, dtype="str").take(customer),
            "item_id": item_ids.take(item),
            "is_bought": is_bought,
            "score": score[kept].round(6),
            "rank": rank[kept],
            "new_rank": pd.array(rank_in_kind[kept], dtype="Int64"),
            "scored_by": FALLBACK if past is None else "ranker",
            "reason_code": reasons.code,
            "reason_item_id": item_ids.take(reasons.source, allow_fill=True),
        }
    )
    table.loc[is_bought, "new_rank"] = pd.NA
    features = candidates.features.iloc[kept].reset_index(drop=True)
    return pd.concat([table, features], axis="columns")


def _shares_of_best(candidates: Candidates) -> FloatArray:
    """What the fallback says, as a share of the customer's best; shape (n_candidates,)."""
    score = pd.Series(candidates.features[FALLBACK].to_numpy(np.float64))
    best = score.groupby(candidates.customer).transform("max")
    shares: FloatArray = (score / best.where(best > 0, 1)).to_numpy()
    return shares


def _ranks(customer: IntArray, score: FloatArray, tie_breaks: IntArray) -> IntArray:
    """Rank of each candidate within its customer."""
    order, rank = rank_within(customer, score, tie_breaks)
    ranks = np.empty_like(rank)
    ranks[order] = rank
    return ranks
