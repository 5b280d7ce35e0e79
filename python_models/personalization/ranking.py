"""The learned ranker: what it looks at, how it learns, and how it scores.

A candidate is a customer and an item at a cutoff. Its features are known before the cutoff, its
label is whether the customer bought the item in the interval after. The ranker learns from
cutoffs whose interval has passed and scores the candidates of a later one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from personalization.generators.base import (
    RECENT_DAYS,
    GeneratorInputs,
    ScoreBlock,
    Scorer,
    blocks,
    top_of_block,
)
from personalization.interactions import (
    BoolArray,
    FloatArray,
    IntArray,
    check_at_least,
    check_columns,
)

# Means over few observations are drawn to those of all items, which count as this many.
_PRIOR: Final = 5.0
# Groups of items, from small to large.
_GROUPS: Final = ("subcategory", "category", "brand")
_HISTORY: Final = (
    "slow_weight",
    "purchase_count",
    "purchase_count_7d",
    "recent_purchase_count",
    "purchase_count_84d",
)
_LONG_PERIOD_DAYS: Final = 84
# By what powers of the number of their purchases customers are evened out, member after member.
_EVENING: Final = (0.0, 0.25, 0.5)

# How much the log odds of a new item follow the logarithm of its evidence, and where they do not
# move. Trees are flat between their thresholds; this lets every single purchase count.
_EVIDENCE_SLOPE: Final = 0.1
_USUAL_EVIDENCE: Final = 0.5
_LEAST_EVIDENCE: Final = 1e-3

FEATURES: Final[Mapping[str, int]] = {
    # What the customer did with the item.
    "weight": 1,
    **dict.fromkeys(_HISTORY, 1),
    "days_since_last_purchase": -1,
    "days_since_first_purchase": 0,
    "purchase_interval_days": 0,
    "intervals_since_last_purchase": 0,
    "purchases_per_order": 1,
    # What the customer did with items of the same group, this one left out.
    **{f"{group}_weight": 1 for group in _GROUPS},
    **{f"{group}_recent_purchases": 1 for group in _GROUPS},
    "days_since_last_of_subcategory": 0,
    # What all customers did with the item.
    "item_customers": 0,
    "item_recent_customers": 0,
    "item_trend": 0,
    "item_week_trend": 0,
    "item_repeat_rate": 0,
    "item_interval_days": 0,
    **{f"share_of_{group}": 0 for group in _GROUPS},
    # What the customer does at all.
    "customer_orders": 0,
    "customer_recent_orders": 0,
    "customer_days_since_last_order": 0,
    "customer_items_per_order": 0,
    "customer_distinct_share": 0,
}
"""What the ranker looks at besides the scores of generators.

The number says in which direction it may move the score: 1 never down, -1 never up, 0 either way.
What a customer has bought thereby never speaks against what it is a reason for.
"""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Customer-item pairs at one cutoff, by customer and item, and what is known of them.

    Attributes:
        customer: Shape (n_candidates,), positions.
        item: Shape (n_candidates,), positions.
        is_bought: Shape (n_candidates,), whether the customer bought the item before.
        features: One row per candidate, the columns of `FEATURES` and the scores of the
            generators, as float32; null where there is nothing to measure.
        evidence: Shape (n_candidates,), how strongly the customer's purchases speak for the item,
            a plain sum over them: taking one away never makes it larger.
    """

    customer: IntArray
    item: IntArray
    is_bought: BoolArray
    features: pd.DataFrame
    evidence: FloatArray


def find_candidates(
    inputs: GeneratorInputs,
    scorers: Mapping[str, Scorer],
    *,
    is_offered: BoolArray,
    evidence: str,
    n_bought: int = 120,
    n_new: int = 40,
) -> Candidates:
    """Collect the best items of several generators and describe them by `FEATURES`.

    Args:
        inputs: The state of the shop at the cutoff. `history` needs the columns that
            `int_interactions_weighted` has; `customers` needs `orders` and `orders_28d`, `items`
            the groups `subcategory`, `category` and `brand`; nulls are allowed.
        scorers: Generators that have learned from the inputs, by name; each adds its score as a
            feature, as a share of what it gives to the customer's best new item.
        is_offered: Shape (n_items,), items that may be candidates.
        evidence: The name of the scorer whose scores are the evidence: one that adds up what the
            bought items say.
        n_bought: Largest number of bought items per customer, by `weight`.
        n_new: Largest number of new items per customer and generator.

    Returns:
        The candidates.

    Raises:
        ValueError: A number is below 1 or the inputs lack a column.
    """
    check_at_least("n_bought", n_bought, 1)
    check_at_least("n_new", n_new, 1)
    check_columns(
        inputs.history, [*_HISTORY, "days_since_last_purchase", "days_since_first_purchase"]
    )
    check_columns(inputs.customers, ["orders", "orders_28d"])
    check_columns(inputs.items, _GROUPS)
    found = [
        _candidates_of_block(inputs, scorers, block, is_offered, n_bought=n_bought, n_new=n_new)
        for block in blocks(*inputs.bought.shape)
    ]
    nothing = np.empty(0, dtype=np.int64)
    nothing_scored = np.empty((0, len(scorers)), dtype=np.float32)
    found.append((nothing, nothing, nothing_scored, nothing_scored))
    customer, item, scores, shares = map(np.concatenate, zip(*found, strict=True))
    described = _describe(inputs, customer, item)
    features = pd.DataFrame({name: value.astype(np.float32) for name, value in described.items()})
    features = features.assign(**dict(zip(scorers, shares.T, strict=True)))
    return Candidates(
        customer,
        item,
        described["purchase_count"] > 0,
        features,
        scores[:, list(scorers).index(evidence)].astype(np.float64),
    )


