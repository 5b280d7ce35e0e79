import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import checked_scores, inputs_of
from scipy.sparse import csr_array

from personalization.generators.base import GeneratorInputs
from personalization.generators.sessions import session_knn, session_scores

ALL = slice(0, None)


def shop(baskets: pd.DataFrame, *, n_customers: int, n_items: int) -> GeneratorInputs:
    pairs = baskets[["customer", "item"]].drop_duplicates()
    positions = (pairs["customer"].to_numpy(), pairs["item"].to_numpy())
    weights = csr_array((np.ones(len(pairs)), positions), shape=(n_customers, n_items))
    return inputs_of(weights, baskets=baskets)


def orders(*rows: tuple[int, int, int, list[int]]) -> pd.DataFrame:
    """Order lines of orders: number, customer, age in days, items."""
    lines = [
        (number, customer, item, age) for number, customer, age, items in rows for item in items
    ]
    return pd.DataFrame(lines, columns=["basket", "customer", "item", "age_days"], dtype=np.int64)


def slow_scores(sessions, ages, current, *, neighbors, sample_size, recency_days, own=None):
    """The definition, one session at a time, on dense arrays."""
    n_sessions = len(sessions)
    idf = np.log(1 + n_sessions / np.maximum((sessions > 0).sum(axis=0), 1))
    scores = np.zeros(current.shape)
    for row, weights in enumerate(current):
        others = [
            n
            for n in range(n_sessions)
            if (sessions[n] * weights > 0).any() and (own is None or own[row] != n)
        ]
        found = []
        for n in others[-sample_size:]:
            x, y = weights * idf, (sessions[n] > 0) * idf
            similarity = (x @ y) / np.sqrt((x @ x) * (y @ y)) * np.exp(-ages[n] / recency_days)
            found.append((-round(similarity, 6), -n, similarity))
        for _, negative, similarity in sorted(found)[:neighbors]:
            scores[row] += similarity * (sessions[-negative] > 0)
    return scores


