"""How good ranked lists are: by customer, as a whole, and how sure one can be of it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from personalization.interactions import FloatArray, IntArray, check_at_least

CUSTOMER_METRICS: Final = ("recall", "precision", "ndcg", "map", "hit_rate", "mrr")
"""Metrics of one list, in the order of the columns of `customer_metrics`."""

LIST_METRICS: Final = ("coverage", "novelty", "gini", "popularity_lift")
"""Metrics of all lists together, in the order of the entries of `list_metrics`."""

# Resampled customers held at once, which bounds memory.
_BLOCK_DRAWS: Final = 2**22
_TAILS: Final = (0.025, 0.975)


class Pairs(NamedTuple):
    """Customers and items as positions; both of shape (n_pairs,), in any order."""

    customer: IntArray
    item: IntArray


class Ranking(NamedTuple):
    """Ranked lists, one entry per recommended item; all of shape (n_entries,), in any order."""

    customer: IntArray
    item: IntArray
    rank: IntArray
    """1 for the best item of the customer."""


class Quotient(NamedTuple):
    """A metric of all lists by customer: the sum of the numerators over that of the denominators.

    Both of shape (n_customers,), finite; 0 for customers who do not count.
    """

    numerator: FloatArray
    denominator: FloatArray

    @property
    def value(self) -> float:
        """The metric of all customers, NaN if none counts."""
        return _ratio(self.numerator.sum(), self.denominator.sum())


class Interval(NamedTuple):
    """Estimates with their 95 % bootstrap intervals; all of shape (n_metrics,)."""

    estimate: FloatArray
    lower: FloatArray
    upper: FloatArray


def customer_metrics(
    ranking: Ranking, relevant: Pairs, *, ks: Sequence[int] = (5, 10, 20)
) -> pd.DataFrame:
    """Judge the first k entries of every list by the items that turned out relevant.

    With R the customer's relevant items, h(r) = 1 if the item at rank r is relevant else 0, and
    m = min(k, |R|), the number of hits of the best possible list:

        recall    Σ h(r) / |R|
        precision Σ h(r) / k
        ndcg      Σ h(r) / log2(r + 1)  /  Σ 1 / log2(r + 1) over r ≤ m
        map       Σ h(r) · (hits up to r) / r  /  m
        hit_rate  1 if there is a hit
        mrr       1 / (rank of the first hit), 0 without one

    where sums run over r ≤ k. The means over customers are the metrics of these names (Järvelin
    and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", 2002, for NDCG). The
    average precision of trec_eval divides by |R| instead of m, so that no list of k items can
    reach 1 when more than k are relevant.

    Args:
        ranking: The lists. A rank may be missing from a list; the others keep theirs.
        relevant: The items each customer wanted, duplicates ignored; also items that no list can
            hold, which still count in |R|.
        ks: Lengths of list to judge.

    Returns:
        One row per customer with a relevant item, by position (the index); one column per metric
        and k, as in `ndcg@10`. Zero for a customer without a list. Customers without a relevant
        item, whom no metric can judge, have no row.

    Raises:
        ValueError: A k or a rank is below 1, or a list holds an item or a rank twice.
    """
    _check_ranking(ranking, ks)
    width = 1 + int(max(relevant.item.max(initial=0), ranking.item.max(initial=0)))
    wanted = _distinct(_keys(relevant.customer, relevant.item, width))
    customers, n_relevant = np.unique(wanted // width, return_counts=True)
    is_hit = np.isin(_keys(ranking.customer, ranking.item, width), wanted)
    row = np.searchsorted(customers, ranking.customer[is_hit])
    rank = ranking.rank[is_hit]
    by_rank = np.lexsort((rank, row))
    row, rank = row[by_rank], rank[by_rank]
    sizes = np.bincount(row, minlength=len(customers))
    hits_so_far = np.arange(len(row)) - (np.cumsum(sizes) - sizes)[row] + 1

    columns: dict[str, FloatArray] = {}
    for k in ks:
        within = rank <= k
        columns |= _metrics_at(k, row[within], rank[within], hits_so_far[within], n_relevant)
    return pd.DataFrame(columns, index=pd.Index(customers, name="customer"))


def _metrics_at(
    k: int, row: IntArray, rank: IntArray, hits_so_far: IntArray, n_relevant: IntArray
) -> dict[str, FloatArray]:
    """The columns of `customer_metrics` for one k, from the hits sorted by row and rank."""
    size = len(n_relevant)
    n_hits = np.bincount(row, minlength=size)
    n_possible = np.minimum(n_relevant, k)
    discounts = 1 / np.log2(np.arange(2, k + 2))
    gain = np.bincount(row, discounts[rank - 1], minlength=size)
    precisions = np.bincount(row, hits_so_far / rank, minlength=size)
    reciprocal_rank = np.zeros(size)
    is_first = hits_so_far == 1
    reciprocal_rank[row[is_first]] = 1 / rank[is_first]
    values = (
        n_hits / n_relevant,
        n_hits / k,
        gain / np.cumsum(discounts)[n_possible - 1],
        precisions / n_possible,
        (n_hits > 0).astype(np.float64),
        reciprocal_rank,
    )
    return {f"{name}@{k}": value for name, value in zip(CUSTOMER_METRICS, values, strict=True)}


def list_metrics(
    ranking: Ranking, bought: csr_array, *, ks: Sequence[int] = (5, 10, 20)
) -> dict[str, float]:
    """Judge the first k entries of all lists together by what they expose of the catalog.

    With e(i) the number of lists that hold item i, p(i) the share of customers who bought it, and
    GAP the mean over customers of the mean p of their items:

        coverage         share of the items with e(i) > 0
        novelty          mean of -log2 p(i) over all entries, in bits; an item that nobody bought
                         counts as bought by one customer
        gini             Gini coefficient of e over all items: 0 when all are shown equally
                         often, near 1 when few get all the exposure
        popularity_lift  (GAP of the lists - GAP of what was bought) / GAP of what was bought, over
                         the customers who have both: above 0, the lists are more popular than the
                         taste they serve; -1 when they hold nothing that anybody bought

    (Vargas and Castells, "Rank and Relevance in Novelty and Diversity Metrics", 2011, for novelty;
    Abdollahpouri et al., "The Unfairness of Popularity Bias in Recommendation", 2019, for GAP, the
    group average popularity, and its lift.)

    Args:
        ranking: The lists.
        bought: Who bought what before, shape (n_customers, n_items); any stored entry counts.
        ks: Lengths of list to judge.

    Returns:
        One number per metric and k, as in `gini@10`; NaN where the lists or the catalog are empty.

    Raises:
        ValueError: A k or a rank is below 1, or a list holds an item or a rank twice.
    """
    quotients = list_quotients(ranking, bought, ks=ks)
    n_items = bought.shape[1]
    found: dict[str, float] = {}
    for k in ks:
        exposure = np.bincount(ranking.item[ranking.rank <= k], minlength=n_items)
        found |= {
            f"coverage@{k}": _ratio(float(np.count_nonzero(exposure)), n_items),
            f"novelty@{k}": quotients[f"novelty@{k}"].value,
            f"gini@{k}": _gini(exposure),
            f"popularity_lift@{k}": quotients[f"popularity_lift@{k}"].value,
        }
    return found


def list_quotients(
    ranking: Ranking, bought: csr_array, *, ks: Sequence[int] = (5, 10, 20)
) -> dict[str, Quotient]:
    """Take the metrics of `list_metrics` that are means apart by customer.

    So they can be had for some customers only, and with intervals: those of the quotients of the
    resampled means (`resampled_means`, `interval_of`) of numerators and denominators.

    Args:
        ranking: The lists.
        bought: Who bought what before, shape (n_customers, n_items); any stored entry counts.
        ks: Lengths of list to judge.

    Returns:
        Novelty and popularity lift per k, as in `novelty@10`.

    Raises:
        ValueError: A k or a rank is below 1, or a list holds an item or a rank twice.
    """
    _check_ranking(ranking, ks)
    # Sums of floats in one order, whatever that of the entries.
    order = np.lexsort((ranking.rank, ranking.customer))
    ranking = Ranking(*(column[order] for column in ranking))
    n_customers, n_items = bought.shape
    popularity = np.bincount(bought.indices, minlength=n_items)
    information = -np.log2(np.maximum(popularity, 1) / max(n_customers, 1))
    taste = _means_by_customer(
        np.repeat(np.arange(n_customers), np.diff(bought.indptr)),
        popularity[bought.indices],
        n_customers,
    )
    found = {}
    for k in ks:
        within = ranking.rank <= k
        customer, item = ranking.customer[within], ranking.item[within]
        surprise = np.bincount(customer, information[item], minlength=n_customers)
        lengths = np.bincount(customer, minlength=n_customers)
        found[f"novelty@{k}"] = Quotient(surprise.astype(np.float64), lengths.astype(np.float64))
        shown = _means_by_customer(customer, popularity[item], n_customers)
        # Whatever is bought has a popularity of at least 1, so that 0 means no purchases.
        has_both = (lengths > 0) & (taste > 0)
        found[f"popularity_lift@{k}"] = Quotient(
            np.where(has_both, shown - taste, 0.0), np.where(has_both, taste, 0.0)
        )
    return found


def bootstrap_interval(values: FloatArray, *, replicates: int = 1000, seed: int = 0) -> Interval:
    """Mean over customers, with the percentile interval of its bootstrap distribution.

    Customers are drawn with replacement, as many as there are, `replicates` times (Efron,
    "Bootstrap methods: another look at the jackknife", 1979).

    Args:
        values: Shape (n_customers, n_metrics), finite.
        replicates: Number of resamples.
        seed: Of the draws; the same seed gives the same interval on any number of threads.

    Returns:
        Means and intervals; NaN without customers.

    Raises:
        ValueError: replicates is below 1, or `values` is not as described.
    """
    return interval_of(resampled_means(values, replicates, seed))


def resampled_means(values: FloatArray, replicates: int, seed: int) -> FloatArray:
    """Draw customers with replacement, as many as there are, and average; again and again.

    Values are rounded to multiples of a power of two (at most 2**-28 of the largest for ten
    million customers) so small that any sum of n of them is exact: then it is the same in any
    order, whatever the number of threads of the matrix product.

    Args:
        values: Shape (n_customers, n_metrics), finite.
        replicates: Number of resamples.
        seed: Of the draws. Calls with one seed and as many customers draw the same ones.

    Returns:
        The means of `values`, and below them those of each resample; shape
        (1 + replicates, n_metrics). NaN without customers.

    Raises:
        ValueError: replicates is below 1, or `values` is not as described.
    """
    check_at_least("replicates", replicates, 1)
    if not np.isfinite(values).all():
        raise ValueError("values must be finite")
    n_customers, n_metrics = values.shape
    if n_customers == 0:
        return np.full((1 + replicates, n_metrics), np.nan)
    _, exponent = np.frexp(np.abs(values).max(initial=0) * n_customers)
    units = np.rint(np.ldexp(values, 52 - int(exponent)))
    rng = np.random.default_rng(seed)
    sums = [units.sum(axis=0, keepdims=True)]
    block = max(1, _BLOCK_DRAWS // n_customers)
    for start in range(0, replicates, block):
        shape = (min(block, replicates - start), n_customers)
        draws = rng.integers(n_customers, size=shape)
        draws += n_customers * np.arange(len(draws))[:, np.newaxis]
        times_drawn = np.bincount(draws.ravel(), minlength=draws.size).reshape(shape)
        sums.append(times_drawn.astype(np.float64) @ units)
    means: FloatArray = np.ldexp(np.concatenate(sums), int(exponent) - 52) / n_customers
    return means


def interval_of(means: FloatArray) -> Interval:
    """Take the interval from what `resampled_means` returns, or from ratios of such means.

    Args:
        means: Shape (1 + replicates, n_metrics): estimates, and below them those of each
            resample. May be infinite; where one is NaN, so is the interval.

    Returns:
        The first row, and where the middle 95 % of the others lie.

    Raises:
        ValueError: There is no resample.
    """
    check_at_least("replicates", len(means) - 1, 1)
    # Observed values instead of interpolated ones, since ratios may be infinite.
    lower, upper = np.quantile(means[1:], _TAILS, axis=0, method="inverted_cdf")
    return Interval(means[0], lower, upper)


def _check_ranking(ranking: Ranking, ks: Sequence[int]) -> None:
    """Raise a ValueError unless these are lists without repetitions and lengths of lists."""
    for k in ks:
        check_at_least("k", k, 1)
    check_at_least("rank", ranking.rank.min(initial=1), 1)
    for name in ("item", "rank"):
        values = getattr(ranking, name)
        width = 1 + int(values.max(initial=0))
        if len(_distinct(_keys(ranking.customer, values, width))) < len(values):
            raise ValueError(f"a customer has the same {name} twice")


def _keys(customer: IntArray, value: IntArray, width: int) -> IntArray:
    """One number per pair, ascending by customer; the values are below `width`."""
    return customer.astype(np.int64) * width + value


def _distinct(values: IntArray) -> IntArray:
    """The distinct values, ascending; by sorting, far faster here than the hashes of np.unique."""
    ascending = np.sort(values)
    return ascending[np.diff(ascending, prepend=-1) > 0]


def _means_by_customer(customer: IntArray, value: IntArray, n_customers: int) -> FloatArray:
    """The mean of each customer's values, 0 without any; shape (n_customers,)."""
    counts = np.bincount(customer, minlength=n_customers)
    sums = np.bincount(customer, value, minlength=n_customers)
    means: FloatArray = sums / np.maximum(counts, 1)
    return means


def _ratio(numerator: float, denominator: float) -> float:
    """The ratio, or NaN if there is nothing to divide by."""
    return float(numerator / denominator) if denominator else np.nan


def _gini(exposure: IntArray) -> float:
    """Gini coefficient: Σ (2 j - n - 1) x(j) / (n Σ x) with x ascending and j from 1 to n."""
    n_items = len(exposure)
    ascending = np.sort(exposure)
    coefficients = 2 * np.arange(1, n_items + 1) - n_items - 1
    return _ratio(int(coefficients @ ascending), n_items * int(ascending.sum()))
