import math
from functools import partial

import numpy as np
import pandas as pd
import pytest
from purchase_shop import PurchaseShop, cutoff, purchase_table, random_shop

from personalization.backtesting import EVERYONE, RANKER, backtest
from personalization.generators.base import top_items
from personalization.generators.item_based import cosine
from personalization.generators.popularity import popular
from personalization.generators.registry import BASELINES
from personalization.generators.repeat import buy_again

GENERATORS = {"popular": popular, "buy_again": buy_again, "cosine": partial(cosine, neighbors=5)}
KS = (2, 5)
KEYS = ["step", "generator", "scope", "segment", "k", "metric"]
NO_RANKER = pd.DataFrame(
    columns=["step", "customer_id", "item_id", "rank", "new_rank", "scored_by"]
).astype({"step": "int64", "rank": "int64", "new_rank": "Int64"})


def judge(shop: PurchaseShop, ranked: pd.DataFrame = NO_RANKER, **options) -> pd.DataFrame:
    settings = {"steps": [1], "ks": KS, "replicates": 50}
    return backtest(shop, ranked, lambda _: GENERATORS, **(settings | options))


def look_up(table: pd.DataFrame, **keys) -> float:
    selected = table[(table[list(keys)] == pd.Series(keys)).all(axis="columns")]
    assert len(selected) == 1
    return selected["value"].item()


def slow_metrics(listed: list[str], wanted: set[str], k: int) -> dict[str, float]:
    """The metrics of one list, from their definitions."""
    hits = [item in wanted for item in listed[:k]]
    n_possible = min(k, len(wanted))
    ideal = sum(1 / math.log2(place + 2) for place in range(n_possible))
    return {
        "recall": sum(hits) / len(wanted),
        "precision": sum(hits) / k,
        "ndcg": sum(hit / math.log2(place + 2) for place, hit in enumerate(hits)) / ideal,
        "map": sum(hit * sum(hits[: place + 1]) / (place + 1) for place, hit in enumerate(hits))
        / n_possible,
        "hit_rate": float(any(hits)),
        "mrr": next((1 / (place + 1) for place, hit in enumerate(hits) if hit), 0.0),
    }


def lists_of(picks, inputs) -> dict[str, list[str]]:
    ids = inputs.interactions
    lists: dict[str, list[str]] = {}
    for customer, item in zip(picks.customer, picks.item, strict=True):
        lists.setdefault(ids.customer_ids[customer], []).append(ids.item_ids[item])
    return lists


@pytest.fixture(scope="module")
def shop() -> PurchaseShop:
    """Some of what is bought after the cutoff was never sold before, some by new customers."""
    shop = random_shop(2, n_customers=25, n_items=15)
    day = cutoff(1) + 3
    later = [("c001", "unheard of", day), ("c001", "unseen", day), ("c002", "unseen", day)]
    later += [("newcomer", "i03", day), ("newcomer", "unseen", day)]
    later += [("c001", item, day) for item in ("i00", "i02", "i03")]
    # A customer who buys nothing but the unknown, and one who buys nothing.
    rest = shop.purchases[
        ~shop.purchases["customer_id"].isin(["c002", "c003"]) | (shop.purchases["day"] < cutoff(1))
    ]
    return shop.with_purchases(pd.concat([rest, purchase_table(later)], ignore_index=True))


@pytest.fixture(scope="module")
def judged(shop: PurchaseShop) -> pd.DataFrame:
    return judge(shop)


def slow_wanted(shop: PurchaseShop, scope: str) -> dict[str, set[str]]:
    """What known customers bought next, of all items or of those new to them."""
    known = set(shop.before(1)["customer_id"])
    before = set(zip(shop.before(1)["customer_id"], shop.before(1)["item_id"], strict=True))
    wanted: dict[str, set[str]] = {}
    for row in shop.bought_next(1).itertuples():
        is_new = (row.customer_id, row.item_id) not in before
        if row.customer_id in known and (scope == "all" or is_new):
            wanted.setdefault(row.customer_id, set()).add(row.item_id)
    return wanted


