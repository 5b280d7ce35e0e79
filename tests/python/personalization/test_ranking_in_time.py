from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from purchase_shop import (
    NEWEST_DAY,
    PurchaseShop,
    cutoff,
    purchase_table,
    random_shop,
)
from threadpoolctl import threadpool_limits

from personalization.explaining import strongest_sources
from personalization.ranking import Ranker
from personalization.ranking_in_time import FALLBACK, Window, rank_in_time

N_WINDOWS = 2
KEYS = ["step", "customer_id", "item_id"]


@pytest.fixture(scope="module", autouse=True)
def _light_rankers():
    """Small rankers: here it matters what they know, not how much they make of it."""
    light = partial(Ranker.fit, n_members=2, iterations=15, max_bins=16)
    with pytest.MonkeyPatch.context() as patch, threadpool_limits(1):
        patch.setattr(Ranker, "fit", staticmethod(light))
        yield


def rank(shop, **options) -> pd.DataFrame:
    settings = {
        "steps": range(7),
        "n_backtests": 2,
        "n_windows": N_WINDOWS,
        "min_positives": 50,
        "k": 8,
        "k_backtest": 6,
    }
    return rank_in_time(shop, **(settings | options))


def of_steps(ranked: pd.DataFrame, is_wanted: Callable[[pd.Series], pd.Series]) -> pd.DataFrame:
    return ranked[is_wanted(ranked["step"])].reset_index(drop=True)