def _candidates_of_block(
    inputs: GeneratorInputs,
    scorers: Mapping[str, Scorer],
    block: slice,
    is_offered: BoolArray,
    *,
    n_bought: int,
    n_new: int,
) -> tuple[IntArray, IntArray, NDArray[np.float32], NDArray[np.float32]]:
    """Collect the candidates of some customers, with their scores by generator.

    The scores come as they are, and as shares of the customer's best new item.
    """
    weights = inputs.interactions.weights[block]
    n_items = weights.shape[1]
    owned = weights.nonzero()
    offered = weights.toarray()
    offered[:, ~is_offered] = 0
    pairs = [_pair_keys(offered, inputs, n_bought)]
    scored: list[tuple[ScoreBlock, ScoreBlock]] = []
    for scorer in scorers.values():
        scores = scorer(block)
        new = scores.copy()
        new[owned] = 0
        new[:, ~is_offered] = 0
        pairs.append(_pair_keys(new, inputs, n_new))
        scored.append((scores, new.max(axis=1, initial=0)))
    row, item = np.divmod(np.unique(np.concatenate(pairs)), n_items)
    values = np.empty((len(row), len(scored)), dtype=np.float32)
    shares = np.empty_like(values)
    for place, (scores, best) in enumerate(scored):
        values[:, place] = scores[row, item]
        shares[:, place] = scores[row, item] / np.where(best > 0, best, 1)[row]
    return row + block.start, item, values, shares


def _pair_keys(scores: ScoreBlock, inputs: GeneratorInputs, k: int) -> IntArray:
    """The k best positive scores of each row, as row · n_items + item."""
    picks = top_of_block(scores, inputs.tie_breaks, k)
    keys: IntArray = picks.customer * scores.shape[1] + picks.item
    return keys


def _describe(inputs: GeneratorInputs, customer: IntArray, item: IntArray) -> dict[str, FloatArray]:
    """Compute the columns of `FEATURES`, in that order."""
    n_customers, n_items = inputs.bought.shape
    history = inputs.history.sort_values(["customer", "item"])
    known = history["customer"].to_numpy(np.int64) * n_items + history["item"].to_numpy(np.int64)
    key = customer * n_items + item
    place = np.searchsorted(known, key)
    is_bought = np.append(known, -1)[place] == key

    def of_pair(values: FloatArray, missing: float = 0.0) -> FloatArray:
        found = np.append(values.astype(np.float64), missing)
        return found[np.where(is_bought, place, len(values))]

    def column(name: str) -> FloatArray:
        values: FloatArray = history[name].to_numpy(np.float64)
        return values

    count = of_pair(column("purchase_count"))
    last = of_pair(column("days_since_last_purchase"), np.nan)
    first = of_pair(column("days_since_first_purchase"), np.nan)
    facts = _item_facts(history, n_items)
    interval = (first - last + 2 * facts["item_interval_days"][item]) / (np.maximum(count, 1) + 1)
    orders = inputs.customers["orders"].to_numpy(np.float64, na_value=0)
    recent_orders = inputs.customers["orders_28d"].to_numpy(np.float64, na_value=0)

    features = {"weight": of_pair(inputs.interactions.weights.data)}
    features |= {name: of_pair(column(name)) for name in _HISTORY}
    features |= {
        "days_since_last_purchase": last,
        "days_since_first_purchase": first,
        "purchase_interval_days": interval,
        "intervals_since_last_purchase": last / np.maximum(interval, 1),
        "purchases_per_order": count / np.maximum(orders, 1)[customer],
    }
    weights = inputs.interactions.weights
    recent = _matrix(history, "recent_purchase_count", weights.shape)
    group = {name: pd.factorize(inputs.items[name])[0] for name in _GROUPS}
    for name in _GROUPS:
        total = _group_totals(weights, group[name])[customer, group[name][item]]
        features[f"{name}_weight"] = np.maximum(total - features["weight"], 0).round(9)
    for name in _GROUPS:
        total = _group_totals(recent, group[name])[customer, group[name][item]]
        features[f"{name}_recent_purchases"] = np.maximum(
            total - features["recent_purchase_count"], 0
        )
    features["days_since_last_of_subcategory"] = _days_since_last_of_group(
        history, group["subcategory"], n_customers
    )[customer, group["subcategory"][item]]
    features |= {name: values[item] for name, values in facts.items()}
    for name in _GROUPS:
        recent_customers = facts["item_recent_customers"]
        in_group = _sums(group[name] + 1, recent_customers, int(group[name].max(initial=-1)) + 2)
        features[f"share_of_{name}"] = (
            recent_customers[item] / np.maximum(in_group, 1)[group[name][item] + 1]
        )
    buyer = history["customer"].to_numpy(np.int64)
    purchases = _sums(buyer, column("purchase_count"), n_customers)
    distinct = _sums(buyer, np.ones(len(buyer)), n_customers)
    last_order = np.full(n_customers, np.nan)
    np.fmin.at(last_order, buyer, column("days_since_last_purchase"))
    features |= {
        "customer_orders": orders[customer],
        "customer_recent_orders": recent_orders[customer],
        "customer_days_since_last_order": last_order[customer],
        "customer_items_per_order": (purchases / np.maximum(orders, 1))[customer],
        "customer_distinct_share": (distinct / np.maximum(purchases, 1))[customer],
    }
    return {name: features[name] for name in FEATURES}


