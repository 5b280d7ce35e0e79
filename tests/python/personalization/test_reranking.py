import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.reranking import explore, rerank

COLUMNS = ["customer_id", "item_id", "category", "tier", "score", "popularity"]


def candidates(*rows):
    return typed(pd.DataFrame(rows, columns=COLUMNS))


def typed(frame):
    types = dict.fromkeys(COLUMNS[:3], "str")
    return frame.astype({**types, "tier": "int64", "score": "float64", "popularity": "int64"})


def of_one_customer(*rows):
    """Rows of item, category and score."""
    return candidates(*(("c", item, category, 1, score, 1) for item, category, score in rows))


def random_candidates(seed, *, n_customers, n_items, n_categories, n_tiers):
    """Few distinct scores and popularities, so that ties are common; some categories are null."""
    rng = np.random.default_rng(seed)
    customer, item = np.nonzero(rng.random((n_customers, n_items)) < 0.7)
    categories = rng.integers(0, n_categories, n_items)
    popularity = rng.integers(0, 3, n_items)
    frame = pd.DataFrame(
        {
            "customer_id": [f"c{c}" for c in customer],
            "item_id": [f"i{i}" for i in item],
            "category": [f"k{k}" if k else None for k in categories[item]],
            "tier": rng.integers(0, n_tiers, len(item)),
            "score": rng.integers(0, 6, len(item)) / 10,
            "popularity": popularity[item],
        }
    )
    return typed(frame.sample(frac=1, random_state=seed))


frames = st.builds(
    random_candidates,
    st.integers(0, 2**32 - 1),
    n_customers=st.integers(1, 4),
    n_items=st.integers(1, 15),
    n_categories=st.integers(1, 5),
    n_tiers=st.integers(1, 3),
)
limits = st.one_of(st.none(), st.integers(1, 4))
diversities = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.9, 1.0])


def text(category):
    return "" if pd.isna(category) else category


def greedy(frame, *, length, max_per_category, diversity):
    """Choose item by item, as the docstring says."""
    limit = max_per_category or len(frame)
    lists = []
    for _, of_customer in sorted(frame.groupby("customer_id")):
        best = of_customer.groupby("tier")["score"].max().to_dict()
        waiting, placed, counts = list(of_customer.to_dict("records")), [], {}
        while len(placed) < length:
            choices = []
            for row in waiting:
                n_above = counts.get(text(row["category"]), 0)
                if n_above >= limit:
                    continue
                share = round(row["score"] / best[row["tier"]], 9) if row["score"] else 0.0
                gain = round(share * (1 - diversity) ** n_above, 9)
                key = (row["tier"], -gain, -share, -row["popularity"], row["item_id"])
                choices.append((key, row))
            if not choices:
                break
            _, row = min(choices, key=lambda choice: choice[0])
            waiting.remove(row)
            counts[text(row["category"])] = counts.get(text(row["category"]), 0) + 1
            placed.append({**row, "rank": len(placed) + 1})
        lists.extend(placed)
    return typed(pd.DataFrame(lists, columns=[*COLUMNS, "rank"])).astype({"rank": "int64"})


@settings(deadline=None, max_examples=150)
@given(frames, st.integers(1, 12), limits, diversities)
def test_equals_the_greedy_choice(frame, length, max_per_category, diversity):
    arguments = {
        "length": length,
        "max_per_category": max_per_category,
        "diversity": diversity,
    }
    expected = greedy(frame, **arguments)
    pd.testing.assert_frame_equal(rerank(frame, **arguments), expected)


@settings(deadline=None, max_examples=50)
@given(frames, st.integers(1, 6), diversities)
def test_no_other_list_of_a_tier_has_a_larger_sum_of_gains(frame, length, diversity):
    one = frame[frame["customer_id"] == frame["customer_id"].min()].assign(tier=1).head(8)
    result = rerank(one, length=length, max_per_category=None, diversity=diversity)

    def sum_of_gains(rows):
        counts, total = {}, 0.0
        for _, category, score in sorted(rows, key=lambda row: -row[2]):
            n_above = counts.get(text(category), 0)
            counts[text(category)] = n_above + 1
            total += score * (1 - diversity) ** n_above
        return total

    columns = ["item_id", "category", "score"]
    rows = list(one[columns].itertuples(index=False, name=None))
    best = max(map(sum_of_gains, itertools.combinations(rows, len(result))))
    placed = list(result[columns].itertuples(index=False, name=None))
    assert sum_of_gains(placed) == pytest.approx(best)


