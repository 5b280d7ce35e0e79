import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.candidates import (
    GENERATORS,
    CandidateInputs,
    buy_again,
    generate_candidates,
    popular,
    similar_items,
)
from personalization.similarity import item_similarities

COLUMNS = [
    "customer_id",
    "item_id",
    "generator",
    "score",
    "rank",
    "reason_code",
    "reason_item_id",
    "is_bought",
]


def interactions(*rows: tuple[str, str, float, int]) -> pd.DataFrame:
    """Rows of customer, item, weight and orders in the last 28 days."""
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "weight", "recent"])
    return pd.DataFrame(
        {
            "customer_id": frame["customer_id"].astype("str"),
            "item_id": frame["item_id"].astype("str"),
            "weight": frame["weight"].astype("float64"),
            "purchase_count": frame["recent"].astype("int64") + 1,
            "days_since_last_purchase": np.where(frame["recent"] > 0, 3, 60),
            "recent_purchase_count": frame["recent"].astype("int64"),
        }
    )


def similarities(*rows: tuple[str, str, float]) -> pd.DataFrame:
    columns = ["item_id", "neighbor_item_id", "score"]
    return pd.DataFrame(rows, columns=columns).astype(
        {"item_id": "str", "neighbor_item_id": "str", "score": "float64"}
    )


SHOP = interactions(
    ("ann", "milk", 5.0, 2),
    ("ann", "bread", 1.0, 0),
    ("bob", "milk", 2.0, 1),
    ("bob", "beer", 2.0, 1),
    ("cy", "bread", 1.0, 0),
)
NEIGHBORS = similarities(
    ("beer", "milk", 0.4),
    ("bread", "milk", 0.5),
    ("milk", "beer", 0.4),
    ("milk", "bread", 0.5),
)


def random_inputs(seed: int) -> CandidateInputs:
    rng = np.random.default_rng(seed)
    bought = rng.random((8, 15)) < rng.uniform(0.1, 0.6)
    bought[0, 0] = True
    frame = interactions(
        *(
            (f"c{c}", f"i{i:02}", rng.integers(1, 9) / 4, rng.integers(0, 3))
            for c, i in zip(*bought.nonzero(), strict=True)
        )
    )
    pairs = frame[["customer_id", "item_id"]].assign(weight=1.0)
    return CandidateInputs(frame, item_similarities(pairs, k=4, min_support=1))


def scores_by_definition(inputs: CandidateInputs) -> dict[tuple[str, str], dict[str, float]]:
    """Contributions of each bought item to each customer-item pair."""
    contributions: dict[tuple[str, str], dict[str, float]] = {}
    for bought in inputs.interactions.itertuples():
        for pair in inputs.similarities.itertuples():
            if pair.neighbor_item_id == bought.item_id:
                parts = contributions.setdefault((bought.customer_id, pair.item_id), {})
                parts[bought.item_id] = np.log1p(bought.weight) * pair.score
    return contributions


inputs_strategy = st.integers(0, 2**32 - 1).map(random_inputs)


def test_buy_again_ranks_by_decayed_weight():
    result = buy_again(CandidateInputs(SHOP, NEIGHBORS), k=1)
    # Bob's two items tie: milk has more customers.
    assert result["item_id"].tolist() == ["milk", "milk", "bread"]
    assert result["score"].tolist() == [5.0, 2.0, 1.0]
    assert result["reason_item_id"].tolist() == result["item_id"].tolist()
    assert set(result["reason_code"]) == {"bought_before"}


def test_buy_again_forgets_what_has_decayed_to_nothing():
    shop = interactions(("ann", "milk", 1.0, 1), ("ann", "bread", 1e-7, 0))
    assert buy_again(CandidateInputs(shop, NEIGHBORS), k=5)["item_id"].tolist() == ["milk"]


