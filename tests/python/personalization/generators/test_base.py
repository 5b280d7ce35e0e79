import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from personalization.generators import base
from personalization.generators.base import (
    GeneratorInputs,
    Scorer,
    blocks,
    entries_at,
    top_items,
    top_items_and_new_items,
    top_of_block,
    unit_rows,
)

ODD_IDS = ["007", "7", " 7", "7 ", "it's", 'say "hi"', "a,b", "🥐", "é", "É", "", "null", "NaN"]


def purchases(*rows: tuple) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "weight"])
    return frame.astype({"customer_id": "str", "item_id": "str", "weight": "float64"})


def table(**columns) -> pd.DataFrame:
    return pd.DataFrame(columns)


def by_id(inputs: GeneratorInputs) -> dict[tuple[str, str], float]:
    """The weights, with ids in place of positions."""
    ids, found = inputs.interactions, inputs.interactions.weights.tocoo()
    customer, item = found.coords
    pairs = zip(ids.customer_ids[customer], ids.item_ids[item], strict=True)
    return dict(zip(pairs, found.data, strict=True))


class TestFromFrames:
    @settings(deadline=None, max_examples=60)
    @given(
        st.dictionaries(
            st.tuples(st.sampled_from(ODD_IDS), st.sampled_from(ODD_IDS)),
            st.floats(0.01, 100),
            max_size=30,
        ),
        st.sets(st.sampled_from(ODD_IDS)),
        st.sets(st.sampled_from(ODD_IDS)),
        st.randoms(use_true_random=False),
    )
    def test_positions_stand_for_ids_in_any_order(self, weights, customers, items, random):
        rows = [(c, i, w, f"{c}|{i}") for (c, i), w in weights.items()]
        customers, items = sorted(customers), sorted(items)
        for some in (rows, customers, items):
            random.shuffle(some)
        names = ["customer_id", "item_id", "weight", "note"]
        inputs = GeneratorInputs.from_frames(
            pd.DataFrame(rows, columns=names).astype({"weight": "float64"}),
            customers=table(customer_id=customers, trait=[f"of {c}" for c in customers]),
            items=table(item_id=items, color=[f"of {i}" for i in items]),
        )
        ids = inputs.interactions
        assert ids.customer_ids.tolist() == sorted({c for c, _ in weights} | set(customers))
        assert ids.item_ids.tolist() == sorted({i for _, i in weights} | set(items))
        assert ids.weights.shape == (len(ids.customer_ids), len(ids.item_ids))
        assert ids.weights.has_sorted_indices
        assert by_id(inputs) == weights
        for row in inputs.history.itertuples():
            pair = f"{ids.customer_ids[row.customer]}|{ids.item_ids[row.item]}"
            assert row.note == pair
        assert len(inputs.history) == len(rows)
        for frame, column, labels, known in (
            (inputs.customers, "trait", ids.customer_ids, customers),
            (inputs.items, "color", ids.item_ids, items),
        ):
            assert len(frame) == len(labels)
            for label, value in zip(labels, frame[column], strict=True):
                assert value == f"of {label}" if label in known else pd.isna(value)

    def test_customers_and_items_are_optional(self):
        inputs = GeneratorInputs.from_frames(purchases(("b", "y", 2), ("a", "x", 1)))
        assert inputs.interactions.customer_ids.tolist() == ["a", "b"]
        np.testing.assert_array_equal(inputs.interactions.weights.toarray(), [[1, 0], [0, 2]])
        assert (len(inputs.customers), len(inputs.items)) == (2, 2)
        assert inputs.customers.columns.empty
        assert inputs.items.columns.empty
        assert inputs.history.columns.empty
        assert inputs.baskets.columns.empty

    def test_baskets_of_known_customers_and_items(self):
        baskets = table(
            basket=[5, 5, 6, 7, 8, 8, 9],
            customer_id=["b", "b", "a", "?", None, "a", "c"],
            item_id=["x", "y", "?", "x", "x", None, "z"],
            age_days=[3, 3, 2, 1, 1, 1, 0],
            store="main",
        )
        inputs = GeneratorInputs.from_frames(
            purchases(("b", "y", 1), ("a", "x", 1)),
            customers=table(customer_id=["c"]),
            items=table(item_id=["z"]),
            baskets=baskets,
        )
        found = inputs.baskets
        assert set(found.columns) == {"basket", "customer", "item", "age_days"}
        columns = ["basket", "customer", "item", "age_days"]
        rows = sorted(found[columns].itertuples(index=False, name=None))
        assert rows == [(5, 1, 0, 3), (5, 1, 1, 3), (9, 2, 2, 0)]

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("with_others", [False, True])
    def test_nothing_was_bought(self, with_others):
        others = {
            "customers": table(customer_id=["c"]) if with_others else None,
            "items": table(item_id=["i", "j"]) if with_others else None,
            "baskets": table(basket=[1], customer_id=["c"], item_id=["i"], age_days=[0]),
        }
        inputs = GeneratorInputs.from_frames(purchases(), **others)
        assert inputs.bought.shape == ((1, 2) if with_others else (0, 0))
        assert inputs.bought.nnz == 0
        assert inputs.tie_breaks.tolist() == ([0, 1] if with_others else [])
        assert len(inputs.baskets) == with_others

    def test_frames_without_rows_or_types(self):
        empty = pd.DataFrame(columns=["customer_id", "item_id", "weight", "purchase_count"])
        inputs = GeneratorInputs.from_frames(
            empty,
            customers=pd.DataFrame(columns=["customer_id", "segment"]),
            items=pd.DataFrame(columns=["item_id", "brand"]),
        )
        assert inputs.bought.shape == (0, 0)
        assert {"customer", "item", "purchase_count"} == set(inputs.history.columns)
        assert inputs.items.columns.tolist() == ["brand"]

    def test_the_frames_given_stay_as_they_were(self):
        given_frames = {
            "interactions": purchases(("b", "y", 2), ("a", "x", 1)).assign(note=1),
            "customers": table(customer_id=["z", "b"], trait=[1, 2]),
            "items": table(item_id=["z", "y"], color=[1, 2]),
            "baskets": table(basket=[1], customer_id=["b"], item_id=["y"], age_days=[0]),
        }
        copies = {name: frame.copy() for name, frame in given_frames.items()}
        GeneratorInputs.from_frames(**given_frames)
        for name, frame in given_frames.items():
            pd.testing.assert_frame_equal(frame, copies[name])

    @pytest.mark.parametrize("column", ["customer_id", "item_id", "weight"])
    def test_rejects_missing_columns(self, column):
        with pytest.raises(ValueError, match=column):
            GeneratorInputs.from_frames(purchases(("a", "x", 1)).drop(columns=column))

    @pytest.mark.parametrize(
        ("argument", "frame", "column"),
        [
            ("customers", table(trait=[1]), "customer_id"),
            ("items", table(color=[1]), "item_id"),
            *(
                (
                    "baskets",
                    table(basket=[1], customer_id=["a"], item_id=["x"], age_days=[0]).drop(
                        columns=column
                    ),
                    column,
                )
                for column in ("basket", "customer_id", "item_id", "age_days")
            ),
        ],
    )
    def test_rejects_missing_columns_of_the_others(self, argument, frame, column):
        with pytest.raises(ValueError, match=column):
            GeneratorInputs.from_frames(purchases(("a", "x", 1)), **{argument: frame})

    @pytest.mark.parametrize("column", ["customer_id", "item_id"])
    def test_rejects_null_and_repeated_ids_and_numbers(self, column):
        argument = column.removesuffix("_id") + "s"
        good = purchases(("a", "x", 1))
        with pytest.raises(ValueError, match=f"{column} has null"):
            GeneratorInputs.from_frames(good.assign(**{column: None}))
        with pytest.raises(ValueError, match=f"{column} must be text"):
            GeneratorInputs.from_frames(good.assign(**{column: 7}))
        with pytest.raises(ValueError, match=f"{column} has null"):
            GeneratorInputs.from_frames(good, **{argument: table(**{column: ["a", None]})})
        with pytest.raises(ValueError, match=f"{column} must be text"):
            GeneratorInputs.from_frames(good, **{argument: table(**{column: [7]})})
        with pytest.raises(ValueError, match=f"duplicate rows for {column}"):
            GeneratorInputs.from_frames(good, **{argument: table(**{column: ["a", "a"]})})

    def test_rejects_repeated_pairs(self):
        with pytest.raises(ValueError, match="duplicate rows for customer_id, item_id"):
            GeneratorInputs.from_frames(purchases(("a", "x", 1), ("a", "x", 2)))

    @pytest.mark.parametrize("weight", [0, -1, np.nan, np.inf])
    def test_rejects_weights_that_are_not_positive_numbers(self, weight):
        with pytest.raises(ValueError, match="weight"):
            GeneratorInputs.from_frames(purchases(("a", "x", 1), ("a", "y", weight)))