def _item_facts(history: pd.DataFrame, n_items: int) -> dict[str, FloatArray]:
    """What all customers did with each item; arrays of shape (n_items,)."""
    item = history["item"].to_numpy(np.int64)

    def total(values: FloatArray | BoolArray) -> FloatArray:
        return _sums(item, values, n_items)

    count = history["purchase_count"].to_numpy(np.float64)
    span = (history["days_since_first_purchase"] - history["days_since_last_purchase"]).to_numpy()
    customers = total(count > 0)
    week = total(history["purchase_count_7d"].to_numpy() > 0)
    recent = total(history["recent_purchase_count"].to_numpy() > 0)
    long = total(history["purchase_count_84d"].to_numpy() > 0)
    n_intervals = total(count - 1)
    overall_interval = span.sum() / max(n_intervals.sum(), 1)
    overall_rate = (count > 1).sum() / max(len(count), 1)
    return {
        "item_customers": customers,
        "item_recent_customers": recent,
        "item_trend": (recent + 2) / (long * RECENT_DAYS / _LONG_PERIOD_DAYS + 2),
        "item_week_trend": (week + 1) / (recent * 7 / RECENT_DAYS + 1),
        "item_repeat_rate": (total(count > 1) + _PRIOR * overall_rate) / (customers + _PRIOR),
        "item_interval_days": (total(span) + _PRIOR * overall_interval) / (n_intervals + _PRIOR),
    }


def _sums(position: IntArray, values: FloatArray | BoolArray, size: int) -> FloatArray:
    """Sum the values at each position, shape (size,)."""
    return np.asarray(np.bincount(position, values, size), dtype=np.float64)


def _matrix(history: pd.DataFrame, column: str, shape: tuple[int, int]) -> csr_array:
    """A column of the history as a matrix of customers by items."""
    positions = (history["customer"].to_numpy(np.int64), history["item"].to_numpy(np.int64))
    return csr_array((history[column].to_numpy(np.float64), positions), shape=shape)


def _group_totals(matrix: csr_array, group: IntArray) -> FloatArray:
    """Sums over groups of items, shape (n_customers, n_groups + 1).

    The last column, which -1 finds, is for items without group: they share nothing.
    """
    n_groups = int(group.max(initial=-1)) + 1
    grouped = np.flatnonzero(group >= 0)
    membership = csr_array(
        (np.ones(len(grouped)), (grouped, group[grouped])), shape=(len(group), n_groups + 1)
    )
    totals: FloatArray = (matrix @ membership).toarray()
    return totals


def _days_since_last_of_group(
    history: pd.DataFrame, group: IntArray, n_customers: int
) -> FloatArray:
    """Days since the last purchase of any item of a group, null for never; shaped as the totals."""
    days = np.full((n_customers, int(group.max(initial=-1)) + 2), np.nan)
    place = (history["customer"].to_numpy(np.int64), group[history["item"].to_numpy(np.int64)])
    np.fmin.at(days, place, history["days_since_last_purchase"].to_numpy(np.float64))
    days[:, -1] = np.nan
    return days