def random_sessions(seed: int, n_sessions: int, n_items: int):
    rng = np.random.default_rng(seed)
    sessions = (rng.random((n_sessions, n_items)) < 0.3).astype(np.float64)
    ages = np.sort(rng.uniform(0, 400, n_sessions))[::-1]
    current = rng.uniform(0.1, 1, (5, n_items)) * (rng.random((5, n_items)) < 0.3)
    return sessions, ages, current


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 30),
    st.integers(1, 10),
    st.integers(1, 6),
    st.integers(1, 20),
    st.sampled_from([20.0, 1000.0]),
)
def test_scores_equal_their_definition(
    seed, n_sessions, n_items, neighbors, sample_size, recency_days
):
    sessions, ages, current = random_sessions(seed, n_sessions, n_items)
    parameters = {
        "neighbors": neighbors,
        "sample_size": sample_size,
        "recency_days": recency_days,
    }
    actual = session_scores(csr_array(sessions), ages, csr_array(current), **parameters)
    expected = slow_scores(sessions, ages, current, **parameters)
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 25), st.integers(1, 8), st.integers(1, 6))
def test_session_knn_takes_the_latest_order_and_never_itself(seed, n_orders, n_items, neighbors):
    rng = np.random.default_rng(seed)
    sessions, ages, _ = random_sessions(seed, n_orders, n_items)
    ages = np.floor(ages)
    sessions[np.arange(n_orders), rng.integers(0, n_items, n_orders)] = 1
    customer = rng.integers(0, 4, n_orders)
    # Numbers with gaps, as orders of others may have been left out; lines in any order.
    rows = [
        (10 * n, customer[n], int(ages[n]), np.flatnonzero(sessions[n]).tolist())
        for n in rng.permutation(n_orders)
    ]
    own = np.array([max(np.flatnonzero(customer == c), default=-1) for c in range(5)])
    current = np.array([sessions[n] if n >= 0 else np.zeros(n_items) for n in own])
    expected = slow_scores(
        sessions, ages, current, neighbors=neighbors, sample_size=7, recency_days=100, own=own
    )
    inputs = shop(orders(*rows), n_customers=5, n_items=n_items)
    scorer = session_knn(inputs, neighbors=neighbors, sample_size=7, recency_days=100)
    np.testing.assert_allclose(scorer(ALL), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(scorer(slice(1, 3)), scorer(ALL)[1:3])


def test_many_current_sessions_are_scored_like_single_ones():
    # More pairs of sessions than one block holds.
    rng = np.random.default_rng(5)
    sessions = csr_array((rng.random((3000, 6)) < 0.3).astype(np.float64))
    current = csr_array((rng.random((1500, 6)) < 0.3).astype(np.float64))
    ages = np.zeros(3000)
    together = session_scores(sessions, ages, current, neighbors=3)
    for row in (0, 700, 1499):
        alone = session_scores(sessions, ages, current[[row]], neighbors=3)
        np.testing.assert_array_equal(together[[row]], alone)


def test_a_telling_item_decides_which_sessions_are_near():
    # Everybody buys item 0; item 1 comes with 3, items 2 and 4 with nothing in common.
    sessions = np.zeros((12, 5))
    sessions[:, 0] = 1
    sessions[0, [1, 3]] = 1
    sessions[1:, 4] = 1
    current = np.array([[1.0, 1.0, 0, 0, 0]])
    scores = session_scores(csr_array(sessions), np.zeros(12), csr_array(current), neighbors=1)
    assert scores[0, 3] > 0
    assert scores[0, 4] == 0


def test_recent_sessions_win_a_tie():
    sessions = csr_array([[1.0, 1, 0], [1, 0, 1]])
    current = csr_array([[1.0, 0, 0]])
    tied = session_scores(sessions, np.zeros(2), current, neighbors=1)
    assert tied[0, 2] > tied[0, 1] == 0
    both = session_scores(sessions, np.array([100.0, 1.0]), current)
    assert both[0, 2] > both[0, 1] > 0


@pytest.mark.parametrize(
    ("baskets", "n_customers", "n_items"),
    [
        (orders(), 0, 0),
        (orders(), 0, 3),
        (orders(), 3, 0),
        (orders(), 3, 2),
        (orders((1, 0, 3, [0])), 1, 1),
    ],
    ids=["nothing", "no customer", "no item", "no purchase", "one"],
)
@pytest.mark.filterwarnings("error")
def test_shops_without_neighbors(baskets, n_customers, n_items):
    inputs = shop(baskets, n_customers=n_customers, n_items=n_items)
    scores = checked_scores(session_knn, inputs)
    assert not scores.any()


@pytest.mark.filterwarnings("error")
def test_identical_customers():
    baskets = orders(*((n, n, 9 - n, [0, 2]) for n in range(4)))
    scores = checked_scores(session_knn, shop(baskets, n_customers=4, n_items=3))
    assert ((scores > 0) == [True, False, True]).all()


@pytest.mark.filterwarnings("error")
def test_no_past_and_no_current_sessions():
    some = csr_array(np.ones((2, 3)))
    none = csr_array((0, 3))
    assert session_scores(none, np.empty(0), some).tolist() == np.zeros((2, 3)).tolist()
    assert session_scores(some, np.zeros(2), none).shape == (0, 3)
    empty = session_scores(some, np.zeros(2), csr_array((1, 3)))
    assert empty.tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("argument", "value"), [("neighbors", 0), ("sample_size", 0), ("recency_days", 0)]
)
def test_rejects_bad_arguments(argument, value):
    with pytest.raises(ValueError, match=argument):
        session_knn(shop(orders(), n_customers=1, n_items=1), **{argument: value})
    one = csr_array(np.ones((1, 1)))
    with pytest.raises(ValueError, match=argument):
        session_scores(one, np.zeros(1), one, **{argument: value})


def test_rejects_shapes_that_do_not_fit():
    sessions = csr_array(np.ones((2, 3)))
    with pytest.raises(ValueError, match="do not fit"):
        session_scores(sessions, np.zeros(1), sessions)
    with pytest.raises(ValueError, match="do not fit"):
        session_scores(sessions, np.zeros(2), csr_array(np.ones((1, 4))))


def test_names_missing_columns():
    inputs = shop(orders(), n_customers=1, n_items=1)
    with pytest.raises(ValueError, match="basket, customer, item, age_days"):
        session_knn(GeneratorInputs(inputs.interactions))
