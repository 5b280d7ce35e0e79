"""From interactions to what the generators look at, and what their lists are judged by."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from personalization.evaluate.reading import InputError
from personalization.generators.base import RECENT_DAYS, GeneratorInputs, Scope, entries_at
from personalization.interactions import BoolArray, IntArray, Interactions, TextArray
from personalization.metrics import Pairs

_WEEKLY_DECAY: Final = 0.95
_DAYS_PER_WEEK: Final = 7


@dataclass(frozen=True, eq=False)
class Problem:
    """What to learn from and what to foresee.

    Attributes:
        inputs: The users (as customers) and items of the training data; also the items that are
            only described.
        relevant: The test pairs of these users, once each. Items beyond the catalog are those
            that the training data do not know.
        notes: What of the data is left out, counted once or odd.
    """

    inputs: GeneratorInputs
    relevant: Pairs
    notes: tuple[str, ...]

    @cached_property
    def is_repeat(self) -> BoolArray:
        """Whether the user of each relevant pair has the item already, shape (n_relevant,)."""
        bought = self.inputs.bought
        found: BoolArray = self.relevant.item < bought.shape[1]
        customer, item = (positions[found] for positions in self.relevant)
        found[found] = entries_at(bought, customer, item) > 0
        return found

    def relevant_in(self, scope: Scope) -> Pairs:
        """The relevant pairs that lists of the scope can hold."""
        if scope == "all":
            return self.relevant
        return Pairs(*(positions[~self.is_repeat] for positions in self.relevant))

    @property
    def scopes(self) -> tuple[Scope, ...]:
        """The scopes that the test pairs tell apart: both if some of them repeat, not all."""
        if not self.is_repeat.any():
            return ("new",)
        return ("all",) if self.is_repeat.all() else ("all", "new")


def prepare(
    train: pd.DataFrame,
    test: pd.DataFrame,
    items: pd.DataFrame | None = None,
    users: pd.DataFrame | None = None,
    *,
    cutoff: pd.Timestamp | None = None,
) -> Problem:
    """Build the inputs of all generators; the test data have no part in them.

    A basket is an order, or without such a column what a user did at the same time. With an age
    in whole days at the cutoff the weight of a user and an item is

        Σ w(b) · 0.95^(age(b) / 7) over the user's baskets b with the item

    where w(b) is the sum of the column `weight` over the rows of the item in the basket, or 1
    without this column. Without times the weight is the sum of the column, or 1.

    Users without training rows are left out: no generator can know them. Items without training
    rows stay in the test data, as in published protocols, though few generators can propose them.

    Args:
        train: Interactions as `read_interactions` returns them, not empty.
        test: The same.
        items: Items as `read_items` returns them; those without training rows are candidates too.
        users: Users as `read_users` returns them; those without training rows are left out.
        cutoff: When the lists are made, not before the last training time, which it is by default.

    Returns:
        The problem; without `history` and `baskets` if the training data have no times.

    Raises:
        InputError: No user of the test data is known.
        ValueError: The cutoff lies before the last training time.
    """
    described = train["item"].iloc[:0] if items is None else items["item"]
    customer, customer_ids = _positions(train["user"])
    item, item_ids = _positions(pd.concat([train["item"], described]))
    rows = train.assign(customer=customer, item=item[: len(train)])
    if "weight" in rows:
        # So that float sums do not depend on the order of the rows.
        rows = rows.sort_values("weight", kind="stable")
    if "time" in rows:
        latest = rows["time"].max()
        if cutoff is not None and cutoff < latest:
            raise ValueError(f"the cutoff {cutoff} lies before the last training time {latest}")
        baskets = _baskets(rows, latest if cutoff is None else cutoff)
        pairs = history = _history(baskets)
        baskets, history = (frame.drop(columns="weight") for frame in (baskets, history))
    else:
        baskets = history = pd.DataFrame()
        pairs = _sum_weights(rows, ["customer", "item"])
    # Whatever is bought remains so, however long ago.
    weight = pairs["weight"].clip(lower=np.finfo(np.float64).tiny)
    weights = csr_array(
        (weight.to_numpy(), (pairs["customer"].to_numpy(), pairs["item"].to_numpy())),
        shape=(len(customer_ids), len(item_ids)),
    )
    weights.sort_indices()
    inputs = GeneratorInputs(
        Interactions(weights, customer_ids, item_ids),
        items=(
            pd.DataFrame()
            if items is None
            else items.set_index("item").reindex(item_ids).reset_index(drop=True)
        ),
        customers=(
            pd.DataFrame()
            if users is None
            else users.set_index("user").reindex(customer_ids).reset_index(drop=True)
        ),
        history=history,
        baskets=baskets,
    )
    relevant, notes_on_test = _relevant(test, customer_ids, item_ids)
    notes = [*_notes_on_training(train, inputs), *_notes_on_times(train, test), *notes_on_test]
    return Problem(inputs, relevant, tuple(notes))


def _positions(values: "pd.Series[str]") -> tuple[IntArray, TextArray]:
    """Positions in the ascending distinct values, and these."""
    codes, distinct = pd.factorize(values, sort=True)
    return codes.astype(np.int64), distinct.to_numpy(object)


def _sum_weights(rows: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """One row per group with its `weight`: the sum of that of its rows, or 1 if they have none."""
    if "weight" in rows:
        return rows.groupby(by)["weight"].sum().reset_index()
    return rows[by].drop_duplicates().sort_values(by, ignore_index=True).assign(weight=1.0)


def _baskets(rows: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """One row per basket and item: `GeneratorInputs.baskets` and the `weight` of the item in it."""
    by = ["time", "customer"]
    if "order" in rows:
        # An order has one time, its first.
        rows = rows.assign(time=rows.groupby(["customer", "order"])["time"].transform("min"))
        by.append("order")
    rows = rows.assign(basket=rows.groupby(by).ngroup(), age_days=(cutoff - rows["time"]).dt.days)
    return _sum_weights(rows, ["basket", "customer", "item", "age_days"])


def _history(baskets: pd.DataFrame) -> pd.DataFrame:
    """One row per customer and item: `GeneratorInputs.history` and the decayed `weight`."""
    age = baskets["age_days"]
    return (
        baskets.assign(
            weight=baskets["weight"] * _WEEKLY_DECAY ** (age / _DAYS_PER_WEEK),
            is_recent=age <= RECENT_DAYS,
        )
        .groupby(["customer", "item"], as_index=False)
        .agg(
            purchase_count=("basket", "size"),
            days_since_last_purchase=("age_days", "min"),
            days_since_first_purchase=("age_days", "max"),
            recent_purchase_count=("is_recent", "sum"),
            weight=("weight", "sum"),
        )
    )


def _notes_on_training(train: pd.DataFrame, inputs: GeneratorInputs) -> list[str]:
    """Tell how many training rows say nothing that others do not say, and who has a segment."""
    notes = []
    has_baskets = len(inputs.baskets.columns) > 0
    n_distinct = len(inputs.baskets) if has_baskets else inputs.bought.nnz
    if n_distinct < len(train):
        basket = "order" if "order" in train else "time"
        repeated = f"user, item and {basket}" if has_baskets else "user and item"
        how = "their weights are added up" if "weight" in train else "counted once"
        notes.append(
            f"{len(train) - n_distinct:,} training rows repeat the {repeated} of another: {how}"
        )
    if "segment" in inputs.customers:
        segment = inputs.customers["segment"]
        notes.append(f"{segment.notna().sum():,} of {len(segment):,} users have a segment")
    return notes


def _notes_on_times(train: pd.DataFrame, test: pd.DataFrame) -> list[str]:
    """Tell what is odd about the training times: a long gap, or times of the test rows."""
    if "time" not in train:
        return []
    notes = []
    times = train["time"].sort_values(ignore_index=True)
    gaps = times.diff().fillna(pd.Timedelta(0))
    end = int(gaps.argmax())
    rest = times.iloc[-1] - times.iloc[0] - gaps[end]
    # A shorter one would not make all purchases old.
    if gaps[end] > max(rest, pd.Timedelta(days=RECENT_DAYS)):
        notes.append(
            f"no training row lies between {times[end - 1]} and {times[end]}, a gap longer than all"
            f" other time: are the times right? ({end:,} rows lie before it, {len(times) - end:,}"
            " after)"
        )
    if "time" in test:
        first = test["time"].min()
        count = int((train["time"] >= first).sum())
        if count:
            notes.append(
                f"{count:,} training rows lie at or after the first test time, {first}: they may"
                " tell what is to be foreseen"
            )
    return notes


def _relevant(
    test: pd.DataFrame, customer_ids: TextArray, item_ids: TextArray
) -> tuple[Pairs, list[str]]:
    """The distinct test pairs of known users, and notes on what is unknown."""
    customer = pd.Index(customer_ids).get_indexer(pd.Index(test["user"]))
    is_served = customer >= 0
    if not is_served.any():
        raise InputError("no user of the test rows has training rows")
    catalog = pd.Index(item_ids)
    wanted = pd.Index(test["item"][is_served])
    new_items = wanted.difference(catalog)
    item = catalog.append(new_items).get_indexer(wanted)
    pairs = pd.DataFrame({"customer": customer[is_served], "item": item}).drop_duplicates()
    notes = []
    if len(pairs) < len(wanted):
        count = len(wanted) - len(pairs)
        notes.append(f"{count:,} test rows repeat the user and item of another: counted once")
    if not is_served.all():
        count = test["user"][~is_served].nunique()
        notes.append(f"{count:,} test users without training rows: left out")
    if len(new_items):
        count = int((pairs["item"] >= len(catalog)).sum())
        notes.append(
            f"{len(new_items):,} test items are not in the catalog: their {count:,} pairs count"
            " as relevant all the same"
        )
    return (
        Pairs(pairs["customer"].to_numpy(np.int64), pairs["item"].to_numpy(np.int64)),
        notes,
    )
