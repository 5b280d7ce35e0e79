from functools import partial

import numpy as np
import pandas as pd
import pytest
from purchase_shop import PurchaseShop, purchase_table, random_shop

from personalization.candidates import generate_candidates
from personalization.explaining import strongest_sources
from personalization.generators.base import GeneratorInputs, top_items
from personalization.generators.item_based import ItemScorer, cosine
from personalization.generators.popularity import popular
from personalization.generators.registry import GENERATORS
from personalization.generators.repeat import buy_again

COLUMNS = [
    "generator", "scope", "customer_id", "rank", "item_id", "score", "reason_code",
    "reason_item_id",
]  # fmt: skip
SHARED = {"popular", "popular_in_segment", "trending"}


@pytest.fixture(scope="module")
def inputs() -> GeneratorInputs:
    shop = random_shop(4, n_customers=20, n_items=15)
    return PurchaseShop(shop.purchases, shop.items, strangers=("stranger",)).inputs(
        0, with_baskets=True
    )


@pytest.fixture(scope="module")
def table(inputs: GeneratorInputs) -> pd.DataFrame:
    return generate_candidates(inputs, GENERATORS, k=6)


def test_lists_are_the_best_items_of_each_generator(inputs, table):
    ids = inputs.interactions
    for name, generator in GENERATORS.items():
        for scope in ("all", "new"):
            picks = top_items(inputs, generator(inputs), k=6, exclude_bought=scope == "new")
            rows = table[(table["generator"] == name) & (table["scope"] == scope)]
            assert rows["customer_id"].tolist() == ids.customer_ids[picks.customer].tolist()
            assert rows["item_id"].tolist() == ids.item_ids[picks.item].tolist()
            assert rows["rank"].tolist() == picks.rank.tolist()
            assert rows["score"].tolist() == picks.score.tolist()
    assert set(table["generator"]) == set(GENERATORS)


def test_columns_types_and_order(table):
    assert table.columns.tolist() == COLUMNS
    types = dict.fromkeys(COLUMNS, "str") | {"rank": "int64", "score": "float64"}
    assert table.dtypes.astype(str).to_dict() == types
    assert not table.duplicated(["generator", "scope", "customer_id", "rank"]).any()
    for _, rows in table.groupby(["generator", "scope"]):
        keys = ["customer_id", "rank"]
        pd.testing.assert_frame_equal(rows, rows.sort_values(keys))


def test_new_items_are_new_to_the_customer(inputs, table):
    ids, bought = inputs.interactions, inputs.bought.tocoo()
    pairs = zip(ids.customer_ids[bought.coords[0]], ids.item_ids[bought.coords[1]], strict=True)
    bought_pairs = set(pairs)
    rows = zip(table["customer_id"], table["item_id"], strict=True)
    is_bought = np.array([pair in bought_pairs for pair in rows])
    is_new = table["scope"] == "new"
    assert not is_bought[is_new].any()
    assert is_bought[~is_new].any()

    # Reasons: the purchase of the item, that which speaks most for it, or what all have in common.
    customer = pd.Index(ids.customer_ids).get_indexer(pd.Index(table["customer_id"]))
    item = pd.Index(ids.item_ids).get_indexer(pd.Index(table["item_id"]))
    source = np.full(len(table), -1)
    summed = []
    for name, generator in GENERATORS.items():
        scorer = generator(inputs)
        if isinstance(scorer, ItemScorer):
            summed.append(name)
            rows = np.flatnonzero(table["generator"] == name)
            source[rows] = strongest_sources(inputs, scorer.neighbors, customer[rows], item[rows])
    assert summed == ["cosine", "tf_idf", "bm25", "rp3_beta"]
    for row, was_bought, position in zip(table.itertuples(), is_bought, source, strict=True):
        if row.generator in SHARED:
            expected = (row.generator, None)
        elif was_bought:
            expected = ("bought_before", row.item_id)
        elif position >= 0:
            expected = ("similar_to_bought", ids.item_ids[position])
        else:
            taste = "description" if row.generator == "content" else "taste"
            expected = (f"similar_{taste}", None)
        reason_item = None if pd.isna(row.reason_item_id) else row.reason_item_id
        assert (row.reason_code, reason_item) == expected
    assert {"bought_before", "similar_to_bought", *SHARED} <= set(table["reason_code"])


def test_a_reason_without_a_single_item():
    """Nobody who bought x bought y as well: no purchase speaks for it."""
    purchases = purchase_table([("a", "x", 5), ("b", "y", 5)])
    inputs = PurchaseShop(purchases).inputs(0)

    def all_alike(inputs: GeneratorInputs):
        return lambda rows: np.ones(inputs.bought[rows].shape)

    table = generate_candidates(inputs, {"all_alike": all_alike}, k=2)
    new = table[table["scope"] == "new"]
    assert new[["customer_id", "item_id"]].to_numpy().tolist() == [["a", "y"], ["b", "x"]]
    assert new["reason_code"].tolist() == ["similar_taste"] * 2
    assert new["reason_item_id"].isna().all()


def test_every_generator_gives_blocks_that_may_be_written_to(inputs):
    for name, generator in GENERATORS.items():
        scorer = generator(inputs)
        first = scorer(slice(0, 9))
        copy = first.copy()
        first[:] = -1
        np.testing.assert_array_equal(scorer(slice(0, 9)), copy, err_msg=name)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([], [], id="empty"),
        pytest.param(
            [("c", "x", 5)],
            [("popular", "all", "x"), ("buy_again", "all", "x")],
            id="one purchase: nothing is new",
        ),
    ],
)
def test_edge_shops(rows, expected, table):
    inputs = PurchaseShop(purchase_table(rows)).inputs(0)
    generators = {"popular": popular, "buy_again": buy_again, "cosine": partial(cosine)}
    # Nobody bought anything of late, so that what counts is whether anybody ever did.
    inputs.history["recent_purchase_count"] = inputs.history["purchase_count"]
    actual = generate_candidates(inputs, generators, k=3)
    found = actual[["generator", "scope", "item_id"]].itertuples(index=False, name=None)
    assert list(found) == expected
    assert actual.dtypes.equals(table.dtypes)


def test_no_generators(inputs, table):
    actual = generate_candidates(inputs, {}, k=3)
    assert actual.empty
    assert actual.dtypes.equals(table.dtypes)


def test_rejects_k_below_one(inputs):
    with pytest.raises(ValueError, match="k must be"):
        generate_candidates(inputs, {"popular": popular}, k=0)
