import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.evaluate.preparing import prepare
from personalization.evaluate.reading import InputError
from personalization.evaluate.splitting import split_at
from personalization.generators.base import GeneratorInputs
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
    test = interactions((rows[0][0], "a"))
    cutoff = START + pd.Timedelta(days=70)
    inputs = prepare(train.sample(frac=1, random_state=seed), test, cutoff=cutoff).inputs
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


def timed(*rows: tuple) -> pd.DataFrame:
    """Interactions of user, item and day."""
    times = [(user, item, START + pd.Timedelta(days=day)) for user, item, day in rows]
    return interactions(*times, columns=("user", "item", "time"))


@pytest.mark.parametrize(("cutoff_day", "age"), [(None, 0), (10, 0), (12, 2)])
def test_ages_are_those_at_the_cutoff_or_at_the_last_training_time(cutoff_day, age):
    train, test = timed(("u", "a", 0), ("u", "b", 10)), timed(("u", "c", 40))
    cutoff = None if cutoff_day is None else START + pd.Timedelta(days=cutoff_day)
    inputs = prepare(train, test, cutoff=cutoff).inputs
    assert inputs.history["days_since_last_purchase"].tolist() == [10 + age, age]


def test_a_cutoff_before_the_last_training_time():
    with pytest.raises(ValueError, match="lies before the last training time 2020-01-11"):
        prepare(timed(("u", "b", 10)), timed(("u", "c", 40)), cutoff=START)


def assert_same_inputs(actual: GeneratorInputs, expected: GeneratorInputs) -> None:
    for name in ("customer_ids", "item_ids"):
        ids = getattr(actual.interactions, name).tolist()
        assert ids == getattr(expected.interactions, name).tolist()
    for name in ("data", "indices", "indptr"):
        values = getattr(actual.interactions.weights, name).tolist()
        assert values == getattr(expected.interactions.weights, name).tolist()
    for name in ("items", "customers", "history", "baskets"):
        pd.testing.assert_frame_equal(getattr(actual, name), getattr(expected, name))


@settings(deadline=None, max_examples=30)
@given(event_rows, st.integers(1, 59), st.integers(0, 99))
def test_test_rows_have_no_part_in_the_inputs(rows, day, seed):
    """Whichever of them are left out or changed, and in any order."""
    events = interactions(*rows, columns=("user", "item", "time", "order", "weight"))
    end = pd.DataFrame({"user": rows[0][0], "item": "a", "order": "o", "weight": 1.0}, index=[0])
    events = pd.concat(
        [end.assign(time=START - pd.Timedelta(days=1)), events, end.assign(time=START)]
        + [end.assign(time=START + pd.Timedelta(days=days)) for days in (61, 62)],
        ignore_index=True,
    )
    time = START + pd.Timedelta(days=day)
    split = split_at(events, time)
    expected = prepare(split.train, split.test, cutoff=split.time).inputs
    known = split.test[split.test["user"] == rows[0][0]]
    for test in (known.tail(1), split.test.sample(frac=1, random_state=seed)):
        assert_same_inputs(prepare(split.train, test, cutoff=split.time).inputs, expected)
    # What --train and --test do.
    at_last = prepare(split.train, split.test).inputs
    changed = known.tail(1).assign(item="new", weight=9.0, time=time + pd.Timedelta(days=400))
    assert_same_inputs(prepare(split.train, changed).inputs, at_last)


def test_training_rows_that_count_once_are_counted():
    once = timed(("u", "a", 0), ("u", "a", 1), ("v", "b", 1))
    twice = pd.concat([once, once.head(2)], ignore_index=True)
    test = interactions(("u", "c"))
    new = "1 test items are not in the catalog: their 1 pairs count as relevant all the same"
    assert prepare(once, test).notes == (new,)
    of_others = "2 training rows repeat the user, item and time of another: "
    assert prepare(twice, test).notes == (of_others + "counted once", new)
    weighted = prepare(twice.assign(weight=1.0), test)
    assert weighted.notes == (of_others + "their weights are added up", new)
    ordered = prepare(twice.assign(order="o"), test)
    assert ordered.notes[0] == (
        "3 training rows repeat the user, item and order of another: counted once"
    )
    assert prepare(once.drop(columns="time"), test).notes[0] == (
        "1 training rows repeat the user and item of another: counted once"
    )


