from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from purchase_shop import ITEM_COLUMNS, PurchaseShop, purchase_table, random_shop
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from personalization import ranking
from personalization.generators import base
from personalization.generators.base import GeneratorInputs
from personalization.generators.item_based import cosine
from personalization.generators.popularity import popular
from personalization.generators.repeat import tifu_knn
from personalization.ranking import FEATURES, Candidates, Ranker, find_candidates

GROUPS = ("subcategory", "category", "brand")


def everything(inputs: GeneratorInputs) -> np.ndarray:
    return np.ones(len(inputs.interactions.item_ids), dtype=bool)


def scorers(inputs: GeneratorInputs) -> dict:
    return {
        "tifu_knn": tifu_knn(inputs),
        "cosine": cosine(inputs, neighbors=4),
        "popular": popular(inputs),
    }


@pytest.fixture(scope="module")
def inputs() -> GeneratorInputs:
    shop = random_shop(5, n_customers=14, n_items=16)
    # One who stopped long ago, one whom nobody knows, and items that nobody bought.
    gone = purchase_table([("gone", "i01", 10), ("gone", "i02", 10), ("gone", "i01", 20)])
    unsold = pd.DataFrame(
        {"item_id": ["unsold1", "unsold2"], "subcategory": ["subcategory1", None]}
    )
    shop = replace(
        shop,
        purchases=pd.concat([shop.purchases, gone], ignore_index=True),
        items=pd.concat([shop.items, unsold], ignore_index=True),
        strangers=("stranger",),
    )
    return shop.inputs(0)


@pytest.fixture(scope="module")
def candidates(inputs: GeneratorInputs) -> Candidates:
    return find_candidates(
        inputs,
        scorers(inputs),
        is_offered=everything(inputs),
        evidence="popular",
        n_bought=120,
        n_new=40,
    )


def slow_features(inputs: GeneratorInputs, customer: int, item: int) -> dict[str, float]:
    """The features of one candidate, from what their names and descriptions say."""
    history = inputs.history.assign(weight=inputs.interactions.weights.tocoo().data)
    for name in GROUPS:
        history[name] = inputs.items[name].to_numpy(object)[history["item"]]
    mine = history[history["customer"] == customer]
    theirs = history[history["item"] == item]
    [pair] = mine[mine["item"] == item].to_dict("records") or [None]
    profile = inputs.customers.iloc[customer].fillna(0)
    values = {}
    for name in (
        "weight", "slow_weight", "purchase_count", "purchase_count_7d", "recent_purchase_count",
        "purchase_count_84d",
    ):  # fmt: skip
        values[name] = pair[name] if pair else 0
    last = pair["days_since_last_purchase"] if pair else np.nan
    first = pair["days_since_first_purchase"] if pair else np.nan
    values |= {"days_since_last_purchase": last, "days_since_first_purchase": first}

    spans = history["days_since_first_purchase"] - history["days_since_last_purchase"]
    gaps = history["purchase_count"] - 1
    mean_interval = spans.sum() / gaps.sum()
    item_interval = (spans[theirs.index].sum() + 5 * mean_interval) / (gaps[theirs.index].sum() + 5)
    interval = (first - last + 2 * item_interval) / (values["purchase_count"] + 1)
    values["purchase_interval_days"] = interval
    values["intervals_since_last_purchase"] = last / max(interval, 1)
    values["purchases_per_order"] = values["purchase_count"] / max(profile["orders"], 1)

    for name in GROUPS:
        group = inputs.items[name].iloc[item]
        # What has no group shares nothing.
        same = mine[(mine[name] == group) & (mine["item"] != item)] if pd.notna(group) else mine[:0]
        values[f"{name}_weight"] = same["weight"].sum()
        values[f"{name}_recent_purchases"] = same["recent_purchase_count"].sum()
        peers = (
            history[history[name] == group] if pd.notna(group) else history[history[name].isna()]
        )
        share = (theirs["recent_purchase_count"] > 0).sum()
        values[f"share_of_{name}"] = share / max((peers["recent_purchase_count"] > 0).sum(), 1)
        if name == "subcategory":
            with_item = mine[mine[name] == group] if pd.notna(group) else mine[:0]
            values["days_since_last_of_subcategory"] = with_item["days_since_last_purchase"].min()

    n_customers = len(theirs)
    recent = (theirs["recent_purchase_count"] > 0).sum()
    repeated = (history["purchase_count"] > 1).mean()
    values |= {
        "item_customers": n_customers,
        "item_recent_customers": recent,
        "item_trend": (recent + 2) / ((theirs["purchase_count_84d"] > 0).sum() / 3 + 2),
        "item_week_trend": ((theirs["purchase_count_7d"] > 0).sum() + 1) / (recent / 4 + 1),
        "item_repeat_rate": ((theirs["purchase_count"] > 1).sum() + 5 * repeated)
        / (n_customers + 5),
        "item_interval_days": item_interval,
        "customer_orders": inputs.customers["orders"].fillna(0).iloc[customer],
        "customer_recent_orders": inputs.customers["orders_28d"].fillna(0).iloc[customer],
        "customer_days_since_last_order": mine["days_since_last_purchase"].min(),
        "customer_items_per_order": mine["purchase_count"].sum() / max(profile["orders"], 1),
        "customer_distinct_share": len(mine) / max(mine["purchase_count"].sum(), 1),
    }
    return values