def test_similar_items_sums_over_bought_neighbors():
    inputs = CandidateInputs(SHOP, NEIGHBORS)
    everything = similar_items(inputs, k=5).set_index(["customer_id", "item_id"])
    new = similar_items(inputs, k=5, exclude_bought=True).set_index(["customer_id", "item_id"])
    assert everything.loc[("ann", "bread"), "score"] == round(np.log1p(5) * 0.5, 6)
    assert everything.loc[("ann", "beer"), "reason_item_id"] == "milk"
    assert set(new.index) == {("ann", "beer"), ("bob", "bread"), ("cy", "milk")}


@settings(deadline=None, max_examples=40)
@given(inputs_strategy, st.integers(1, 6), st.booleans())
def test_similar_items_equals_its_definition(inputs, k, exclude_bought):
    result = similar_items(inputs, k=k, exclude_bought=exclude_bought)
    popularity = inputs.interactions.groupby("item_id").size()
    owned = set(
        zip(inputs.interactions["customer_id"], inputs.interactions["item_id"], strict=True)
    )
    contributions = {
        pair: parts
        for pair, parts in scores_by_definition(inputs).items()
        if not (exclude_bought and pair in owned)
    }
    for customer in inputs.interactions["customer_id"].unique():
        expected = sorted(
            (-round(sum(parts.values()), 6), -popularity[item], item)
            for (buyer, item), parts in contributions.items()
            if buyer == customer
        )[:k]
        actual = result[result["customer_id"] == customer]
        assert actual["item_id"].tolist() == [item for _, _, item in expected]
        assert actual["score"].tolist() == pytest.approx([-score for score, _, _ in expected])
        assert actual["rank"].tolist() == list(range(1, len(expected) + 1))


@settings(deadline=None, max_examples=25)
@given(inputs_strategy)
def test_the_reason_contributes_most_and_removing_it_lowers_the_score(inputs):
    contributions = scores_by_definition(inputs)
    for row in similar_items(inputs, k=2).itertuples():
        parts = contributions[row.customer_id, row.item_id]
        assert parts[row.reason_item_id] == max(parts.values())
        is_reason = (inputs.interactions["customer_id"] == row.customer_id) & (
            inputs.interactions["item_id"] == row.reason_item_id
        )
        without = CandidateInputs(
            inputs.interactions[~is_reason], inputs.similarities, [row.customer_id]
        )
        again = similar_items(without, k=100).set_index("item_id")["score"]
        assert again.get(row.item_id, 0.0) < row.score


def test_equal_contributions_are_explained_by_the_larger_weight():
    shop = interactions(("ann", "a", 1.0, 0), ("ann", "z", 3.0, 0), ("bob", "x", 1.0, 0))
    # log(1 + 3) = 2 log(1 + 1), so both contribute the same.
    neighbors = similarities(("x", "a", 0.5), ("x", "z", 0.25))
    result = similar_items(CandidateInputs(shop, neighbors, ["ann"]), k=5)
    assert result["reason_item_id"].tolist() == ["z"]


def test_popular_counts_recent_customers_and_skips_what_is_bought():
    inputs = CandidateInputs(SHOP, NEIGHBORS, ["ann", "new"])
    everything = popular(inputs, k=2)
    assert everything["item_id"].tolist() == ["milk", "beer"] * 2
    assert everything["score"].tolist() == [2.0, 1.0] * 2
    new = popular(inputs, k=2, exclude_bought=True)
    assert new["item_id"].tolist() == ["beer", "milk", "beer"]
    assert new["rank"].tolist() == [1, 1, 2]
    assert new["reason_item_id"].isna().all()


def test_lists_stay_full_when_the_head_is_bought():
    shop = interactions(
        *(("ann", f"i{n}", 1.0, 1) for n in range(5)),
        *(("bob", f"i{n}", 1.0, 1) for n in range(8)),
    )
    new = popular(CandidateInputs(shop, similarities(), ["ann"]), k=3, exclude_bought=True)
    assert new["item_id"].tolist() == ["i5", "i6", "i7"]