@pytest.mark.parametrize("odd", ["9999-12-31", "0001-01-01"])
def test_a_time_far_from_the_others_is_told(odd):
    usual = timed(*(("u", f"i{day}", day) for day in range(0, 100, 10)))
    test = interactions(("u", "i0"))
    assert prepare(usual, test).notes == ()
    odd_row = interactions(
        ("u", "odd", pd.Timestamp(odd).as_unit("us")), columns=("user", "item", "time")
    )
    (note,) = prepare(pd.concat([usual, odd_row], ignore_index=True), test).notes
    before, after = ("10", "1") if odd == "9999-12-31" else ("1", "10")
    assert "a gap longer than all other time: are the times right?" in note
    assert note.endswith(f"({before} rows lie before it, {after} after)")
    assert f"{odd} 00:00:00" in note


def test_gaps_of_a_few_days_are_not_told():
    assert prepare(timed(("u", "a", 0), ("u", "b", 28)), interactions(("u", "a"))).notes == ()
    assert len(prepare(timed(("u", "a", 0), ("u", "b", 29)), interactions(("u", "a"))).notes) == 1


@pytest.mark.parametrize(("test_day", "count"), [(0, 3), (1, 2), (2, 1), (3, 0)])
def test_training_rows_that_are_not_before_the_test_rows_are_told(test_day, count):
    train = timed(("u", "a", 0), ("u", "b", 1), ("v", "b", 2))
    notes = prepare(train, timed(("u", "a", test_day), ("u", "b", 5))).notes
    expected = f"{count} training rows lie at or after the first test time, 2020-01-0{test_day + 1}"
    assert [note.startswith(expected) for note in notes] == [True] * (count > 0)


def test_segments_are_in_the_order_of_the_users():
    train = interactions(("v", "a"), ("w", "a"), ("u", "a"))
    users = pd.DataFrame({"user": ["w", "x", "u"], "segment": ["few", "few", "many"]}, dtype="str")
    problem = prepare(train, interactions(("u", "a")), users=users)
    assert problem.inputs.interactions.customer_ids.tolist() == ["u", "v", "w"]
    assert problem.inputs.customers["segment"].fillna("?").tolist() == ["many", "?", "few"]
    assert problem.notes == ("2 of 3 users have a segment",)


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
        "1 test rows repeat the user and item of another: counted once",
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


@pytest.mark.parametrize(
    ("train", "test", "is_repeat"),
    [
        pytest.param([("u", "a"), ("v", "b")], [("u", "c"), ("v", "d")], [False] * 2, id="all new"),
        pytest.param([("u", "a")], [("u", "b")], [False], id="one user, all new"),
        pytest.param([("u", "a")], [("u", "a")], [True], id="one user and item"),
        pytest.param([("u", "a")], [("u", "a"), ("u", "b")], [True, False], id="one user"),
    ],
)
def test_pairs_beyond_the_catalog_repeat_nothing(train, test, is_repeat):
    problem = prepare(interactions(*train), interactions(*test))
    assert problem.is_repeat.tolist() == is_repeat
    assert len(problem.relevant_in("new").item) == is_repeat.count(False)


def test_nobody_to_test():
    with pytest.raises(InputError, match="no user of the test rows has training rows"):
        prepare(interactions(("u", "a")), interactions(("v", "a")))


def test_nothing_is_unknown():
    problem = prepare(interactions(("u", "a"), ("v", "b")), interactions(("u", "b")))
    assert problem.notes == ()
    assert np.array(problem.relevant).tolist() == [[0], [1]]
