"""Which interactions a generator may learn from, and which ones it must foresee."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from personalization.evaluate.reading import InputError

# Of the random split; any other would do as well.
_SEED: Final = 0


class Split(NamedTuple):
    """Interactions as `read_interactions` returns them, in two parts."""

    train: pd.DataFrame
    test: pd.DataFrame
    note: str
    """How they were divided, for the user."""
    time: pd.Timestamp | None = None
    """Where the test part begins; None if they were not divided in time."""


def split_at(interactions: pd.DataFrame, time: pd.Timestamp) -> Split:
    """Take the interactions at or after a time (UTC, without zone) as test.

    Raises:
        InputError: There is no column `time`, or a part would be empty.
    """
    if "time" not in interactions:
        raise InputError("a split at a time needs a time column (name it with --time-column)")
    is_test = interactions["time"] >= time
    if is_test.all() or not is_test.any():
        first, last = interactions["time"].min(), interactions["time"].max()
        raise InputError(f"a split at {time} leaves a part empty: times are {first} to {last}")
    note = f"test: the interactions from {time} UTC on"
    return Split(interactions[~is_test], interactions[is_test], note, time)


def split_share(interactions: pd.DataFrame, share: float) -> Split:
    """Take the last share of the interactions as test; without times, a random one.

    The split in time is at one moment for all users, so that nothing is learned from a test
    user's future. It falls on the first interaction of the last `share`, and whatever happened
    at that moment is test. Without a column `time`, a seeded random share of each user's items
    (rounded down) is test.

    Raises:
        InputError: A part would be empty.
        ValueError: share is not between 0 and 1.
    """
    if not 0 < share < 1:
        raise ValueError(f"share must be between 0 and 1, not {share}")
    if "time" in interactions:
        times = interactions["time"].sort_values(ignore_index=True)
        first_test = min(round(len(times) * (1 - share)), len(times) - 1)
        return split_at(interactions, times[first_test])
    is_test = _random_share(interactions, share)
    if is_test.all() or not is_test.any():
        raise InputError(f"a test share of {share} leaves a part empty")
    note = f"test: {share:.0%} of each user's items, at random (there is no time column)"
    return Split(interactions[~is_test], interactions[is_test], note)


def _random_share(interactions: pd.DataFrame, share: float) -> "pd.Series[bool]":
    """Whether the pair of each row is test; the order of the rows does not matter."""
    pairs = interactions[["user", "item"]].drop_duplicates().sort_values(["user", "item"])
    pairs = pairs.assign(draw=np.random.default_rng(_SEED).random(len(pairs)))
    by_user = pairs.groupby("user")["draw"]
    # A little more than the product, for 5 * 0.2 is to be 1.
    n_test = np.floor(by_user.transform("size") * share + 1e-9)
    pairs["is_test"] = by_user.rank() <= n_test
    marked = interactions[["user", "item"]].merge(pairs, how="left", on=["user", "item"])
    return marked["is_test"].set_axis(interactions.index)
