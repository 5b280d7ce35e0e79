import math

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from personalization.metrics import (
    CUSTOMER_METRICS,
    LIST_METRICS,
    Pairs,
    Ranking,
    bootstrap_interval,
    customer_metrics,
    interval_of,
    list_metrics,
    list_quotients,
    resampled_means,
)

KS = (1, 3, 7)


def positions(values) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def ranking_of(lists: dict[int, list[int]]) -> Ranking:
    entries = [
        (customer, item, rank)
        for customer, items in lists.items()
        for rank, item in enumerate(items, start=1)
    ]
    return Ranking(*positions(entries).reshape(-1, 3).T)


def pairs_of(items_by_customer: dict[int, set[int]]) -> Pairs:
    pairs = [(customer, item) for customer, items in items_by_customer.items() for item in items]
    return Pairs(*positions(pairs).reshape(-1, 2).T)


def shuffled(table, seed: int):
    order = np.random.default_rng(seed).permutation(len(table[0]))
    return type(table)(*(column[order] for column in table))


item_lists = st.lists(st.integers(0, 11), max_size=10, unique=True)
lists_by_customer = st.dictionaries(st.integers(0, 8), item_lists, max_size=6)
# Items from 12 are never in a list, like products that are not yet in the catalog.
relevant_by_customer = st.dictionaries(
    st.integers(0, 8), st.sets(st.integers(0, 14), min_size=1), max_size=6
)


def by_trec_eval(lists, relevant, k: int) -> dict[int, dict[str, float]]:
    """The metrics by pytrec_eval, brought to the definitions of `customer_metrics`."""
    measures = {f"recall.{k}", f"P.{k}", f"ndcg_cut.{k}", f"map_cut.{k}", f"success.{k}"}
    evaluator = pytrec_eval.RelevanceEvaluator(
        {str(c): {str(i): 1 for i in items} for c, items in relevant.items()},
        measures | {"recip_rank"},
    )
    # recip_rank has no cutoff of its own.
    run = {
        str(c): {str(item): -float(rank) for rank, item in enumerate(lists.get(c, [])[:k])}
        for c in relevant
    }
    return {
        int(c): {
            "recall": found[f"recall_{k}"],
            "precision": found[f"P_{k}"],
            "ndcg": found[f"ndcg_cut_{k}"],
            # trec_eval divides by all relevant items, also by those beyond the k-th.
            "map": found[f"map_cut_{k}"] * max(1, len(relevant[int(c)]) / k),
            "hit_rate": found[f"success_{k}"],
            "mrr": found["recip_rank"],
        }
        for c, found in evaluator.evaluate(run).items()
    }


@settings(deadline=None, max_examples=200)
@given(lists_by_customer, relevant_by_customer, st.integers(0, 99))
def test_customer_metrics_equal_trec_eval(lists, relevant, seed):
    found = customer_metrics(
        shuffled(ranking_of(lists), seed), shuffled(pairs_of(relevant), seed), ks=KS
    )
    assert list(found.index) == sorted(relevant)
    assert list(found.columns) == [f"{name}@{k}" for k in KS for name in CUSTOMER_METRICS]
    for k in KS:
        expected = by_trec_eval(lists, relevant, k)
        for customer, row in found.iterrows():
            # trec_eval leaves out a customer whose run is empty.
            for name, value in expected.get(customer, dict.fromkeys(CUSTOMER_METRICS, 0)).items():
                assert row[f"{name}@{k}"] == pytest.approx(value, abs=1e-12), (name, k)


def test_hits_at_ranks_1_and_3_of_four_relevant_items():
    found = customer_metrics(
        ranking_of({5: [10, 11, 12, 13]}), pairs_of({5: {10, 12, 98, 99}}), ks=(3,)
    )
    expected = {
        "recall@3": 2 / 4,
        "precision@3": 2 / 3,
        "ndcg@3": (1 + 1 / 2) / (1 + 1 / math.log2(3) + 1 / 2),
        "map@3": (1 + 2 / 3) / 3,
        "hit_rate@3": 1,
        "mrr@3": 1,
    }
    assert found.loc[5].to_dict() == pytest.approx(expected)


def test_a_perfect_list_is_worth_1_however_many_items_are_relevant():
    lists = {0: [4, 3, 2], 1: [7, 0, 1]}
    found = customer_metrics(ranking_of(lists), pairs_of({0: set(range(9)), 1: {7}}), ks=(3,))
    assert (found[["ndcg@3", "map@3", "hit_rate@3", "mrr@3"]] == 1).all(axis=None)


def test_relevant_duplicates_count_once():
    once, twice = Pairs(positions([0]), positions([4])), Pairs(positions([0, 0]), positions([4, 4]))
    ranking = ranking_of({0: [4]})
    expected = customer_metrics(ranking, once)
    assert customer_metrics(ranking, twice).equals(expected)


