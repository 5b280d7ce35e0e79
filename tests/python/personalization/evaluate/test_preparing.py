import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.evaluate.preparing import prepare
from personalization.evaluate.reading import InputError
from personalization.metrics import Pairs

START = pd.Timestamp("2020-01-01")


def interactions(*rows: tuple, columns=("user", "item")) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(columns)).astype({"user": "str", "item": "str"})


def pairs_by_id(problem, pairs: Pairs) -> set[tuple[str, str]]:
    users, items = problem.inputs.interactions.customer_ids, problem.inputs.interactions.item_ids
    return {
        (users[user], items[item] if item < len(items) else f"unknown {item - len(items)}")
        for user, item in zip(*pairs, strict=True)
    }


def test_without_times_or_weights_a_pair_weighs_1():
    train = interactions(("v", "b"), ("u", "a"), ("u", "a"), ("u", "b"))
    inputs = prepare(train, interactions(("u", "c"))).inputs
    assert inputs.interactions.customer_ids.tolist() == ["u", "v"]
    assert inputs.interactions.item_ids.tolist() == ["a", "b"]
    assert inputs.interactions.weights.toarray().tolist() == [[1, 1], [0, 1]]
    for frame in (inputs.history, inputs.baskets, inputs.items, inputs.customers):
        assert len(frame.columns) == 0


def test_without_times_weights_are_summed():
    train = interactions(
        ("u", "a", 0.5), ("u", "a", 2.0), ("u", "b", 1.0), columns=("user", "item", "weight")
    )
    inputs = prepare(train, interactions(("u", "b"))).inputs
    assert inputs.interactions.weights.toarray().tolist() == [[2.5, 1]]


def slow_baskets(train: pd.DataFrame, cutoff: pd.Timestamp) -> list[tuple]:
    """Baskets row by row: (time, user, order, item, age in days, weight)."""
    found: dict[tuple, float] = {}
    for row in train.itertuples():
        time, order = row.time, ""
        if "order" in train:
            order = row.order
            mates = train[(train["user"] == row.user) & (train["order"] == row.order)]
            time = mates["time"].min()
        key = (time, row.user, order, row.item)
        if "weight" in train:
            found[key] = found.get(key, 0) + row.weight
        else:
            found[key] = 1.0
    return [(*key, (cutoff - key[0]).days, found[key]) for key in sorted(found)]


event_rows = st.lists(
    st.tuples(
        st.sampled_from(["u", "v", "w"]),
        st.sampled_from(["a", "b", "c", "d"]),
        st.integers(0, 60 * 24).map(lambda hours: START + pd.Timedelta(hours=hours)),
        st.sampled_from(["o1", "o2", "o10"]),
        st.sampled_from([0.1, 0.2, 1.0, 3.0]),
    ),
    min_size=1,
    max_size=25,
)


@settings(deadline=None, max_examples=60)
@given(event_rows, st.booleans(), st.booleans(), st.integers(0, 99))
def test_times_make_baskets_history_and_decayed_weights(rows, has_orders, has_weights, seed):
    train = interactions(*rows, columns=("user", "item", "time", "order", "weight"))
    if not has_orders:
        train = train.drop(columns="order")
    if not has_weights:
        train = train.drop(columns="weight")
    test = interactions(
        (rows[0][0], "a", START + pd.Timedelta(days=70)), columns=("user", "item", "time")
    )
    inputs = prepare(train.sample(frac=1, random_state=seed), test).inputs
    users, items = inputs.interactions.customer_ids, inputs.interactions.item_ids

    expected = slow_baskets(train, START + pd.Timedelta(days=70))
    orders = sorted({row[:3] for row in expected})
    assert [
        (row.basket, users[row.customer], items[row.item], row.age_days)
        for row in inputs.baskets.itertuples()
    ] == sorted((orders.index(row[:3]), row[1], row[3], row[4]) for row in expected)

    dense = inputs.interactions.weights.toarray()
    assert len(inputs.history) == inputs.interactions.weights.nnz
    for row in inputs.history.itertuples():
        user, item = users[row.customer], items[row.item]
        ages = [age for _, u, _, i, age, _ in expected if (u, i) == (user, item)]
        weights = [
            w * 0.95 ** (age / 7) for _, u, _, i, age, w in expected if (u, i) == (user, item)
        ]
        assert row.purchase_count == len(ages)
        assert row.days_since_last_purchase == min(ages)
        assert row.days_since_first_purchase == max(ages)
        assert row.recent_purchase_count == sum(age <= 28 for age in ages)
        assert dense[row.customer, row.item] == pytest.approx(sum(weights))


