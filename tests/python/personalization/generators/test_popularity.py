import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import checked_scores, inputs_of
from scipy.sparse import csr_array

from personalization.generators.base import GeneratorInputs
from personalization.generators.popularity import popular, popular_in_segment, trending

GENERATORS = [popular, popular_in_segment, trending]
ALL = slice(0, None)


def shop(purchases, *, n_customers: int, n_items: int, segments=None) -> GeneratorInputs:
    """A shop with orders of one item each: (customer, item, age in days)."""
    baskets = pd.DataFrame(purchases, columns=["customer", "item", "age_days"], dtype=np.int64)
    baskets = baskets.sort_values("age_days", ascending=False, kind="stable")
    baskets = baskets.reset_index(drop=True).rename_axis("basket").reset_index()
    pairs = baskets.assign(recent=baskets["age_days"] <= 28).groupby(["customer", "item"])
    history = pairs.agg(
        purchase_count=("basket", "size"), recent_purchase_count=("recent", "sum")
    ).reset_index()
    positions = (history["customer"].to_numpy(), history["item"].to_numpy())
    weights = csr_array((np.ones(len(history)), positions), shape=(n_customers, n_items))
    if segments is None:
        segments = ["new"] * n_customers
    customers = pd.DataFrame({"segment": pd.Series(segments, dtype="str")})
    return inputs_of(weights, customers=customers, history=history, baskets=baskets)


@st.composite
def shops(draw):
    n_customers, n_items = draw(st.integers(1, 8)), draw(st.integers(1, 6))
    purchase = st.tuples(
        st.integers(0, n_customers - 1), st.integers(0, n_items - 1), st.integers(0, 200)
    )
    segment = st.sampled_from(["loyal", "new", None])
    return shop(
        draw(st.lists(purchase, max_size=60)),
        n_customers=n_customers,
        n_items=n_items,
        segments=draw(st.lists(segment, min_size=n_customers, max_size=n_customers)),
    )


def customers_of(inputs: GeneratorInputs, item: int, youngest: int, oldest: int) -> set[int]:
    return {
        row.customer
        for row in inputs.baskets.itertuples()
        if row.item == item and youngest <= row.age_days <= oldest
    }


@settings(deadline=None, max_examples=40)
@given(shops())
def test_popular_counts_the_customers_of_28_days(inputs):
    n_items = inputs.bought.shape[1]
    expected = [len(customers_of(inputs, item, 0, 28)) for item in range(n_items)]
    scores = popular(inputs)(ALL)
    assert scores.shape == inputs.bought.shape
    assert (scores == expected).all()


def test_popular_counts_all_customers_when_no_times_are_known():
    inputs = shop([(0, 1, 9), (1, 1, 90), (1, 0, 90)], n_customers=3, n_items=2)
    assert popular(inputs)(slice(0, 1)).tolist() == [[0, 1]]
    timeless = GeneratorInputs(inputs.interactions, customers=inputs.customers)
    assert popular(timeless)(slice(0, 1)).tolist() == [[1, 2]]
    shares = popular_in_segment(timeless)(slice(0, 1))
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3]])


@settings(deadline=None, max_examples=40)
@given(shops(), st.sampled_from([0.0, 1.0, 50.0]))
def test_popular_in_segment_equals_its_definition(inputs, shrinkage):
    n_customers, n_items = inputs.bought.shape
    segments = inputs.customers["segment"].tolist()
    expected = np.zeros((n_customers, n_items))
    for customer, segment in enumerate(segments):
        for item in range(n_items):
            buyers = customers_of(inputs, item, 0, 28)
            overall = len(buyers) / n_customers
            expected[customer, item] = overall
            if not pd.isna(segment):
                members = [c for c in range(n_customers) if segments[c] == segment]
                in_segment = sum(c in buyers for c in members)
                expected[customer, item] = (in_segment + shrinkage * overall) / (
                    len(members) + shrinkage
                )
    actual = popular_in_segment(inputs, shrinkage=shrinkage)(ALL)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_a_small_segment_is_taken_to_buy_what_all_buy():
    purchases = [(c, 0, 5) for c in range(40)] + [(40, 1, 5), (40, 2, 5), (41, 1, 5)]
    inputs = shop(purchases, n_customers=42, n_items=3, segments=["loyal"] * 40 + ["lone", "other"])
    assert popular_in_segment(inputs)(slice(40, 41)).argmax() == 0
    assert popular_in_segment(inputs, shrinkage=0)(slice(40, 41)).argmax() == 1


@settings(deadline=None, max_examples=40)
@given(shops(), st.integers(1, 4), st.sampled_from([0.5, 10.0]))
def test_trending_equals_its_definition(inputs, periods, shrinkage):
    n_items = inputs.bought.shape[1]
    recent = np.array([len(customers_of(inputs, item, 0, 28)) for item in range(n_items)])
    earlier = np.zeros(n_items)
    for item in range(n_items):
        for period in range(1, periods + 1):
            earlier[item] += len(customers_of(inputs, item, 28 * period + 1, 28 * period + 28))
    expected = earlier * recent.sum() / max(earlier.sum(), 1)
    score = np.clip(recent - expected, 0, None) / np.sqrt(expected + shrinkage)
    actual = trending(inputs, periods=periods, shrinkage=shrinkage)(ALL)
    np.testing.assert_allclose(actual, np.tile(score, (inputs.bought.shape[0], 1)), rtol=1e-12)


def test_trending_is_more_than_popular_and_more_than_chance():
    milk = [(c, 0, age) for c in range(90) for age in (5, 33, 61, 89)]
    cider = [(c, 1, 5) for c in range(40)] + [(c, 1, 40) for c in range(10)]
    saffron = [(c, 2, 5) for c in range(2)]
    scores = trending(shop(milk + cider + saffron, n_customers=90, n_items=3))(slice(0, 1))[0]
    assert scores[1] == scores.max()
    assert scores[0] == 0
    assert 0 < scores[2] < 1


def test_trending_without_earlier_periods_is_the_order_of_popularity():
    inputs = shop([(0, 1, 3), (1, 1, 3), (0, 0, 3)], n_customers=2, n_items=3)
    scores = trending(inputs)(slice(0, 1))[0]
    assert scores[1] > scores[0] > scores[2] == 0


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize(
    ("purchases", "n_customers", "n_items"),
    [
        ([], 0, 0),
        ([], 0, 3),
        ([], 3, 0),
        ([], 3, 2),
        ([(0, 0, 3)], 1, 1),
        ([(c, i, 3) for c in range(4) for i in range(2)], 4, 2),
    ],
    ids=["nothing", "no customer", "no item", "no purchase", "one", "identical"],
)
@pytest.mark.filterwarnings("error")
def test_small_shops(generator, purchases, n_customers, n_items):
    inputs = shop(purchases, n_customers=n_customers, n_items=n_items)
    scores = checked_scores(generator, inputs)
    assert ((scores > 0) == bool(purchases)).all()


@pytest.mark.parametrize(
    ("generator", "argument", "value"),
    [
        (popular_in_segment, "shrinkage", -1),
        (trending, "periods", 0),
        (trending, "shrinkage", 0),
    ],
)
def test_rejects_bad_arguments(generator, argument, value):
    with pytest.raises(ValueError, match=argument):
        generator(shop([], n_customers=1, n_items=1), **{argument: value})


def test_names_missing_columns():
    inputs = GeneratorInputs(shop([], n_customers=1, n_items=1).interactions)
    with pytest.raises(ValueError, match="segment"):
        popular_in_segment(inputs)
    with pytest.raises(ValueError, match="customer, item, age_days"):
        trending(inputs)