def test_bought_and_tie_breaks():
    inputs = GeneratorInputs.from_frames(
        purchases(("a", "x", 0.1), ("a", "z", 5), ("b", "z", 1), ("b", "y", 2)),
        items=table(item_id=["none"]),
    )
    assert inputs.interactions.item_ids.tolist() == ["none", "x", "y", "z"]
    np.testing.assert_array_equal(inputs.bought.toarray(), [[0, 1, 0, 1], [0, 0, 1, 1]])
    assert inputs.tie_breaks.tolist() == [3, 1, 2, 0]


def random_inputs(rng: np.random.Generator, n_customers: int, n_items: int) -> GeneratorInputs:
    customer, item = np.nonzero(rng.random((n_customers, n_items)) < 0.3)
    return GeneratorInputs.from_frames(
        purchases(*((f"c{c:02}", f"i{i:02}", 1.0) for c, i in zip(customer, item, strict=True))),
        customers=table(customer_id=[f"c{c:02}" for c in range(n_customers)]),
        items=table(item_id=[f"i{i:02}" for i in range(n_items)]),
    )


def scorer_of(scores: np.ndarray) -> Scorer:
    return lambda rows: scores[rows].copy()


def slow_picks(inputs: GeneratorInputs, scores: np.ndarray, k: int, *, exclude_bought: bool):
    """Sort all items of each customer."""
    popularity = np.asarray(inputs.bought.sum(axis=0))
    item_ids = inputs.interactions.item_ids
    picks = []
    for customer, row in enumerate(scores.astype(np.float64)):
        if exclude_bought:
            row = np.where(inputs.bought[[customer]].toarray()[0] > 0, 0, row)
        shares = (row / (row.max(initial=0) or 1)).round(6)
        order = sorted(range(len(row)), key=lambda i: (-shares[i], -popularity[i], item_ids[i]))
        listed = [i for i in order if shares[i] > 0][:k]
        picks += [(customer, i, rank, shares[i]) for rank, i in enumerate(listed, start=1)]
    return picks