@settings(deadline=None, max_examples=30)
@given(event_rows, st.integers(0, 99))
def test_row_order_does_not_matter_to_the_last_bit(rows, seed):
    train = interactions(*rows, columns=("user", "item", "time", "order", "weight"))
    test = interactions((rows[0][0], "a"))
    expected = prepare(train, test).inputs
    actual = prepare(train.sample(frac=1, random_state=seed), test).inputs
    assert actual.interactions.weights.data.tolist() == expected.interactions.weights.data.tolist()
    pd.testing.assert_frame_equal(actual.history, expected.history)
    pd.testing.assert_frame_equal(actual.baskets, expected.baskets)


@pytest.mark.parametrize(("test_day", "age"), [(None, 0), (5, 0), (12, 2)])
def test_the_cutoff_is_never_before_the_last_training_time(test_day, age):
    columns = ("user", "item", "time")
    train = interactions(
        ("u", "a", START), ("u", "b", START + pd.Timedelta(days=10)), columns=columns
    )
    test = interactions(("u", "c"))
    if test_day is not None:
        test["time"] = START + pd.Timedelta(days=test_day)
    inputs = prepare(train, test).inputs
    assert inputs.history["days_since_last_purchase"].tolist() == [10 + age, age]


def test_a_purchase_of_long_ago_remains_one():
    columns = ("user", "item", "time")
    train = interactions(
        ("u", "a", pd.Timestamp("0001-01-01").as_unit("us")), ("u", "b", START), columns=columns
    )
    weights = prepare(train, interactions(("u", "b"))).inputs.interactions.weights
    assert (weights.data > 0).all()
    assert weights.nnz == 2


def test_items_are_described_in_the_order_of_the_catalog_and_join_it():
    train = interactions(("u", "b"), ("u", "c"))
    items = pd.DataFrame({"item": ["c", "a"], "brand": ["x", "y"]}, dtype="str")
    inputs = prepare(train, interactions(("u", "a")), items).inputs
    assert inputs.interactions.item_ids.tolist() == ["a", "b", "c"]
    assert inputs.interactions.weights.toarray().tolist() == [[0, 1, 1]]
    assert inputs.items["brand"].fillna("?").tolist() == ["y", "?", "x"]
    assert list(inputs.items.columns) == ["brand"]


def test_relevant_pairs_and_what_is_unknown():
    train = interactions(("u", "a"), ("u", "b"), ("v", "a"))
    test = interactions(
        ("u", "a"), ("u", "a"), ("v", "b"), ("v", "new"), ("u", "new"), ("cold", "a"), ("cold", "b")
    )
    problem = prepare(train, test)
    assert problem.notes == (
        "1 test users without training rows: left out",
        "1 test items are not in the catalog: their 2 pairs count as relevant all the same",
    )
    new = {("v", "b"), ("v", "unknown 0"), ("u", "unknown 0")}
    assert pairs_by_id(problem, problem.relevant) == {("u", "a")} | new
    assert len(problem.relevant.item) == 4
    assert pairs_by_id(problem, problem.relevant_in("all")) == {("u", "a")} | new
    assert pairs_by_id(problem, problem.relevant_in("new")) == new
    assert problem.scopes == ("all", "new")


@pytest.mark.parametrize(
    ("test", "scopes"), [([("u", "b")], ("new",)), ([("u", "a"), ("v", "b")], ("all",))]
)
def test_scopes_that_cannot_be_told_apart_are_one(test, scopes):
    problem = prepare(interactions(("u", "a"), ("v", "b")), interactions(*test))
    assert problem.scopes == scopes


def test_nobody_to_test():
    with pytest.raises(InputError, match="no user of the test rows has training rows"):
        prepare(interactions(("u", "a")), interactions(("v", "a")))


def test_nothing_is_unknown():
    problem = prepare(interactions(("u", "a"), ("v", "b")), interactions(("u", "b")))
    assert problem.notes == ()
    assert np.array(problem.relevant).tolist() == [[0], [1]]
