from collections import Counter

import numpy as np
import pandas as pd
import pytest
from purchase_shop import random_shop

from personalization.neighbors import item_neighbors

COLUMNS = ["algorithm", "item_id", "rank", "neighbor_item_id", "score", "support"]
DESCRIPTION = ["department", "category", "brand", "size", "product_name"]
SETTINGS = {
    "k": 4,
    "shrinkage": 2.0,
    "min_support": 3,
    "max_per_name": 2,
    "min_content_score": 0.1,
}


@pytest.fixture(scope="module")
def shop() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Purchases, some by one customer only, and items, some of them never bought."""
    shop = random_shop(6, n_customers=30, n_items=18)
    purchases = shop.purchases[["customer_id", "item_id"]].drop_duplicates()
    # Fewer purchases than the shop has, so that items differ in their customers.
    purchases = purchases.sample(frac=0.4, random_state=0)
    purchases = pd.concat([purchases, pd.DataFrame({"customer_id": ["c001"], "item_id": ["rare"]})])
    items = shop.items.rename(columns={"item_name": "product_name"})[["item_id", *DESCRIPTION]]
    others = items.tail(3).assign(item_id=["unsold1", "unsold2", "rare"])
    items = pd.concat([items, others]).assign(is_offered=lambda rows: rows["item_id"] != "unsold2")
    return purchases.assign(weight=1.0), items.sample(frac=1, random_state=0)


@pytest.fixture(scope="module")
def table(shop) -> pd.DataFrame:
    return item_neighbors(*shop, **SETTINGS)


def of(table: pd.DataFrame, algorithm: str) -> pd.DataFrame:
    rows = table[table["algorithm"] == algorithm]
    return rows.drop(columns="algorithm").reset_index(drop=True)


def bought_by(purchases: pd.DataFrame) -> pd.DataFrame:
    """Ones and zeros, customers by items."""
    return purchases.pivot_table("weight", "customer_id", "item_id", fill_value=0).astype(int)


def ranked(score: pd.DataFrame, bought: pd.DataFrame, k: int) -> list[tuple]:
    """The k best neighbors (rows) of each item (columns), as rows of the table."""
    rows = []
    for item in sorted(score.columns):
        found = [
            (-round(score.loc[other, item], 6), -bought[other].sum(), other)
            for other in score.index
            if other != item and score.loc[other, item] > 0
        ]
        for rank, (minus, _, other) in enumerate(sorted(found)[:k], start=1):
            support = (bought[item] & bought[other]).sum()
            rows.append((item, rank, other, -minus, support))
    return rows


def assert_rows(actual: pd.DataFrame, expected: list[tuple]) -> None:
    frame = pd.DataFrame(expected, columns=COLUMNS[1:])
    assert len(frame) > 30
    pd.testing.assert_frame_equal(actual, frame, check_dtype=False, atol=1.1e-6)


def test_cosine(shop, table):
    bought = bought_by(shop[0])
    bought = bought.loc[:, bought.sum() >= 3]
    together, sizes = bought.T @ bought, bought.sum().to_numpy() + 2.0
    assert_rows(of(table, "cosine"), ranked(together / np.sqrt(np.outer(sizes, sizes)), bought, 4))


def test_rp3_beta(shop, table):
    """W(i, j) = Σ x(u, i) · x(u, j) · (n(i) · d(u)) ^ -alpha, divided by the sum of i."""
    bought = bought_by(shop[0])
    bought = bought.loc[:, bought.sum() >= 3]
    walks = pd.DataFrame(0.0, bought.columns, bought.columns)
    for _, row in bought.iterrows():
        items = row.index[row > 0]
        for source in items:
            walks.loc[source, items] += (bought[source].sum() * len(items)) ** -0.57
    kept = pd.DataFrame(0.0, bought.columns, bought.columns)
    for target in walks.columns:
        others = walks[target].drop(target)
        strongest = others[others > 0].sort_values(ascending=False)
        # Which of two sources tied at the last place is kept is nowhere promised.
        assert len(strongest) <= 4 or strongest.iloc[3] > strongest.iloc[4] + 1e-9
        kept.loc[strongest.index[:4], target] = strongest.iloc[:4]
    total = kept.sum(axis=1) + np.diag(walks)
    assert_rows(of(table, "rp3_beta"), ranked(kept.div(total, axis=0), bought, 4))


def test_content(shop, table):
    """The cosine of the sets of terms, each weighted by how rare it is."""
    purchases, items = shop
    items = items.sort_values("item_id").set_index("item_id")
    terms = {
        item: {f"{name}={value}" for name, value in row[DESCRIPTION].items() if pd.notna(value)}
        for item, row in items.iterrows()
    }
    count = pd.Series([term for found in terms.values() for term in found]).value_counts()
    idf = 1 + np.log((1 + len(items)) / (1 + count))
    bought = bought_by(purchases).reindex(columns=items.index, fill_value=0)

    def dot(one: str, other: str) -> float:
        return sum(idf[term] ** 2 for term in terms[one] & terms[other])

    actual = of(table, "content")
    for item, rows in actual.groupby("item_id"):
        score = {
            other: round(dot(item, other) / np.sqrt(dot(item, item) * dot(other, other)), 6)
            for other in items.index[items["is_offered"]]
            if other != item and terms[item] and terms[other]
        }
        of_name = Counter()
        best = []
        for other in sorted(score, key=lambda other: (-score[other], -bought[other].sum(), other)):
            of_name[items.loc[other, "product_name"]] += 1
            if of_name[items.loc[other, "product_name"]] <= 2 and score[other] >= 0.1:
                best.append(other)
        assert rows["neighbor_item_id"].tolist() == best[:4]
        assert rows["rank"].tolist() == list(range(1, len(best[:4]) + 1))
        for row in rows.itertuples():
            assert row.score == pytest.approx(score[row.neighbor_item_id], abs=1.1e-6)
            assert row.support == (bought[item] & bought[row.neighbor_item_id]).sum()
    assert actual["item_id"].tolist() == sorted(actual["item_id"])
    assert set(actual["item_id"]) == {item for item in items.index if terms[item]}


def test_what_nobody_bought_has_neighbors_by_content_only(table):
    unsold = table[table["item_id"].isin(["unsold1", "unsold2"])]
    assert set(unsold["algorithm"]) == {"content"}
    assert len(unsold) == 8
    assert (unsold["support"] == 0).all()
    as_neighbor = table[table["neighbor_item_id"] == "unsold1"]
    assert set(as_neighbor["algorithm"]) == {"content"}
    assert (as_neighbor["support"] == 0).all()


def test_what_is_not_offered_is_no_neighbor_by_content(shop, table):
    assert "unsold2" not in set(table["neighbor_item_id"])
    purchases, items = shop
    nothing_offered = item_neighbors(purchases, items.assign(is_offered=False), **SETTINGS)
    assert set(nothing_offered["algorithm"]) == {"cosine", "rp3_beta"}
    by_purchases = table[table["algorithm"] != "content"]
    pd.testing.assert_frame_equal(nothing_offered, by_purchases)


def test_few_customers_are_too_few_for_all_but_content(table):
    assert set(table.loc[table["item_id"] == "rare", "algorithm"]) == {"content"}
    assert set(table.loc[table["neighbor_item_id"] == "rare", "algorithm"]) == {"content"}


def test_columns_types_and_keys(shop, table):
    assert table.columns.tolist() == COLUMNS
    assert list(dict.fromkeys(table["algorithm"])) == ["cosine", "rp3_beta", "content"]
    for _, rows in table.groupby("algorithm"):
        pd.testing.assert_frame_equal(rows, rows.sort_values(["item_id", "rank"]))
    assert not table.duplicated(["algorithm", "item_id", "neighbor_item_id"]).any()
    assert (table["item_id"] != table["neighbor_item_id"]).all()
    assert table["rank"].max() == 4
    types = [table[column].dtype for column in ("rank", "score", "support")]
    assert types == ["int64", "float64", "int64"]
    shuffled = [frame.sample(frac=1, random_state=1) for frame in shop]
    pd.testing.assert_frame_equal(item_neighbors(*shuffled, **SETTINGS), table)


@pytest.mark.filterwarnings("error")
def test_a_shop_without_sales_has_neighbors_by_content(shop, table):
    purchases, items = shop
    actual = item_neighbors(purchases.iloc[:0], items, **SETTINGS)
    assert set(actual["algorithm"]) == {"content"}
    keys = ["item_id", "rank", "score"]
    # Without sales, ties go by id.
    pd.testing.assert_frame_equal(of(actual, "content")[keys], of(table, "content")[keys])
    assert (actual["support"] == 0).all()
    assert actual.dtypes.equals(table.dtypes)


@pytest.mark.filterwarnings("error")
def test_a_shop_without_sales_or_items(shop, table):
    purchases, items = shop
    nothing = item_neighbors(purchases.iloc[:0], items.iloc[:0], **SETTINGS)
    assert nothing.empty
    assert nothing.dtypes.equals(table.dtypes)


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("k", 0),
        ("shrinkage", -1),
        ("min_support", 0),
        ("max_per_name", 0),
        ("min_content_score", -1),
    ],
)
def test_rejects_bad_arguments(shop, argument, value):
    with pytest.raises(ValueError, match=argument.removeprefix("min_content_")):
        item_neighbors(*shop, **(SETTINGS | {argument: value}))