@settings(deadline=None, max_examples=80)
@given(frames, st.integers(1, 10), limits)
def test_diversity_0_is_the_order_by_score(frame, length, max_per_category):
    by_score = frame.sort_values(
        ["customer_id", "tier", "score", "popularity", "item_id"],
        ascending=[True, True, False, False, True],
    )
    key = [by_score["customer_id"], by_score["category"].map(text, na_action=None)]
    kept = by_score[by_score.groupby(key).cumcount() < (max_per_category or len(frame))]
    expected = kept.groupby("customer_id").head(length).reset_index(drop=True)
    result = rerank(frame, length=length, max_per_category=max_per_category)
    pd.testing.assert_frame_equal(result[COLUMNS], expected)


@settings(deadline=None, max_examples=80)
@given(frames, st.integers(1, 10), limits)
def test_more_diversity_never_means_fewer_categories(frame, length, max_per_category):
    counts = [
        rerank(frame, length=length, max_per_category=max_per_category, diversity=diversity)
        .groupby("customer_id")["category"]
        .nunique(dropna=False)
        for diversity in (0.0, 0.1, 0.3, 0.5, 0.9, 1.0)
    ]
    for less, more in itertools.pairwise(counts):
        assert (more >= less).all()


def test_diversity_on_an_example():
    frame = of_one_customer(
        ("a1", "a", 10), ("a2", "a", 9), ("a3", "a", 8), ("b1", "b", 7), ("c1", "c", 3)
    )  # fmt: skip

    def items(diversity):
        result = rerank(frame, length=4, max_per_category=None, diversity=diversity)
        return result["item_id"].tolist()

    assert items(0.0) == ["a1", "a2", "a3", "b1"]
    # 9 · 0.75 = 6.75 and 8 · 0.75² = 4.5
    assert items(0.25) == ["a1", "b1", "a2", "a3"]
    # 9 · 0.5 = 4.5 and 8 · 0.5² = 2
    assert items(0.5) == ["a1", "b1", "a2", "c1"]
    assert items(1.0) == ["a1", "b1", "c1", "a2"]


@settings(deadline=None, max_examples=80)
@given(frames, st.integers(1, 10), st.integers(1, 3), diversities, st.floats(0, 1))
def test_limits_hold_on_every_list(frame, length, max_per_category, diversity, share):
    lists = rerank(frame, length=length, max_per_category=max_per_category, diversity=diversity)
    pool = pool_of(*((f"i{n}", "k1" if n % 2 else None, n) for n in range(20)))
    explored = explore(lists, pool, share=share, seed=1, max_per_category=max_per_category)
    for result in (lists, explored):
        by_customer = result.groupby("customer_id")
        assert (by_customer.size() <= length).all()
        of_category = result.groupby(["customer_id", "category"], dropna=False)
        assert (of_category.size() <= max_per_category).all()
        assert result["rank"].equals(by_customer.cumcount() + 1)
        assert by_customer["tier"].is_monotonic_increasing.all()
        assert not result.duplicated(["customer_id", "item_id"]).any()


def test_a_category_is_closed_in_all_tiers():
    frame = candidates(
        ("c", "a1", "a", 1, 1, 1), ("c", "a2", "a", 2, 9, 1), ("c", "b1", "b", 2, 1, 1),
        ("d", "a2", "a", 2, 9, 1),
    )  # fmt: skip
    result = rerank(frame, max_per_category=1)
    assert result["item_id"].tolist() == ["a1", "b1", "a2"]
    assert result["rank"].tolist() == [1, 2, 1]


def test_items_above_count_in_lower_tiers_too():
    frame = candidates(
        ("c", "a1", "a", 1, 1, 1), ("c", "a2", "a", 2, 1, 1), ("c", "b1", "b", 2, 0.8, 1)
    )
    result = rerank(frame, max_per_category=None, diversity=0.5)
    assert result["item_id"].tolist() == ["a1", "b1", "a2"]