class TestFeatures:
    def test_every_feature_equals_its_definition(self, inputs, candidates):
        expected = pd.DataFrame(
            [
                slow_features(inputs, customer, item)
                for customer, item in zip(candidates.customer, candidates.item, strict=True)
            ]
        )
        assert set(expected.columns) == set(FEATURES)
        for name in FEATURES:
            np.testing.assert_allclose(
                candidates.features[name],
                expected[name].to_numpy(np.float64),
                rtol=1e-5,
                atol=1e-7,
                err_msg=name,
            )
            assert expected[name].min() < expected[name].max(), f"{name} is the same everywhere"
        assert len(expected) > 150

    def test_columns_are_the_features_and_then_the_generators(self, inputs, candidates):
        names = [*FEATURES, *scorers(inputs)]
        assert candidates.features.columns.tolist() == names
        assert (candidates.features.dtypes == np.float32).all()

    def test_scores_are_shares_of_the_best_new_item(self, inputs, candidates):
        bought = inputs.bought.toarray() > 0
        for name, scorer in scorers(inputs).items():
            scores = scorer(slice(0, None))
            best = np.where(bought, 0, scores).max(axis=1)
            expected = scores / np.where(best > 0, best, 1)[:, np.newaxis]
            np.testing.assert_allclose(
                candidates.features[name],
                expected[candidates.customer, candidates.item],
                rtol=1e-6,
            )

    def test_null_means_never(self, candidates):
        never = ["days_since_last_purchase", "days_since_first_purchase", "purchase_interval_days"]
        for name in (*never, "intervals_since_last_purchase"):
            is_null = candidates.features[name].isna().to_numpy()
            np.testing.assert_array_equal(is_null, ~candidates.is_bought)
        nullable = {"days_since_last_of_subcategory", "customer_days_since_last_order"}
        others = candidates.features.drop(columns=[*never, "intervals_since_last_purchase"])
        assert set(others.columns[others.isna().any()]) == nullable