def test_entries_keep_their_rank_where_others_are_missing():
    ranking = Ranking(positions([0]), positions([4]), positions([3]))
    found = customer_metrics(ranking, pairs_of({0: {4}}), ks=(2, 3))
    assert found.loc[0, ["mrr@2", "mrr@3"]].to_list() == [0, 1 / 3]


@pytest.mark.parametrize(
    ("ranking", "message"),
    [
        (([0, 0], [1, 1], [1, 2]), "same item twice"),
        (([0, 0], [1, 2], [1, 1]), "same rank twice"),
        (([0], [1], [0]), "rank must be at least 1"),
    ],
)
def test_impossible_lists_are_refused(ranking, message):
    ranking = Ranking(*map(positions, ranking))
    with pytest.raises(ValueError, match=message):
        customer_metrics(ranking, pairs_of({0: {1}}))
    with pytest.raises(ValueError, match=message):
        list_metrics(ranking, csr_array(np.ones((1, 3))))


def test_k_below_1_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1"):
        customer_metrics(ranking_of({}), pairs_of({}), ks=(5, 0))


def test_list_metrics_refuse_k_below_1():
    with pytest.raises(ValueError, match="k must be at least 1"):
        list_metrics(ranking_of({}), csr_array((0, 0)), ks=(0,))


def by_loops(lists, bought: np.ndarray, k: int) -> dict[str, float]:
    """The definitions, entry by entry."""
    n_customers, n_items = bought.shape
    popularity = [sum(bool(bought[c, i]) for c in range(n_customers)) for i in range(n_items)]
    entries = [item for items in lists.values() for item in items[:k]]
    if not entries:
        return {"coverage": 0.0, "novelty": np.nan, "gini": np.nan, "popularity_lift": np.nan}
    exposure = [entries.count(item) for item in range(n_items)]
    shown, taste = [], []
    for customer, items in lists.items():
        owned = [popularity[i] for i in range(n_items) if bought[customer, i]]
        if items and owned:
            shown.append(np.mean([popularity[i] for i in items[:k]]))
            taste.append(np.mean(owned))
    return {
        "coverage": len(set(entries)) / n_items,
        "novelty": np.mean([-math.log2(max(popularity[i], 1) / n_customers) for i in entries]),
        # Mean absolute difference of all pairs of items over twice the mean.
        "gini": np.mean([abs(a - b) for a in exposure for b in exposure]) / 2 / np.mean(exposure),
        "popularity_lift": (np.mean(shown) - np.mean(taste)) / np.mean(taste) if shown else np.nan,
    }


