"""What many customers buy: of late, in one's segment, or more than they used to."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from personalization.generators.base import RECENT_DAYS, GeneratorInputs, ScoreBlock, Scorer
from personalization.interactions import FloatArray, IntArray, check_at_least, check_columns


def popular(inputs: GeneratorInputs) -> Scorer:
    """Score items by the number of customers who bought them in the last 28 days.

    Without `recent_purchase_count` in `history`, that is where no times are known, all customers
    of an item count, so that this generator can always run.

    Args:
        inputs: The state of the shop.

    Returns:
        The scorer; the same row for every customer.
    """
    counts = _recent_purchases(inputs).sum(axis=0)
    return _by_kind_of_customer(counts[np.newaxis], np.zeros(inputs.bought.shape[0], np.int64))


def popular_in_segment(inputs: GeneratorInputs, *, shrinkage: float = 300.0) -> Scorer:
    """Score items by the share of the customer's segment that bought them in the last 28 days.

    With n_s customers in segment s, of whom n_si bought item i, and p_i the share of all
    customers who did:

        score(c, i) = (n_si + m · p_i) / (n_s + m)

    the mean of a beta posterior: a small segment is taken to buy what all buy. Who has no segment
    gets p_i. Without times, purchases count as in `popular`.

    Args:
        inputs: Needs the column `segment` of `customers`; may hold nulls.
        shrinkage: m, the customers that the overall share counts.

    Returns:
        The scorer.

    Raises:
        ValueError: shrinkage is negative, or there is no `segment`.
    """
    check_at_least("shrinkage", shrinkage, 0)
    check_columns(inputs.customers, ["segment"])
    recent = _recent_purchases(inputs)
    n_customers = recent.shape[0]
    segment, names = pd.factorize(inputs.customers["segment"])
    members = np.flatnonzero(segment >= 0)
    membership = csr_array(
        (np.ones(len(members)), (segment[members], members)), shape=(len(names), n_customers)
    )
    overall = recent.sum(axis=0) / max(n_customers, 1)
    sizes = membership.sum(axis=1)[:, np.newaxis]
    shares = ((membership @ recent).toarray() + shrinkage * overall) / (sizes + shrinkage)
    # The last row, which -1 finds, is for those without segment.
    return _by_kind_of_customer(np.vstack([shares, overall]), segment.astype(np.int64))


def trending(inputs: GeneratorInputs, *, periods: int = 3, shrinkage: float = 10.0) -> Scorer:
    """Score items by how far their customers of the last 28 days exceed what was to be expected.

    With r_i the customers of item i in the last 28 days, and e_i what they would be if the item
    had the same share of all purchases as in the 28-day periods before:

        score(i) = max(0, r_i - e_i) / sqrt(e_i + s)

    Without s it is the standardized excess of a Poisson count. s keeps items with few customers
    from leading the list by chance; a new item, whose e_i is 0, needs r_i of several times sqrt(s)
    to stand out. A customer counts once per item and period.

    Args:
        inputs: Needs `customer`, `item` and `age_days` of `baskets`.
        periods: Earlier periods of 28 days to look at. With none in the data, e_i is 0.
        shrinkage: s, in customers, positive.

    Returns:
        The scorer; 0 for items that do not exceed the expectation.

    Raises:
        ValueError: A parameter is out of range, or `baskets` lacks a column.
    """
    check_at_least("periods", periods, 1)
    if not shrinkage > 0:
        raise ValueError(f"shrinkage must be positive, not {shrinkage}")
    check_columns(inputs.baskets, ["customer", "item", "age_days"])
    # Period 0 is the last 28 days: ages 0 to 28, as in `recent_purchase_count`.
    age = inputs.baskets["age_days"].to_numpy(np.float64)
    period = np.maximum(np.ceil(age / RECENT_DAYS) - 1, 0)
    purchases = inputs.baskets[["customer", "item"]].assign(period=period).drop_duplicates()
    is_recent = purchases["period"].to_numpy() == 0
    is_earlier = purchases["period"].between(1, periods).to_numpy()
    item = purchases["item"].to_numpy(np.int64)
    n_customers, n_items = inputs.bought.shape
    recent = np.bincount(item[is_recent], minlength=n_items)
    earlier = np.bincount(item[is_earlier], minlength=n_items)
    expected = earlier * (recent.sum() / max(earlier.sum(), 1))
    scores = np.maximum(recent - expected, 0) / np.sqrt(expected + shrinkage)
    return _by_kind_of_customer(scores[np.newaxis], np.zeros(n_customers, np.int64))


def _recent_purchases(inputs: GeneratorInputs) -> csr_array:
    """Whether a customer bought an item in the last 28 days (ever, without times), as 1.0."""
    if "recent_purchase_count" not in inputs.history.columns:
        return inputs.bought
    recent = inputs.history[inputs.history["recent_purchase_count"] > 0]
    positions = (recent["customer"].to_numpy(np.int64), recent["item"].to_numpy(np.int64))
    return csr_array((np.ones(len(recent)), positions), shape=inputs.bought.shape)


def _by_kind_of_customer(scores: FloatArray, kind: IntArray) -> Scorer:
    """Give every customer the row of scores of their kind."""

    def score(rows: slice) -> ScoreBlock:
        return scores[kind[rows]]

    return score