def test_each_tier_has_its_own_scale():
    frame = candidates(
        ("c", "a", None, 1, 1e12, 1), ("c", "b", None, 2, 1, 9), ("c", "d", None, 2, 2, 1)
    )
    assert rerank(frame, max_per_category=None)["item_id"].tolist() == ["a", "d", "b"]


def test_null_categories_are_one_category():
    frame = of_one_customer(("n1", None, 3), ("n2", None, 2), ("a1", "a", 1))
    result = rerank(frame, max_per_category=1)
    assert result["item_id"].tolist() == ["n1", "a1"]
    only_null = frame[frame["category"].isna()].astype({"category": "float64"})
    assert rerank(only_null, max_per_category=1)["item_id"].tolist() == ["n1"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("score", [0, 0.5])
def test_equal_scores_go_to_the_more_popular_then_to_the_lower_id(score):
    frame = candidates(
        ("c", "z", "a", 1, score, 2), ("c", "y", "a", 1, score, 2), ("c", "x", "b", 1, score, 1)
    )
    assert rerank(frame, max_per_category=None)["item_id"].tolist() == ["y", "z", "x"]


def test_float_noise_never_decides():
    frame = candidates(("c", "a", None, 1, 0.1 + 0.2, 1), ("c", "b", None, 1, 0.3, 2))
    assert rerank(frame, max_per_category=None)["item_id"].tolist() == ["b", "a"]
    # The gain of a2 is 1 - 0.9 = 0.1 - 2e-17, that of b 0.1; when equal, the larger score is first.
    frame = candidates(
        ("c", "a1", "a", 1, 1, 1), ("c", "a2", "a", 1, 1, 1), ("c", "b", "b", 1, 0.1, 9)
    )
    result = rerank(frame, max_per_category=None, diversity=0.9)
    assert result["item_id"].tolist() == ["a1", "a2", "b"]


def test_further_columns_are_kept_and_a_rank_is_replaced():
    frame = of_one_customer(("a", "k", 1), ("b", "k", 2)).assign(rank=9, reason=["x", "y"])
    result = rerank(frame, max_per_category=None)
    assert result.columns.tolist() == frame.columns.tolist()
    assert result["rank"].tolist() == [1, 2]
    assert result["reason"].tolist() == ["y", "x"]


def test_no_candidates():
    empty = candidates()
    lists = rerank(empty, max_per_category=2, diversity=0.5)
    pd.testing.assert_frame_equal(lists.drop(columns="rank"), empty)
    explored = explore(lists, pool_of(("i", "a", 1)), share=1, seed=0)
    pd.testing.assert_frame_equal(explored.drop(columns="is_exploration"), lists)
    assert explored["is_exploration"].dtype == bool


def test_one_candidate():
    frame = of_one_customer(("a", "k", 0))
    result = rerank(frame, length=1, max_per_category=1, diversity=1)
    pd.testing.assert_frame_equal(result, frame.assign(rank=1))


@settings(deadline=None, max_examples=40)
@given(frames, limits, diversities, st.integers(0, 99), st.randoms(use_true_random=False))
def test_row_order_does_not_matter(frame, max_per_category, diversity, seed, random):
    def shuffled(rows):
        return rows.iloc[random.sample(range(len(rows)), len(rows))]

    arguments = {"length": 6, "max_per_category": max_per_category, "diversity": diversity}
    lists = rerank(frame, **arguments)
    pd.testing.assert_frame_equal(rerank(shuffled(frame), **arguments), lists)
    options = {"share": 0.5, "seed": seed, "max_per_category": max_per_category}
    explored = explore(lists, POOL, **options)
    again = explore(shuffled(lists), shuffled(POOL), **options)
    pd.testing.assert_frame_equal(again, explored)


@pytest.mark.parametrize(
    "argument",
    [{"length": 0}, {"max_per_category": 0}, {"diversity": -0.1}, {"diversity": 1.1}],
)
def test_rejects_bad_arguments(argument):
    with pytest.raises(ValueError, match=next(iter(argument))):
        rerank(candidates(), **{"max_per_category": None, **argument})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": -1.0}, "score"),
        ({"score": np.nan}, "score"),
        ({"tier": np.nan}, "tier"),
        ({"popularity": np.nan}, "popularity"),
        ({"item_id": "a"}, "duplicate rows for customer_id, item_id"),
        ({"customer_id": 1}, "customer_id must be text"),
    ],
)
def test_rejects_bad_candidates(change, message):
    frame = of_one_customer(("a", "k", 1), ("b", "k", 1))
    with pytest.raises(ValueError, match=message):
        rerank(frame.assign(**change), max_per_category=None)