class TestCandidates:
    @pytest.mark.parametrize(("n_bought", "n_new"), [(1, 1), (3, 2), (100, 100)])
    def test_the_best_by_weight_and_by_each_generator(self, inputs, n_bought, n_new):
        offered = everything(inputs)
        offered[[1, 4, 6]] = False
        actual = find_candidates(
            inputs,
            scorers(inputs),
            is_offered=offered,
            evidence="popular",
            n_bought=n_bought,
            n_new=n_new,
        )
        weights = inputs.interactions.weights.toarray()
        popularity = inputs.interactions.item_popularity

        def best(scores: np.ndarray, k: int) -> set[int]:
            shares = (scores / scores.max(initial=1e-300)).round(6)
            order = sorted(range(len(scores)), key=lambda i: (-shares[i], -popularity[i], i))
            return {i for i in order[:k] if shares[i] > 0}

        expected = set()
        for customer, weight in enumerate(weights):
            found = best(weight * offered, n_bought)
            for scorer in scorers(inputs).values():
                [scores] = scorer(slice(customer, customer + 1)).astype(np.float64)
                found |= best(scores * offered * (weight == 0), n_new)
            expected |= {(customer, item) for item in found}
        pairs = list(zip(actual.customer.tolist(), actual.item.tolist(), strict=True))
        assert pairs == sorted(expected)
        np.testing.assert_array_equal(actual.is_bought, weights[actual.customer, actual.item] > 0)

    def test_what_is_not_offered_is_no_candidate(self, inputs):
        offered = everything(inputs)
        offered[[0, 3]] = False
        actual = find_candidates(inputs, scorers(inputs), is_offered=offered, evidence="popular")
        assert set(actual.item.tolist()) == set(np.flatnonzero(offered)) - {16, 17}
        nothing = find_candidates(
            inputs, scorers(inputs), is_offered=np.zeros_like(offered), evidence="popular"
        )
        assert len(nothing.customer) == len(nothing.features) == 0
        assert nothing.features.dtypes.equals(actual.features.dtypes)

    def test_a_stranger_gets_what_is_popular(self, inputs, candidates):
        [stranger] = np.flatnonzero(inputs.interactions.customer_ids == "stranger")
        rows = candidates.features[candidates.customer == stranger]
        assert len(rows) >= 10
        assert (rows["popular"] > 0).all()
        assert (rows["customer_orders"] == 0).all()

    def test_blocks_do_not_matter(self, inputs, candidates, monkeypatch):
        monkeypatch.setattr(base, "_BLOCK_ENTRIES", 40)
        actual = find_candidates(
            inputs, scorers(inputs), is_offered=everything(inputs), evidence="popular"
        )
        np.testing.assert_array_equal(actual.customer, candidates.customer)
        np.testing.assert_array_equal(actual.item, candidates.item)
        pd.testing.assert_frame_equal(actual.features, candidates.features)

    def test_the_order_of_history_does_not_matter(self, inputs, candidates):
        shuffled = replace(inputs, history=inputs.history.sample(frac=1, random_state=0))
        actual = find_candidates(
            shuffled, scorers(inputs), is_offered=everything(inputs), evidence="popular"
        )
        pd.testing.assert_frame_equal(actual.features, candidates.features)

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize(
        "rows",
        [[], [("c", "x", 5)], [("c", "x", 5), ("c", "y", 9)], [("c", "x", 5), ("d", "x", 9)]],
    )
    def test_tiny_shops(self, rows, candidates):
        inputs = PurchaseShop(purchase_table(rows)).inputs(0)
        actual = find_candidates(
            inputs, scorers(inputs), is_offered=everything(inputs), evidence="popular"
        )
        assert len(actual.features) == len({row[:2] for row in rows})
        assert actual.features.dtypes.equals(candidates.features.dtypes)

    @pytest.mark.parametrize("argument", ["n_bought", "n_new"])
    def test_rejects_numbers_below_one(self, inputs, argument):
        with pytest.raises(ValueError, match=argument):
            find_candidates(
                inputs, {}, is_offered=everything(inputs), evidence="popular", **{argument: 0}
            )

    @pytest.mark.parametrize(
        ("frame", "column"),
        [
            *(("history", name) for name in ("slow_weight", "days_since_first_purchase")),
            *(("customers", name) for name in ("orders", "orders_28d")),
            *(("items", name) for name in GROUPS),
        ],
    )
    def test_rejects_inputs_without_a_column(self, inputs, frame, column):
        broken = replace(inputs, **{frame: getattr(inputs, frame).drop(columns=column)})
        with pytest.raises(ValueError, match=column):
            find_candidates(broken, {}, is_offered=everything(inputs), evidence="popular")


NAMES = [*FEATURES, "some_generator"]