def assert_same(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    assert len(expected) > 100
    pd.testing.assert_frame_equal(actual, expected, check_exact=True)


def have_other_scores(actual: pd.DataFrame, expected: pd.DataFrame) -> bool:
    both = actual.merge(expected, on=KEYS)
    assert len(both) > 100
    return not np.allclose(both["score_x"], both["score_y"], atol=1e-3)


@pytest.fixture(scope="module")
def shop() -> PurchaseShop:
    return random_shop(3, n_customers=90, n_items=25)


@pytest.fixture(scope="module")
def ranked(shop: PurchaseShop) -> pd.DataFrame:
    return rank(shop)


def forget(purchases: pd.DataFrame) -> pd.DataFrame:
    return purchases.iloc[:0]


def shuffle(purchases: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return purchases.assign(item_id=rng.permutation(purchases["item_id"].to_numpy()))


def crowd(purchases: pd.DataFrame) -> pd.DataFrame:
    """Everyone, and many who are new, buys a new item every day."""
    customers = [*purchases["customer_id"].unique(), *(f"later{i}" for i in range(30))]
    days = range(purchases["day"].min(), NEWEST_DAY)
    return purchase_table([(c, f"new{d % 3}", d) for c in customers for d in days])


class TestNothingLaterIsKnown:
    @pytest.mark.parametrize("future", [forget, shuffle, crowd])
    @pytest.mark.parametrize("step", [1, 2])
    def test_what_follows_a_cutoff_does_not_change_its_rows(self, shop, ranked, step, future):
        changed = shop.with_purchases(
            pd.concat([shop.before(step), future(shop.after(step))], ignore_index=True)
        )
        actual = rank(changed)
        assert_same(of_steps(actual, lambda s: s >= step), of_steps(ranked, lambda s: s >= step))
        assert of_steps(ranked, lambda s: s >= step)["scored_by"].eq("ranker").all()
        # The later cutoffs do know it.
        with pytest.raises(AssertionError):
            assert_same(of_steps(actual, lambda s: s < step), of_steps(ranked, lambda s: s < step))

    @pytest.mark.parametrize("step", [1, 2])
    def test_a_ranker_learns_from_no_interval_that_ends_after_its_cutoff(self, shop, ranked, step):
        lied_to = rank(Liar(shop, steps=range(step + 1)))
        assert_same(of_steps(lied_to, lambda s: s >= step), of_steps(ranked, lambda s: s >= step))
        # The next cutoff is the first whose ranker hears the lie, and it believes it.
        assert have_other_scores(
            of_steps(lied_to, lambda s: s == step - 1), of_steps(ranked, lambda s: s == step - 1)
        )

    def test_a_ranker_that_knew_the_next_interval_would_rank_otherwise(self, shop):
        """All habits end at a cutoff; who scores it cannot know, and who knows scores otherwise."""
        others = shop.before(1).assign(customer_id=shuffle(shop.before(1))["customer_id"])
        rng = np.random.default_rng(1)
        ids, items = (others[name].unique() for name in ("customer_id", "item_id"))
        own = set(zip(others["customer_id"], others["item_id"], strict=True))
        pairs = [(c, i) for c in ids for i in items if (c, i) not in own]
        novelties = purchase_table([(c, i, cutoff(1) + rng.integers(28)) for c, i in pairs])
        turned = shop.with_purchases(pd.concat([shop.before(1), novelties], ignore_index=True))
        windows = {}
        for step in (3, 2, 1):
            inputs = turned.inputs(step)
            window = Window.open(inputs, turned.is_offered(inputs, step))
            windows[step] = (window.candidates, window.label(turned.bought_next(step)))
        is_bought = windows[1][0].is_bought
        honest = Ranker.fit([windows[3], windows[2]]).score(windows[1][0])
        leaking = Ranker.fit([windows[2], windows[1]]).score(windows[1][0])
        assert honest[is_bought].mean() > 2 * honest[~is_bought].mean()
        assert leaking[is_bought].mean() < leaking[~is_bought].mean()

        rows = of_steps(rank(turned), lambda s: s == 1)
        expected = pd.DataFrame(
            {
                "customer_id": inputs.interactions.customer_ids[windows[1][0].customer],
                "item_id": inputs.interactions.item_ids[windows[1][0].item],
                "honest": honest,
            }
        )
        found = rows.merge(expected, on=["customer_id", "item_id"])
        assert len(found) == len(rows) > 100
        np.testing.assert_array_equal(found["score"], found["honest"].round(6))

    def test_a_ranker_learns_from_as_many_windows_as_asked(self, shop):
        truth = rank(shop, n_windows=1)
        beyond = rank(Liar(shop, steps=[2]), n_windows=1)
        within = rank(Liar(shop, steps=[1]), n_windows=1)
        newest = of_steps(truth, lambda s: s == 0)
        assert_same(of_steps(beyond, lambda s: s == 0), newest)
        assert have_other_scores(of_steps(within, lambda s: s == 0), newest)


@dataclass(frozen=True)
class Liar:
    """A shop that tells the opposite of what was bought after some cutoffs."""

    shop: PurchaseShop
    steps: range | list[int]

    def inputs(self, step):
        return self.shop.inputs(step)

    def is_offered(self, inputs, step):
        return self.shop.is_offered(inputs, step)

    def bought_next(self, step):
        truth = self.shop.bought_next(step)
        if step not in self.steps:
            return truth
        known = self.shop.purchases
        items = known[["item_id"]].drop_duplicates()
        every = known[["customer_id"]].drop_duplicates().merge(items, how="cross")
        return pd.concat([every, truth, truth]).drop_duplicates(keep=False)


class TestFallback:
    def test_too_few_positives(self, shop, ranked):
        actual = rank(shop, min_positives=10**9)
        assert set(actual["scored_by"]) == {FALLBACK} == {"tifu_knn"}
        keys = [actual["step"], actual["customer_id"]]
        share = actual[FALLBACK] / actual.groupby(keys)[FALLBACK].transform("max")
        np.testing.assert_allclose(actual["score"], share, atol=1e-6)
        assert set(ranked["scored_by"]) == {"ranker"}

    def test_a_purchase_of_long_ago_does_not_break_it(self, shop):
        """Its scores of new items are then billions of times smaller than those of bought ones."""
        old = shop.purchases.head(3).assign(day=shop.purchases["day"].min() - 4000)
        aged = shop.with_purchases(pd.concat([old, shop.purchases], ignore_index=True))
        actual = rank(aged, min_positives=10**9)
        assert actual["score"].between(0, 1, inclusive="right").all()

    def test_the_limit_counts_the_candidates_bought_in_all_windows(self, shop):
        n_positive = 0
        for step in (1, 2):
            inputs = shop.inputs(step)
            window = Window.open(inputs, shop.is_offered(inputs, step))
            n_positive += window.label(shop.bought_next(step)).sum()
        for limit, expected in ((n_positive, "ranker"), (n_positive + 1, FALLBACK)):
            actual = rank(shop, n_backtests=1, min_positives=limit)
            assert set(of_steps(actual, lambda s: s == 0)["scored_by"]) == {expected}

    def test_the_oldest_cutoff_has_nothing_to_learn_from(self, shop):
        actual = rank(shop, steps=range(3))
        scored_by = actual.groupby("step")["scored_by"].unique().map(list).to_dict()
        assert scored_by == {0: ["ranker"], 1: ["ranker"], 2: [FALLBACK]}

    def test_no_ranker_ships_that_was_never_judged(self, shop):
        """With two cutoffs only the newest could learn, and with no back-tests none is judged."""
        for options in ({"steps": range(2)}, {"n_backtests": 0}):
            actual = rank(shop, **options)
            assert set(actual["scored_by"]) == {FALLBACK}

    def test_a_young_shop_has_but_the_newest_cutoff(self, shop):
        actual = rank(shop, steps=[0])
        assert set(actual["step"]) == {0}
        assert set(actual["scored_by"]) == {FALLBACK}


class TestRows:
    def test_ranks_order_all_candidates_by_score(self, shop):
        actual = of_steps(rank(shop, n_backtests=1, k=1000), lambda s: s == 0)
        popularity = shop.before(0).groupby("item_id")["customer_id"].nunique()
        for _, rows in actual.groupby("customer_id"):
            order = sorted(
                zip(-rows["score"], -popularity[rows["item_id"]], rows["item_id"], strict=True)
            )
            by_rank = rows.sort_values("rank")
            assert by_rank["item_id"].tolist() == [item for _, _, item in order]
            assert by_rank["rank"].tolist() == list(range(1, len(rows) + 1))
            new = by_rank[~by_rank["is_bought"]]
            assert new["new_rank"].tolist() == list(range(1, len(new) + 1))
            assert by_rank.loc[by_rank["is_bought"], "new_rank"].isna().all()
        assert actual["is_bought"].nunique() == 2

    def test_the_best_of_all_of_new_and_of_bought_are_kept(self, shop, ranked):
        deep = rank(shop, k=1000, k_backtest=1000)
        depth = np.where(deep["step"] == 0, 8, 6)
        keys = ["step", "customer_id", "is_bought"]
        rank_in_kind = deep.sort_values("rank").groupby(keys).cumcount().sort_index() + 1
        is_kept = (deep["rank"] <= depth) | (rank_in_kind <= depth)
        assert_same(ranked, deep[is_kept].reset_index(drop=True))
        assert len(ranked) < len(deep)

    def test_cutoffs_customers_and_items_in_order(self, ranked):
        assert not ranked.duplicated(KEYS).any()
        assert_same(ranked, ranked.sort_values(KEYS, ignore_index=True))
        assert set(ranked["step"]) == {0, 1, 2}

    def test_is_bought_and_reasons(self, shop):
        strange = replace(shop, strangers=("stranger",), not_offered=("i03",))
        actual = of_steps(rank(strange), lambda s: s == 0)
        bought = set(zip(shop.purchases["customer_id"], shop.purchases["item_id"], strict=True))
        inputs = strange.inputs(0)
        neighbors = Window.open(inputs, strange.is_offered(inputs, 0)).neighbors
        ids = inputs.interactions
        for row in actual.itertuples():
            assert row.is_bought == ((row.customer_id, row.item_id) in bought)
            if row.is_bought:
                assert (row.reason_code, row.reason_item_id) == ("bought_before", row.item_id)
                continue
            [source] = strongest_sources(
                inputs,
                neighbors,
                np.flatnonzero(ids.customer_ids == row.customer_id),
                np.flatnonzero(ids.item_ids == row.item_id),
            )
            if source < 0:
                is_stranger = row.customer_id == "stranger"
                assert row.reason_code == ("popular" if is_stranger else "similar_taste")
                assert pd.isna(row.reason_item_id)
            else:
                assert row.reason_code == "similar_to_bought"
                assert row.reason_item_id == ids.item_ids[source]
                assert (row.customer_id, row.reason_item_id) in bought
        assert actual["reason_code"].value_counts().min() >= 5
        assert (actual["reason_code"] == "popular").equals(actual["customer_id"] == "stranger")
        assert "i03" not in set(actual["item_id"])
        assert "i03" in set(shop.purchases["item_id"])

    def test_columns_are_those_documented(self, repo_root: Path, ranked):
        folder = repo_root / "python_models/models/recommendations"
        text = (folder / "_recommendations__python.yml").read_text(encoding="utf-8")
        models = {model["name"]: model for model in yaml.safe_load(text)["models"]}
        documented = [column["name"] for column in models["py_ranked_candidates"]["columns"]]
        assert ranked.columns.tolist() == documented


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("min_positives", [1, 1000])
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], set(), id="empty"),
        pytest.param([("c", "x", 5)], {("c", "x")}, id="one purchase"),
        pytest.param(
            [("c", f"x{i}", day) for i in range(3) for day in (5, 60, 100, 200, 270)],
            {("c", f"x{i}") for i in range(3)},
            id="one customer",
        ),
        pytest.param(
            [(f"c{i}", "x", day) for i in range(4) for day in (5, 60, 100 + i, 270)],
            {(f"c{i}", "x") for i in range(4)},
            id="one item",
        ),
        pytest.param(
            [(f"c{i}", f"x{j}", day) for i in range(5) for j in range(3) for day in range(5, 280)],
            {(f"c{i}", f"x{j}") for i in range(5) for j in range(3)},
            id="identical customers",
        ),
        pytest.param(
            [(f"c{i}", f"x{j}", day) for i in range(5) for j in (0, i + 1) for day in (5, 190)],
            {(f"c{i}", f"x{j}") for i in range(5) for j in range(6)},
            id="bought by everyone",
        ),
    ],
)
def test_edge_shops(rows, expected, min_positives):
    shop = PurchaseShop(purchase_table(rows))
    actual = rank(shop, min_positives=min_positives)
    newest = actual[actual["step"] == 0]
    assert set(zip(newest["customer_id"], newest["item_id"], strict=True)) == expected
    assert np.isfinite(actual["score"]).all()
    assert actual.dtypes.equals(rank(PurchaseShop(purchase_table([]))).dtypes)
