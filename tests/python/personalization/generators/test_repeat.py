from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from matrices import SMALL_SHOPS, checked_scores, inputs_of

from personalization.generators.base import GeneratorInputs, top_items
from personalization.generators.repeat import buy_again, buy_again_in_time, tifu_knn

GENERATORS = [buy_again, buy_again_in_time, tifu_knn]
ALL = slice(0, None)


def shop(weights) -> GeneratorInputs:
    """A shop in which a larger weight means more and later purchases."""
    weights = np.asarray(weights, dtype=np.float64)
    customer, item = weights.nonzero()
    count = np.ceil(weights[customer, item]).astype(np.int64)
    last = (7 * customer + 3 * item) % 50
    history = pd.DataFrame(
        {
            "customer": customer,
            "item": item,
            "purchase_count": count,
            "days_since_last_purchase": last,
            "days_since_first_purchase": last + (count - 1) * (1 + (customer + item) % 9),
            "recent_purchase_count": (last <= 28).astype(np.int64),
        }
    )
    return inputs_of(weights, history=history)


def random_weights(seed: int, n_customers: int, n_items: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shape = (n_customers, n_items)
    return rng.uniform(0.01, 6, shape) * (rng.random(shape) < 0.3)


shapes = st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 15))


def test_buy_again_is_the_decayed_weight():
    weights = random_weights(0, 9, 14)
    scorer = buy_again(shop(weights))
    np.testing.assert_array_equal(scorer(slice(2, 7)), weights[2:7])


@settings(deadline=None, max_examples=40)
@given(shapes, st.sampled_from([0.0, 0.5, 2.0]), st.sampled_from([0.0, 0.2, 1.0]))
def test_buy_again_in_time_equals_its_definition(shape, shrinkage, lapse):
    weights = random_weights(*shape)
    inputs = shop(weights)
    rows = list(inputs.history.itertuples())
    spans = [row.days_since_first_purchase - row.days_since_last_purchase for row in rows]
    counts = [row.purchase_count - 1 for row in rows]
    overall_interval = sum(spans) / max(sum(counts), 1)
    overall_weight = weights.sum() / max(len(rows), 1)
    expected = np.zeros(weights.shape)
    for row, span, count in zip(rows, spans, counts, strict=True):
        same = [n for n, other in enumerate(rows) if other.item == row.item]
        mean_weight = (weights[:, row.item].sum() + 5 * overall_weight) / (len(same) + 5)
        item_interval = (sum(spans[n] for n in same) + 5 * overall_interval) / (
            sum(counts[n] for n in same) + 5
        )
        interval = max(1, (span + item_interval) / (count + 1))
        rate = weights[row.customer, row.item] + shrinkage * mean_weight
        expected[row.customer, row.item] = (
            rate * (1 + row.days_since_last_purchase / interval) ** -lapse
        )
    actual = buy_again_in_time(inputs, shrinkage=shrinkage, lapse=lapse)(ALL)
    np.testing.assert_allclose(actual, expected, rtol=1e-12)


def test_without_prior_and_lapse_only_the_weight_counts():
    inputs = shop(random_weights(3, 9, 14))
    actual = buy_again_in_time(inputs, shrinkage=0, lapse=0)(ALL)
    np.testing.assert_array_equal(actual, buy_again(inputs)(ALL))


def test_an_overdue_item_loses_to_one_that_is_in_its_rhythm():
    inputs = shop([[3.0, 3.0]])
    history = inputs.history.assign(
        purchase_count=4,
        days_since_first_purchase=[90 + 40, 21 + 40],
        days_since_last_purchase=40,
    )
    # Monthly and 40 days ago is barely late; weekly and 40 days ago is over.
    monthly, weekly = buy_again_in_time(replace(inputs, history=history))(ALL)[0]
    assert monthly > weekly > 0


def test_an_item_that_others_buy_often_wins_a_tie_between_first_purchases():
    inputs = shop([[1.0, 1.0], [6.0, 0.5], [6.0, 0.5]])
    history = inputs.history.assign(days_since_last_purchase=5, days_since_first_purchase=5)
    scores = buy_again_in_time(replace(inputs, history=history))(ALL)
    assert scores[0, 0] > scores[0, 1]


@settings(deadline=None, max_examples=40)
@given(shapes, st.integers(1, 6), st.sampled_from([0.0, 0.3, 1.0]))
def test_tifu_knn_equals_its_definition(shape, neighbors, blend):
    weights = random_weights(*shape)
    logs = np.log1p(weights)
    expected = np.zeros(weights.shape)
    for c in range(len(weights)):
        cosines = [
            (logs[c] @ other) / np.sqrt((logs[c] @ logs[c]) * (other @ other))
            if logs[c] @ other > 0
            else 0.0
            for other in logs
        ]
        order = sorted(range(len(weights)), key=lambda n, values=cosines: -values[n])
        nearest = [n for n in order if cosines[n] > 0][:neighbors]
        ranked = sorted(cosines, reverse=True)
        # A tie in the last place has no defined outcome.
        last = ranked[neighbors - 1 : neighbors + 1]
        assume(len(last) < 2 or last[1] == 0 or last[0] - last[1] > 1e-9)
        if nearest:
            expected[c] = blend * weights[c] + (1 - blend) * weights[nearest].mean(axis=0)
    actual = tifu_knn(shop(weights), neighbors=neighbors, blend=blend)(ALL)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def test_tifu_knn_proposes_what_only_similar_customers_buy():
    weights = np.zeros((4, 5))
    weights[0, [0, 1]] = weights[1, [0, 1, 2]] = 2
    weights[2, [3, 4]] = weights[3, [3]] = 2
    scores = tifu_knn(shop(weights), neighbors=2)(ALL)
    assert scores[0, 2] > 0
    assert scores[0, 3] == scores[0, 4] == 0


@pytest.mark.parametrize("generator", GENERATORS)
@pytest.mark.parametrize(
    "weights",
    [
        *SMALL_SHOPS,
        pytest.param(np.ones((5, 3)), id="more customers than items"),
        pytest.param(np.array([[1.0, 0.0], [0.0, 0.0], [2.0, 3.0]]), id="bought again"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_small_shops(generator, weights):
    inputs = shop(weights)
    scores = checked_scores(generator, inputs)
    assert ((scores > 0) == (inputs.bought.toarray() > 0)).all() or generator is tifu_knn
    assert len(top_items(inputs, generator(inputs), k=5).item) >= inputs.bought[:, :5].nnz


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_slice_is_a_part_of_the_whole(generator):
    scorer = generator(shop(random_weights(4, 11, 8)))
    np.testing.assert_array_equal(scorer(slice(3, 6)), scorer(ALL)[3:6])


@pytest.mark.parametrize(
    ("generator", "argument", "value"),
    [
        (buy_again_in_time, "shrinkage", -1),
        (buy_again_in_time, "lapse", -0.1),
        (tifu_knn, "neighbors", 0),
        (tifu_knn, "blend", 1.1),
        (tifu_knn, "blend", float("nan")),
    ],
)
def test_rejects_bad_arguments(generator, argument, value):
    with pytest.raises(ValueError, match=argument):
        generator(shop(np.ones((2, 2))), **{argument: value})


def test_buy_again_in_time_needs_times():
    inputs = replace(shop(np.ones((2, 2))), history=pd.DataFrame())
    with pytest.raises(ValueError, match=r"purchase_count, days_since_first_purchase"):
        buy_again_in_time(inputs)