@pytest.mark.parametrize("scope", ["all", "new"])
@pytest.mark.parametrize("name", list(GENERATORS))
def test_equals_the_definitions(shop, judged, name, scope):
    inputs = shop.inputs(1)
    wanted = slow_wanted(shop, scope)
    picks = top_items(inputs, GENERATORS[name](inputs), k=5, exclude_bought=scope == "new")
    lists = lists_of(picks, inputs)
    segment = dict(zip(inputs.interactions.customer_ids, inputs.customers["segment"], strict=True))
    assert set(segment.values()) == {"few", "many"}
    for group in (EVERYONE, "few", "many"):
        customers = [c for c in wanted if group in (EVERYONE, segment[c])]
        for k in KS:
            slow = [slow_metrics(lists.get(c, []), wanted[c], k) for c in customers]
            keys = {"generator": name, "scope": scope, "segment": group, "k": k}
            for metric in slow[0]:
                expected = np.mean([values[metric] for values in slow])
                actual = look_up(judged, metric=metric, **keys)
                assert actual == pytest.approx(expected, abs=1e-9)
            rows = judged[(judged[list(keys)] == pd.Series(keys)).all(axis="columns")]
            of_customers = rows[rows["metric"].isin(slow[0])]
            assert set(of_customers["customers"]) == {len(customers)}
    assert wanted["c002"] == {"unseen"}
    assert "c003" not in wanted
    assert "newcomer" not in wanted


def test_items_that_nobody_could_know_count_as_missed():
    """All of one's purchases but the unknown ones foreseen is not a perfect recall."""
    rows = [("a", "x", 5), ("b", "x", 5), ("a", "x", cutoff(1)), ("a", "y", cutoff(1))]
    rows += [("b", "x", cutoff(1))]
    judged = judge(PurchaseShop(purchase_table(rows)))
    keys = {"generator": "buy_again", "scope": "all", "segment": EVERYONE, "k": 5}
    assert look_up(judged, metric="recall", **keys) == (1 / 2 + 1) / 2
    # Two unknown items are two misses, not one.
    rows += [("a", "z", cutoff(1))]
    judged = judge(PurchaseShop(purchase_table(rows)))
    assert look_up(judged, metric="recall", **keys) == pytest.approx((1 / 3 + 1) / 2)
    # They are new to the customer.
    assert look_up(judged, metric="recall", **keys | {"scope": "new"}) == 0
    assert set(judged.loc[judged["scope"] == "new", "customers"]) >= {1}


@pytest.mark.parametrize("baseline", BASELINES)
def test_the_ratio_of_a_baseline_to_itself_is_one(judged, baseline):
    own = judged[(judged["generator"] == baseline) & judged["lower"].notna()]
    ratios = own[[f"ratio_to_{baseline}{bound}" for bound in ("", "_lower", "_upper")]]
    is_positive = own["value"] > 0
    assert is_positive.sum() > 20
    assert (ratios[is_positive & (own["lower"] > 0)] == 1).all(axis=None)
    assert (ratios.loc[is_positive, f"ratio_to_{baseline}"] == 1).all()
    assert ratios[~is_positive].isna().all(axis=None)


def test_ratios_compare_values_of_the_same_row(judged):
    values = judged[judged["lower"].notna()].set_index(KEYS)["value"]
    for keys, row in judged[judged["lower"].notna()].set_index(KEYS).iterrows():
        for baseline in BASELINES:
            theirs = values[(keys[0], baseline, *keys[2:])]
            ratio = row[f"ratio_to_{baseline}"]
            if theirs == 0:
                assert np.isnan(ratio)
            else:
                assert ratio == pytest.approx(row["value"] / theirs)


def test_intervals_hold_the_value_and_lists_have_none(judged):
    of_lists = judged["metric"].isin(["coverage", "novelty", "gini", "popularity_lift"])
    assert judged.loc[of_lists, ["lower", "upper", "ratio_to_popular"]].isna().all(axis=None)
    assert set(judged.loc[of_lists, "segment"]) == {EVERYONE}
    rows = judged[~of_lists]
    assert (rows["lower"] <= rows["value"] + 1e-12).all()
    assert (rows["value"] <= rows["upper"] + 1e-12).all()
    assert (rows["lower"] < rows["upper"]).mean() > 0.5