def test_rejects_missing_columns():
    with pytest.raises(ValueError, match="category, tier"):
        rerank(candidates().drop(columns=["category", "tier"]), max_per_category=None)


def pool_of(*rows):
    frame = pd.DataFrame(rows, columns=["item_id", "category", "popularity"])
    return frame.astype({"item_id": "str", "category": "str", "popularity": "int64"})


POOL = pool_of(*((f"p{n}", f"k{n % 4}" if n % 5 else None, n) for n in range(30)))


def lists_of(*customer_ids, length=10):
    rows = [
        (customer, f"i{n}", f"k{n % 5}", 1 + n // 5, 1 / (n + 1), 100)
        for customer in customer_ids
        for n in range(length)
    ]
    return rerank(candidates(*rows), length=length, max_per_category=None)


def test_share_0_leaves_the_lists_unchanged():
    lists = lists_of("c1", "c2").assign(reason_count=3)
    explored = explore(lists, POOL, share=0, seed=1)
    pd.testing.assert_frame_equal(explored, lists.assign(is_exploration=False))


@pytest.mark.parametrize(("share", "n_explored"), [(0.04, 0), (0.1, 1), (0.26, 3), (1, 10)])
def test_the_last_places_are_given_away(share, n_explored):
    lists = lists_of("c1", "c2")
    explored = explore(lists, POOL, share=share, seed=1)
    assert explored["is_exploration"].equals(lists["rank"] > 10 - n_explored)
    kept, picks = (explored[explored["is_exploration"] == value] for value in (False, True))
    places = lists.loc[kept.index]
    pd.testing.assert_frame_equal(kept[lists.columns], places, check_dtype=False)
    assert (picks["score"] == 0).all()
    columns = ["item_id", "category", "popularity"]
    from_pool = picks[["item_id"]].merge(POOL, how="left", validate="many_to_one")
    pd.testing.assert_frame_equal(picks[columns].reset_index(drop=True), from_pool)
    unchanged = ["customer_id", "rank", "tier"]
    pd.testing.assert_frame_equal(explored[unchanged], lists[unchanged])


def test_column_types_are_those_of_the_lists():
    lists = lists_of("c1")
    explored = explore(lists, POOL, share=0.5, seed=1)
    assert explored.drop(columns="is_exploration").dtypes.equals(lists.dtypes)
    assert explored["is_exploration"].dtype == bool


def test_further_columns_of_a_pick_are_null():
    lists = lists_of("c1").assign(reason="bought_before")
    explored = explore(lists, POOL, share=0.3, seed=1)
    assert explored["reason"].isna().equals(explored["is_exploration"])


def test_draws_depend_on_seed_and_customer_only():
    few, many = lists_of("c1", "c2"), lists_of("c0", "c1", "c11", "c2")
    expected = explore(few, POOL, share=0.5, seed=1)
    actual = explore(many, POOL, share=0.5, seed=1)
    actual = actual[actual["customer_id"].isin(["c1", "c2"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(actual, expected)

    def items(customer, seed):
        explored = explore(lists_of(customer), POOL, share=0.5, seed=seed)
        return tuple(explored.loc[explored["is_exploration"], "item_id"])

    # Also the pair whose seed and id read the same when put side by side.
    draws = [items("c1", 1), items("c2", 1), items("c1", 2), items("1c", 1), items("c", 11)]
    assert len(set(draws)) == len(draws)


def test_draws_are_the_same_in_every_process():
    explored = explore(lists_of("c1"), POOL, share=0.3, seed=2017)
    assert explored["item_id"].tail(3).tolist() == ["p15", "p20", "p9"]


def test_a_larger_share_keeps_the_draws_of_a_smaller_one():
    few, many = (explore(lists_of("c"), POOL, share=share, seed=5) for share in (0.3, 0.8))
    pd.testing.assert_frame_equal(few[few["is_exploration"]], many.tail(3))


def test_draws_are_uniform():
    customers = [f"c{n:04}" for n in range(3000)]
    explored = explore(lists_of(*customers, length=2), POOL, share=0.5, seed=1)
    counts = explored.loc[explored["is_exploration"], "item_id"].value_counts()
    assert len(counts) == len(POOL)
    # 100 expected of each, standard deviation 10.
    assert counts.between(50, 150).all()


def test_items_of_the_list_are_never_drawn():
    lists = lists_of("c")
    own = pool_of(*((item, "other", 1) for item in lists["item_id"]))
    explored = explore(lists, own, share=1, seed=1)
    pd.testing.assert_frame_equal(explored, lists.assign(is_exploration=False))
    explored = explore(lists, pd.concat([own, POOL.head(2)]), share=1, seed=1)
    assert set(explored.loc[explored["is_exploration"], "item_id"]) == {"p0", "p1"}


@pytest.mark.parametrize("n_pool", [0, 1, 4])
def test_a_small_pool_replaces_fewer(n_pool):
    lists = lists_of("c")
    explored = explore(lists, POOL.head(n_pool), share=0.8, seed=1)
    assert explored["is_exploration"].sum() == n_pool
    n_kept = 10 - n_pool
    assert explored["item_id"].head(n_kept).equals(lists["item_id"].head(n_kept))
    assert explored["is_exploration"].tail(n_pool).all()


@settings(deadline=None, max_examples=80)
@given(frames, frames, limits, st.floats(0, 1), st.integers(0, 99))
def test_as_many_places_are_given_away_as_the_limit_allows(frame, other, limit, share, seed):
    lists = rerank(frame, max_per_category=limit)
    pool = other[["item_id", "category", "popularity"]].drop_duplicates("item_id")
    explored = explore(lists, pool, share=share, seed=seed, max_per_category=limit)
    for customer_id, before in lists.groupby("customer_id"):
        is_new = ~pool["item_id"].isin(before["item_id"])
        in_pool = pool.loc[is_new, "category"].map(text, na_action=None).value_counts()

        def fits(n_picks, before=before, in_pool=in_pool):
            kept = before["category"].head(len(before) - n_picks).map(text, na_action=None)
            room = (limit or np.inf) - kept.value_counts().reindex(in_pool.index, fill_value=0)
            return np.minimum(in_pool, room).sum() >= n_picks

        expected = max(n for n in range(round(share * len(before)) + 1) if fits(n))
        after = explored[explored["customer_id"] == customer_id]
        assert after["is_exploration"].sum() == expected


def test_a_full_category_is_not_drawn_until_a_place_of_it_is_given_away():
    lists = rerank(
        of_one_customer(("a1", "a", 4), ("b1", "b", 3), ("a2", "a", 2), ("c1", "c", 1)),
        max_per_category=2,
    )
    pool = pool_of(("a8", "a", 0), ("a9", "a", 0))

    def items(share):
        explored = explore(lists, pool, share=share, seed=3, max_per_category=2)
        return explored["item_id"].tolist()

    # a1 and a2 fill category a; c1 has to stay, and so do those above it.
    assert items(0.25) == items(1) == ["a1", "b1", "a2", "c1"]
    without_c = lists[lists["category"] != "c"]
    explored = explore(without_c, pool, share=1, seed=3, max_per_category=2)
    assert explored["is_exploration"].tolist() == [False, False, True]
    assert explored["item_id"].tolist()[:2] == ["a1", "b1"]


@pytest.mark.parametrize(
    "argument", [{"share": -0.1}, {"share": 1.1}, {"share": np.nan}, {"max_per_category": 0}]
)
def test_explore_rejects_bad_arguments(argument):
    with pytest.raises(ValueError, match=next(iter(argument))):
        explore(lists_of("c"), POOL, **{"share": 0.1, "seed": 1, **argument})


def test_explore_rejects_repeated_items_and_ranks():
    with pytest.raises(ValueError, match="duplicate rows for item_id"):
        explore(lists_of("c"), pd.concat([POOL, POOL]), share=0.1, seed=1)
    with pytest.raises(ValueError, match="duplicate rows for customer_id, rank"):
        explore(lists_of("c").assign(rank=1), POOL, share=0.1, seed=1)