@dataclass(frozen=True)
class Ranker:
    """Gradient-boosted trees that estimate whether a candidate is bought next.

    Trees by histograms (Ke et al., "LightGBM", 2017) as scikit-learn has them, with the logistic
    loss: ranking by the probability maximizes the expected number of hits. No feature that carries
    a reason may lower the score (`FEATURES`), and the scores of generators never do.

    The score is the mean of several members in log odds. They differ in the negatives they draw,
    and in how much they even out that some customers buy much more than others; on the demo the
    mean ranks better than each.

    Attributes:
        members: The fitted models.
    """

    members: tuple[HistGradientBoostingClassifier, ...]

    @classmethod
    def fit(
        cls,
        windows: Sequence[tuple[Candidates, BoolArray]],
        *,
        n_members: int = 4,
        iterations: int = 60,
        learning_rate: float = 0.16,
        negatives: float = 0.1,
        max_bins: int = 127,
    ) -> "Ranker":
        """Learn from the candidates of past cutoffs.

        Args:
            windows: Per cutoff the candidates and whether each was bought next. The same columns
                of features everywhere.
            n_members: Number of models.
            iterations: Number of trees of each.
            learning_rate: Weight of each tree.
            negatives: Share of the candidates not bought that a member looks at; each weighs
                accordingly more, so that probabilities stay probabilities.
            max_bins: Distinct values of a feature that trees can tell apart. scikit-learn finds
                the bounds of weighted bins one by one, which takes most of a small fit.

        Returns:
            The ranker.

        Raises:
            ValueError: No candidate was bought next, or every one was.
        """
        labels = np.concatenate([label for _, label in windows] or [np.empty(0, dtype=bool)])
        if labels.all() or not labels.any():
            raise ValueError("the ranker needs candidates that were bought next and that were not")
        directions = [FEATURES.get(name, 1) for name in windows[0][0].features.columns]
        members = []
        for seed in range(n_members):
            features, target, weight = _sample(
                windows, negatives, evening=_EVENING[seed % len(_EVENING)], seed=seed
            )
            model = HistGradientBoostingClassifier(
                max_iter=iterations,
                learning_rate=learning_rate,
                min_samples_leaf=100,
                l2_regularization=5.0,
                max_features=0.3,
                max_bins=max_bins,
                monotonic_cst=directions,
                early_stopping=False,
                random_state=seed,
            )
            # Two models of a build that run side by side would wait for each other's threads.
            with threadpool_limits(limits=1, user_api="openmp"):
                members.append(model.fit(features, target, sample_weight=weight))
        return cls(tuple(members))

    def score(self, candidates: Candidates) -> FloatArray:
        """Estimate the probability that each candidate is bought next, shape (n_candidates,)."""
        if len(candidates.customer) == 0:
            return np.empty(0)
        values = candidates.features.to_numpy(np.float32)
        with threadpool_limits(limits=1, user_api="openmp"):
            log_odds = sum(member.decision_function(values) for member in self.members)
        evidence = np.log((candidates.evidence + _LEAST_EVIDENCE) / _USUAL_EVIDENCE)
        shift = np.where(candidates.is_bought, 0.0, _EVIDENCE_SLOPE * evidence)
        probability: FloatArray = expit(log_odds / len(self.members) + shift)
        return probability


def _sample(
    windows: Sequence[tuple[Candidates, BoolArray]],
    negatives: float,
    *,
    evening: float,
    seed: int,
) -> tuple[NDArray[np.float32], BoolArray, FloatArray]:
    """Draw what one member learns from: features, labels and weights of the chosen candidates.

    A candidate weighs its customer's number of positive labels to the power of -evening.
    """
    generator = np.random.default_rng(seed)
    features, labels, weights = [], [], []
    for candidates, label in windows:
        chosen = label | (generator.random(len(label)) < negatives)
        n_positive = np.bincount(
            candidates.customer[label], minlength=int(candidates.customer.max(initial=-1)) + 1
        )
        even = np.maximum(n_positive, 3.0)[candidates.customer] ** -evening
        features.append(candidates.features.to_numpy(np.float32)[chosen])
        labels.append(label[chosen])
        weights.append((even * np.where(label, 1, 1 / negatives))[chosen])
    values, weight = np.concatenate(features), np.concatenate(weights)
    # Trees cannot bin what is null everywhere; as a constant they leave it alone.
    values[:, np.isnan(values).all(axis=0)] = 0
    return values, np.concatenate(labels), weight / weight.mean()