@settings(deadline=None, max_examples=100)
@given(lists_by_customer, st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_list_metrics_equal_loops(lists, seed, density):
    bought = np.random.default_rng(seed).random((9, 12)) < density
    found = list_metrics(
        shuffled(ranking_of(lists), seed % 100), csr_array(bought.astype(float)), ks=KS
    )
    assert list(found) == [f"{name}@{k}" for k in KS for name in LIST_METRICS]
    for k in KS:
        for name, value in by_loops(lists, bought, k).items():
            assert found[f"{name}@{k}"] == pytest.approx(value, abs=1e-12, nan_ok=True), name


def test_gini_is_0_when_all_items_are_shown_equally_often_and_near_1_when_one_is():
    equal = list_metrics(ranking_of({0: [0, 1], 1: [2, 3]}), csr_array(np.ones((2, 4))), ks=(2,))
    unequal = list_metrics(
        ranking_of({c: [0] for c in range(2)}), csr_array(np.ones((2, 100))), ks=(2,)
    )
    assert equal["gini@2"] == 0
    assert unequal["gini@2"] == pytest.approx(0.99)


def test_popularity_lift_is_0_for_lists_as_popular_as_what_was_bought():
    # Popularities 3, 2, 1 and 0; the first customer bought all, the others the most popular.
    bought = csr_array(np.array([[1, 1, 1, 0], [1, 1, 0, 0], [1, 0, 0, 0]]))
    for lists, expected in (
        ({0: [0, 1, 2]}, 0),
        ({0: [0]}, (3 - 2) / 2),
        ({0: [3]}, -1),
        ({0: [2], 2: [1]}, ((1 + 2) - (2 + 3)) / (2 + 3)),
    ):
        found = list_metrics(ranking_of(lists), bought, ks=(3,))["popularity_lift@3"]
        assert found == pytest.approx(expected)


@settings(deadline=None, max_examples=50)
@given(lists_by_customer, st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_quotients_of_some_customers_are_the_metrics_of_their_lists(lists, seed, density):
    rng = np.random.default_rng(seed)
    bought = csr_array((rng.random((9, 12)) < density).astype(float))
    some = np.flatnonzero(rng.random(9) < 0.5)
    quotients = list_quotients(ranking_of(lists), bought, ks=KS)
    theirs = {customer: items for customer, items in lists.items() if customer in some}
    expected = list_metrics(ranking_of(theirs), bought, ks=KS)
    assert list(quotients) == [f"{name}@{k}" for k in KS for name in ("novelty", "popularity_lift")]
    for name, (numerator, denominator) in quotients.items():
        total = denominator[some].sum()
        actual = numerator[some].sum() / total if total else np.nan
        assert actual == pytest.approx(expected[name], abs=1e-12, nan_ok=True)


def test_quotients_are_the_same_bits_in_any_order_of_entries():
    rng = np.random.default_rng(3)
    bought = csr_array((rng.random((9, 12)) < 0.4).astype(float))
    ranking = ranking_of({customer: rng.permutation(12).tolist() for customer in range(9)})
    expected = list_quotients(ranking, bought)
    for seed in range(5):
        actual = list_quotients(shuffled(ranking, seed), bought)
        for name, parts in expected.items():
            assert np.array(actual[name]).tolist() == np.array(parts).tolist()


@pytest.mark.filterwarnings("error")
def test_nothing_to_judge():
    found = customer_metrics(ranking_of({}), pairs_of({}))
    assert found.shape == (0, 18)
    assert all(
        np.isnan(value) for value in list_metrics(ranking_of({}), csr_array((0, 0))).values()
    )


@pytest.mark.filterwarnings("error")
def test_intervals_without_customers_are_nan():
    interval = bootstrap_interval(np.empty((0, 2)))
    assert all(np.isnan(bound).all() and bound.shape == (2,) for bound in interval)


def test_interval_of_one_customer_is_its_value():
    assert np.array(bootstrap_interval(np.array([[0.25, 1.0]]))).tolist() == [[0.25, 1.0]] * 3


def test_interval_equals_resampling_customer_by_customer():
    values = np.random.default_rng(1).random((40, 2))
    rng = np.random.default_rng(7)
    means = [values[rng.integers(40, size=40)].mean(axis=0) for _ in range(300)]
    found = bootstrap_interval(values, replicates=300, seed=7)
    assert found.estimate == pytest.approx(values.mean(axis=0))
    for bound, share in ((found.lower, 0.025), (found.upper, 0.975)):
        expected = np.quantile(means, share, axis=0, method="inverted_cdf")
        assert bound == pytest.approx(expected, abs=1e-12)


def test_interval_has_the_width_of_the_normal_approximation():
    values = np.random.default_rng(2).normal(3, 2, size=(4000, 1))
    found = bootstrap_interval(values, replicates=4000)
    half_width = 1.96 * values.std() / math.sqrt(4000)
    assert found.lower == pytest.approx(found.estimate - half_width, abs=half_width / 10)
    assert found.upper == pytest.approx(found.estimate + half_width, abs=half_width / 10)


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 60), st.integers(0, 2**32 - 1), st.sampled_from([1e-9, 1.0, 1e9]))
def test_sums_are_exact_so_that_order_cannot_matter(n_customers, seed, size):
    values = np.random.default_rng(seed).normal(0, size, (n_customers, 1))
    found = bootstrap_interval(np.hstack([values, values[::-1], -values]), replicates=20, seed=seed)
    assert found.estimate[0] == found.estimate[1] == -found.estimate[2]
    assert found.estimate[0] == pytest.approx(
        math.fsum(values[:, 0]) / n_customers, abs=size * 1e-12
    )


def test_bad_values_are_refused():
    with pytest.raises(ValueError, match="finite"):
        bootstrap_interval(np.array([[np.nan]]))
    with pytest.raises(ValueError, match="replicates must be at least 1"):
        bootstrap_interval(np.ones((2, 1)), replicates=0)
    with pytest.raises(ValueError, match="replicates must be at least 1"):
        interval_of(np.ones((1, 2)))


def test_calls_with_one_seed_draw_the_same_customers():
    values = np.random.default_rng(4).random((30, 2))
    both = resampled_means(values, 20, seed=1)
    assert both.shape == (21, 2)
    assert resampled_means(values[:, 1:], 20, seed=1)[:, 0] == pytest.approx(both[:, 1], abs=1e-9)
    assert resampled_means(values, 20, seed=2)[1:].tolist() != both[1:].tolist()


@pytest.mark.filterwarnings("error")
def test_intervals_of_ratios_that_are_infinite_or_undefined():
    means = np.array([[1, np.nan, 0.5]] + [[np.inf, 2, 0.5]] * 40)
    found = interval_of(means)
    assert found.estimate[0] == 1
    assert found.lower.tolist() == found.upper.tolist() == [np.inf, 2, 0.5]
    means[7, 0] = np.nan
    assert np.isnan([interval_of(means).lower[0], interval_of(means).upper[0]]).all()