def planted(
    seed: int, weights: dict[str, float], n: int = 6000, intercept: float = -1.0
) -> tuple[Candidates, np.ndarray]:
    """Candidates of random features, bought with log odds linear in some of them."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(rng.random((n, len(NAMES)), np.float32), columns=NAMES)
    log_odds = intercept + sum(w * (features[name] - 0.5) for name, w in weights.items())
    label = rng.random(n) < 1 / (1 + np.exp(-log_odds))
    customer = np.repeat(np.arange(n // 20), 20)
    item = np.tile(np.arange(20), n // 20)
    # Evidence that moves nothing, so that the trees are seen alone.
    evidence = np.full(n, ranking._USUAL_EVIDENCE - ranking._LEAST_EVIDENCE)
    return Candidates(customer, item, label, features, evidence), label


def fitted(*windows: tuple[Candidates, np.ndarray], **options) -> Ranker:
    settings = {"n_members": 2, "iterations": 40, "negatives": 0.5, "max_bins": 32}
    return Ranker.fit(windows, **(settings | options))


class TestRanker:
    @pytest.mark.parametrize(
        "name", ["weight", "customer_orders", "some_generator", "item_interval_days"]
    )
    def test_learns_a_planted_signal(self, name):
        ranker = fitted(planted(0, {name: 8.0}), planted(1, {name: 8.0}))
        unseen, label = planted(2, {name: 8.0})
        score = ranker.score(unseen)
        best = roc_auc_score(label, unseen.features[name])
        assert best > 0.85
        assert roc_auc_score(label, score) > best - 0.02
        assert ((score > 0) & (score < 1)).all()

    def test_probabilities_are_probabilities(self):
        # Of the negatives a seventh is looked at; the score must not show it.
        ranker = fitted(planted(0, {"weight": 4.0}, 20000, -3.0), n_members=1, negatives=0.15)
        unseen, label = planted(1, {"weight": 4.0}, 20000, -3.0)
        score = ranker.score(unseen)
        assert label.mean() < 0.1
        for part in np.array_split(np.argsort(score), 3):
            assert score[part].mean() == pytest.approx(label[part].mean(), rel=0.3, abs=0.01)

    @pytest.mark.parametrize("sign", [-1.0, 1.0])
    def test_moves_no_score_against_the_direction(self, sign):
        """Not even where the data say so, which is here the case for every feature in turn."""
        ranker = fitted(planted(0, dict.fromkeys(NAMES, sign * 2.0)), iterations=60)
        rng = np.random.default_rng(1)
        unseen, _ = planted(1, {}, n=400)
        low = unseen.features
        means = {}
        for name in NAMES:
            rise = rng.random(len(low), np.float32)
            high = replace(unseen, features=low.assign(**{name: low[name] + rise}))
            change = ranker.score(high) - ranker.score(unseen)
            direction = FEATURES.get(name, 1)
            assert direction == 0 or (direction * change >= 0).all(), name
            means[name] = change.mean()
        # Where they may, features move the score as the data say.
        for name, mean in means.items():
            if FEATURES.get(name, 1) in (0, sign):
                assert sign * mean > 0, name

    def test_is_the_same_on_one_and_two_threads(self):
        windows = [planted(seed, {"weight": 3.0, "brand_weight": 2.0}) for seed in (0, 1)]
        unseen, _ = planted(2, {})
        scores = []
        for n_threads in (1, 2):
            with threadpool_limits(n_threads, user_api="openmp"):
                scores.append(fitted(*windows).score(unseen))
        np.testing.assert_array_equal(*scores)
        assert len(np.unique(scores[0])) > 1000

    def test_members_differ_and_their_mean_in_log_odds_counts(self):
        ranker = fitted(planted(0, {"weight": 3.0}), n_members=3)
        unseen, _ = planted(1, {})

        def log_odds(ranker: Ranker) -> np.ndarray:
            score = ranker.score(unseen)
            return np.log(score / (1 - score))

        single = [log_odds(Ranker((member,))) for member in ranker.members]
        assert len(single) == 3
        assert not np.allclose(single[0], single[1])
        np.testing.assert_allclose(log_odds(ranker), np.mean(single, axis=0), rtol=1e-9)

    def test_a_feature_that_is_always_null_is_left_alone(self):
        candidates, label = planted(0, {"weight": 5.0})
        candidates.features["days_since_last_of_subcategory"] = np.float32(np.nan)
        ranker = fitted((candidates, label))
        unseen, _ = planted(1, {"weight": 5.0})
        features = unseen.features.assign(days_since_last_of_subcategory=np.float32(np.nan))
        null = replace(unseen, features=features)
        np.testing.assert_array_equal(ranker.score(null), ranker.score(unseen))

    def test_scores_of_nothing(self):
        ranker = fitted(planted(0, {"weight": 5.0}), iterations=1)
        assert ranker.score(planted(1, {}, n=0)[0]).shape == (0,)

    def test_evidence_lets_every_purchase_count_for_new_items(self):
        ranker = fitted(planted(0, {"weight": 5.0}), iterations=2)
        unseen, _ = planted(1, {})
        weaker = replace(unseen, evidence=unseen.evidence * 0.9)
        has_fallen = ranker.score(weaker) < ranker.score(unseen)
        np.testing.assert_array_equal(has_fallen, ~unseen.is_bought)

    @pytest.mark.parametrize("value", [False, True])
    def test_needs_both_kinds_of_candidates(self, value):
        candidates, label = planted(0, {})
        with pytest.raises(ValueError, match="bought next"):
            fitted((candidates, np.full_like(label, value)))
        with pytest.raises(ValueError, match="bought next"):
            fitted()


def test_every_direction_is_that_of_the_reason():
    """What one bought is a reason for it: more, later and more often never speaks against it."""
    assert set(FEATURES.values()) == {-1, 0, 1}
    assert {name for name, direction in FEATURES.items() if direction < 0} == {
        "days_since_last_purchase"
    }
    assert not set(FEATURES) & set(ITEM_COLUMNS)