def test_coverage_is_that_of_the_lists(shop, judged):
    inputs = shop.inputs(1)
    picks = top_items(inputs, popular(inputs), k=2, exclude_bought=True)
    expected = len(set(picks.item)) / len(inputs.interactions.item_ids)
    keys = {"generator": "popular", "scope": "new", "segment": EVERYONE, "k": 2}
    assert look_up(judged, metric="coverage", **keys) == pytest.approx(expected)


def test_one_row_per_key_and_every_combination(judged):
    assert not judged.duplicated(KEYS).any()
    n_customer_rows = 3 * 2 * 3 * len(KS) * 6  # generators, scopes, segments, ks, metrics
    n_list_rows = 3 * 2 * len(KS) * 4
    assert len(judged) == n_customer_rows + n_list_rows


class TestRanker:
    def lists(self, scored_by: str = RANKER, step: int = 1) -> pd.DataFrame:
        """c001 gets four items, of which i00 and i03 are said to be new."""
        return pd.DataFrame(
            {
                "step": step,
                "customer_id": "c001",
                "item_id": ["i00", "i01", "i02", "i03"],
                "rank": [4, 1, 2, 9],
                "new_rank": pd.array([1, None, None, 2], dtype="Int64"),
                "scored_by": scored_by,
            }
        )

    @pytest.mark.parametrize("as_float", [False, True], ids=["nullable", "as duckdb reads it"])
    def test_its_ranks_make_its_lists(self, shop, as_float):
        ranked = self.lists()
        if as_float:
            ranked["new_rank"] = ranked["new_rank"].astype("float64")
        judged = judge(shop, ranked)
        for scope, listed in (
            ("all", ["i01", "i02", "", "i00"]),
            ("new", ["i00", "i03"]),
        ):
            wanted = slow_wanted(shop, scope)
            for k in KS:
                keys = {"generator": RANKER, "scope": scope, "segment": EVERYONE, "k": k}
                slow = slow_metrics(listed, wanted["c001"], k)
                for metric, value in slow.items():
                    # The customers without a list score 0.
                    assert look_up(judged, metric=metric, **keys) == pytest.approx(
                        value / len(wanted)
                    )
        assert judged.loc[judged["generator"] == RANKER, "value"].max() > 0

    def test_where_another_stood_in_for_it_there_are_no_rows(self, shop, judged):
        with_fallback = judge(shop, self.lists(scored_by="tifu_knn"))
        pd.testing.assert_frame_equal(with_fallback, judged)
        of_other_step = judge(shop, self.lists(step=2))
        pd.testing.assert_frame_equal(of_other_step, judged)
        assert RANKER not in set(judged["generator"])

    def test_cutoffs_are_judged_apart(self, shop, judged):
        both = judge(shop, self.lists(step=2), steps=[1, 2])
        pd.testing.assert_frame_equal(both[both["step"] == 1].reset_index(drop=True), judged)
        assert set(both.loc[both["generator"] == RANKER, "step"]) == {2}


def test_customers_without_a_segment_count_for_everyone_only(shop):
    class Unsegmented(PurchaseShop):
        def inputs(self, step, *, with_baskets=False):
            inputs = super().inputs(step, with_baskets=with_baskets)
            segment = (
                inputs.customers["segment"]
                .astype(object)
                .where(inputs.customers["segment"] == "few", None)
            )
            inputs.customers["segment"] = segment
            return inputs

    plain, actual = (
        judge(kind(shop.purchases, shop.items)) for kind in (PurchaseShop, Unsegmented)
    )
    expected = plain[plain["segment"] != "many"].reset_index(drop=True)
    pd.testing.assert_frame_equal(actual, expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "scopes"),
    [
        pytest.param([], set(), id="empty"),
        pytest.param([("c", "x", 5)], set(), id="nothing bought next"),
        pytest.param([("c", "x", 5), ("c", "x", cutoff(1))], {"all"}, id="nothing new"),
        pytest.param([("c", "x", 5), ("d", "x", cutoff(1))], set(), id="only by newcomers"),
        pytest.param([("c", "x", 5), ("c", "y", cutoff(1))], {"all", "new"}, id="one customer"),
    ],
)
def test_edge_shops(rows, scopes, judged):
    actual = judge(PurchaseShop(purchase_table(rows)))
    assert set(actual["scope"]) == scopes
    assert actual.dtypes.equals(judged.dtypes)
    assert actual["value"].dtype == np.float64