def as_rows(picks) -> list[tuple]:
    return list(zip(*(field.tolist() for field in picks), strict=True))


shops = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 60))
# From none to many ties; the last has items that only the last digit tells apart.
values = st.sampled_from(
    [
        lambda rng, shape: rng.random(shape),
        lambda rng, shape: rng.integers(0, 3, shape).astype(np.float64),
        lambda _, shape: np.zeros(shape),
        lambda rng, shape: rng.random(shape) * (rng.random(shape) < 0.2),
        lambda rng, shape: 1 + rng.integers(0, 30, shape) * 1e-7,
    ]
)


class TestTopItems:
    @settings(deadline=None, max_examples=150)
    @given(
        shops,
        values,
        st.sampled_from([np.float32, np.float64]),
        st.sampled_from([1, 2, 3, 10, 1000]),
        st.booleans(),
    )
    def test_equals_a_sort_of_everything(self, shop, draw, dtype, k, exclude_bought):
        seed, *shape = shop
        rng = np.random.default_rng(seed)
        inputs = random_inputs(rng, *shape)
        scores = draw(rng, tuple(shape)).astype(dtype)
        scorer = scorer_of(scores)
        actual = top_items(inputs, scorer, k=k, exclude_bought=exclude_bought)
        expected = slow_picks(inputs, scores, k, exclude_bought=exclude_bought)
        assert as_rows(actual) == expected

    @settings(deadline=None, max_examples=50)
    @given(shops, values, st.integers(1, 8))
    def test_both_scopes_at_once_are_two_calls(self, shop, draw, k):
        seed, *shape = shop
        rng = np.random.default_rng(seed)
        inputs = random_inputs(rng, *shape)
        scorer = scorer_of(draw(rng, tuple(shape)))
        both = top_items_and_new_items(inputs, scorer, k=k)
        for actual, exclude_bought in zip(both, (False, True), strict=True):
            expected = top_items(inputs, scorer, k=k, exclude_bought=exclude_bought)
            assert as_rows(actual) == as_rows(expected)

    def test_ties_go_to_the_more_popular_then_to_the_lower_id(self):
        inputs = GeneratorInputs.from_frames(
            purchases(("a", "m", 1), ("b", "m", 1), ("a", "z", 1)),
            items=table(item_id=["b", "a"]),
        )
        picks = top_items(inputs, scorer_of(np.ones((2, 4))), k=4)
        ids = inputs.interactions.item_ids[picks.item].tolist()
        assert ids == ["m", "z", "a", "b"] * 2

    def test_blocks_do_not_matter(self, monkeypatch):
        rng = np.random.default_rng(0)
        inputs = random_inputs(rng, 9, 12)
        scores = rng.random((9, 12))
        expected = top_items(inputs, scorer_of(scores), k=5)
        calls = []

        def scorer(rows: slice) -> np.ndarray:
            calls.append(rows)
            return scores[rows].copy()

        monkeypatch.setattr(base, "_BLOCK_ENTRIES", 24)
        actual = top_items(inputs, scorer, k=5)
        assert as_rows(actual) == as_rows(expected)
        assert calls == [slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 8), slice(8, 9)]

    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (3, 3)])
    def test_nothing_to_rank(self, shape):
        inputs = random_inputs(np.random.default_rng(0), *shape)
        for picks in top_items_and_new_items(inputs, scorer_of(np.zeros(shape)), k=2):
            assert [len(field) for field in picks] == [0, 0, 0, 0]
            assert picks.item.dtype == picks.rank.dtype == np.int64

    @pytest.mark.parametrize("k", [0, -1])
    def test_rejects_k_below_one(self, k):
        inputs = random_inputs(np.random.default_rng(0), 2, 2)
        with pytest.raises(ValueError, match="k must be"):
            top_items(inputs, scorer_of(np.zeros((2, 2))), k=k)
        with pytest.raises(ValueError, match="k must be"):
            top_items_and_new_items(inputs, scorer_of(np.zeros((2, 2))), k=k)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_scores_at_both_ends_of_a_digit_are_tied(dtype):
    """Of two shares that round alike the tie-break decides, however far apart they are."""
    rng = np.random.default_rng(0)
    n_tied = 0
    for _ in range(3000):
        digit = rng.integers(1, 10**6 - 1)
        best = rng.choice([1.0, rng.uniform(0.1, 50)])
        scores = np.zeros((1, 100), dtype)
        scores[0, :3] = best * np.array([1, (digit + 0.5) * 1e-6, (digit - 0.5) * 1e-6])
        shares = (scores[0].astype(np.float64) / scores.max()).round(6)
        n_tied += shares[1] == shares[2]
        tie_breaks = np.r_[0, 2, 1, np.arange(3, 100)]
        expected = 1 if shares[1] > shares[2] else 2
        assert top_of_block(scores, tie_breaks, 2).item.tolist() == [0, expected]
    assert n_tied > 20