@settings(deadline=None, max_examples=25)
@given(inputs_strategy, st.integers(1, 5), st.randoms(use_true_random=False))
def test_the_long_table_keeps_its_promises(inputs, k, random):
    result = generate_candidates(inputs, k=k)
    assert result.columns.tolist() == COLUMNS
    assert list(dict.fromkeys(result["generator"])) == [
        name for name in GENERATORS if name in set(result["generator"])
    ]
    groups = result.groupby(["generator", "customer_id"])
    assert (groups["rank"].max() == groups.size()).all()
    assert (groups.size() <= k).all()
    assert (groups["score"].diff().dropna() <= 0).all()
    assert (result["score"] > 0).all()
    assert not result.duplicated(["generator", "customer_id", "item_id"]).any()
    is_new_only = result["generator"].str.contains("_new_")
    assert not result.loc[is_new_only, "is_bought"].any()
    assert result.loc[result["generator"] == "buy_again", "is_bought"].all()

    order = list(range(len(inputs.interactions)))
    random.shuffle(order)
    shuffled = CandidateInputs(inputs.interactions.iloc[order], inputs.similarities.iloc[::-1])
    pd.testing.assert_frame_equal(generate_candidates(shuffled, k=k), result, check_exact=True)


def test_block_size_does_not_matter(monkeypatch):
    inputs = random_inputs(7)
    expected = generate_candidates(inputs, k=5)
    monkeypatch.setattr("personalization.candidates._BLOCK_ENTRIES", 1)
    monkeypatch.setattr("personalization.candidates._BLOCK_PICKS", 3)
    pd.testing.assert_frame_equal(generate_candidates(inputs, k=5), expected, check_exact=True)


def test_a_new_customer_gets_what_is_popular():
    result = generate_candidates(CandidateInputs(SHOP, NEIGHBORS, ["new"]), k=2)
    assert set(result["generator"]) == {"popular", "popular_new_items"}
    assert not result["is_bought"].any()


def test_a_generator_is_added_by_name():
    def latest_hit(inputs, *, k):
        return popular(inputs, k=k).assign(reason_code="latest_hit")

    result = generate_candidates(
        CandidateInputs(SHOP, NEIGHBORS), generators={"latest_hits": latest_hit}
    )
    assert set(result["generator"]) == {"latest_hits"}


@pytest.mark.parametrize("customer_ids", [None, [], ["new"]])
def test_empty_shop_gives_typed_empty_output(customer_ids):
    empty = generate_candidates(CandidateInputs(interactions(), similarities(), customer_ids))
    full = generate_candidates(CandidateInputs(SHOP, NEIGHBORS))
    assert empty.empty
    assert empty.dtypes.equals(full.dtypes)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("weight", 0.0, "weight"),
        ("purchase_count", 0, "purchase_count has values below 1"),
        ("days_since_last_purchase", -1, "days_since_last_purchase"),
        ("recent_purchase_count", np.nan, "recent_purchase_count has null"),
        ("customer_id", None, "customer_id has null"),
    ],
)
def test_rejects_bad_interactions(column, value, message):
    with pytest.raises(ValueError, match=message):
        generate_candidates(CandidateInputs(SHOP.assign(**{column: value}), NEIGHBORS))


def test_rejects_bad_similarities_customers_and_k():
    with pytest.raises(ValueError, match="score"):
        CandidateInputs(SHOP, NEIGHBORS.drop(columns="score"))
    with pytest.raises(ValueError, match="duplicate rows for item_id, neighbor_item_id"):
        CandidateInputs(SHOP, pd.concat([NEIGHBORS, NEIGHBORS]))
    with pytest.raises(ValueError, match="customer_id has null"):
        generate_candidates(CandidateInputs(SHOP, NEIGHBORS, ["ann", None]))
    for generator in GENERATORS.values():
        with pytest.raises(ValueError, match="k must be at least 1"):
            generator(CandidateInputs(SHOP, NEIGHBORS), k=0)