def test_blocks_cover_every_row_once(monkeypatch):
    monkeypatch.setattr(base, "_BLOCK_ENTRIES", 10)
    for n_rows, n_columns, n_blocks in ((7, 3, 3), (7, 100, 7), (7, 0, 1), (0, 3, 0), (10, 1, 1)):
        found = list(blocks(n_rows, n_columns))
        assert len(found) == n_blocks
        assert [row for block in found for row in range(n_rows)[block]] == list(range(n_rows))


def test_entries_at():
    inputs = GeneratorInputs.from_frames(purchases(("a", "x", 2), ("b", "y", 3)))
    weights = inputs.interactions.weights
    row, column = np.array([1, 0, 0, 1]), np.array([1, 1, 0, 1])
    np.testing.assert_array_equal(entries_at(weights, row, column), [3, 0, 2, 3])
    nothing = entries_at(weights, row[:0], column[:0])
    assert isinstance(nothing, np.ndarray)
    assert nothing.shape == (0,)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1.0, 5e-324, 1e-310, 1e-200, 1e200, 1e308])
def test_unit_rows_of_any_size(size):
    """Also those whose squares are 0 or infinite."""
    dense = np.array([[0, 0, 0], [1, 0, 0], [1, 0, 1], [1, 1, 1]]) * size
    # A row of another size beside them.
    actual = unit_rows(csr_array(np.vstack([dense, [3, 0, 4]]))).toarray()
    expected = [[0, 0, 0], [1, 0, 0], [0.5**0.5, 0, 0.5**0.5], [3**-0.5] * 3, [0.6, 0, 0.8]]
    np.testing.assert_allclose(actual, expected, rtol=1e-15)


@pytest.mark.filterwarnings("error")
def test_unit_rows_without_rows_columns_or_anything_but_zeros():
    for shape in ((0, 0), (0, 3), (3, 0)):
        assert unit_rows(csr_array(shape)).shape == shape
    with_zero = csr_array(([0.0, 0.0, 2.0], ([0, 1, 1], [0, 0, 1])), shape=(2, 2))
    assert unit_rows(with_zero).toarray().tolist() == [[0, 0], [0, 1]]


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_unit_rows_equal_the_definition_to_the_last_bit(seed):
    rng = np.random.default_rng(seed)
    dense = rng.uniform(-3, 3, (6, 9)) * (rng.random((6, 9)) < 0.5)
    matrix = csr_array(dense)
    lengths = np.sqrt(matrix.power(2).sum(axis=1))
    actual = unit_rows(matrix).toarray()
    np.testing.assert_array_equal(actual, dense / np.where(lengths > 0, lengths, 1)[:, np.newaxis])
    np.testing.assert_array_equal(matrix.toarray(), dense)
