import math
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest

from personalization.predictions import lifetimes
from personalization.predictions.lifetimes import BgNbd, GammaGamma, NotFittedError, PurchaseHistory

pytestmark = pytest.mark.filterwarnings("error")

# A tenth of those who first bought at CDNOW in early 1997, over 39 weeks: the public data that
# Peter Fader and Bruce Hardie fit their models to (brucehardie.com/datasets), in their order, as
# the Python package lifetimes 0.11.3 (MIT license, Cameron Davidson-Pilon) has them in
# `cdnow_customers_summary_with_transactions.csv`. Mean amounts are of repeat orders, 0 if none.
CDNOW = Path(__file__).parent / "cdnow.csv"
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
PUBLISHED_AMOUNTS = GammaGamma(p=6.25, q=3.74, gamma=15.44)


@pytest.fixture(scope="module")
def cdnow() -> np.ndarray:
    return np.loadtxt(CDNOW, delimiter=",", skiprows=1).T


@pytest.fixture(scope="module")
def customers(cdnow) -> PurchaseHistory:
    return PurchaseHistory(*cdnow[:3])


@pytest.fixture(scope="module")
def model(customers) -> BgNbd:
    return BgNbd.fit(customers)


@pytest.fixture(scope="module")
def repeat_orders(cdnow) -> tuple[np.ndarray, np.ndarray]:
    """Numbers and mean amounts of repeat orders of those who have any."""
    orders, _, _, amount = cdnow[:, cdnow[0] > 0]
    return orders, amount


def simulate(model: BgNbd, n: int, *, duration: float, seed: int):
    """Histories by the story of the model, orders in the time after, and who is alive."""
    rng = np.random.default_rng(seed)
    rate, leaving = rng.gamma(model.r, 1 / model.alpha, n), rng.beta(model.a, model.b, n)
    age = rng.integers(10, 60, n).astype(float)
    now, orders, recency, future = np.zeros((4, n))
    alive = np.ones(n, dtype=bool)
    active = np.arange(n)
    while len(active):
        now[active] += rng.exponential(1 / np.maximum(rate[active], 1e-300))
        active = active[now[active] <= age[active] + duration]
        is_past = now[active] <= age[active]
        past, later = active[is_past], active[~is_past]
        orders[past] += 1
        recency[past] = now[past]
        future[later] += 1
        leaves = rng.random(len(active)) < leaving[active]
        alive[active[leaves & is_past]] = False
        active = active[~leaves]
    return PurchaseHistory(orders, recency, age), future, alive


def select(history: PurchaseHistory, rows) -> PurchaseHistory:
    return PurchaseHistory(history.repeat_orders[rows], history.recency[rows], history.age[rows])


def one(orders: float, recency: float, age: float) -> PurchaseHistory:
    return PurchaseHistory([orders], [recency], [age])


def test_fit_gives_the_published_parameters(customers, model):
    assert len(customers.age) == 2357
    assert [f"{value:.4g}" for value in astuple(model)] == ["0.2426", "4.414", "0.7929", "2.426"]
    assert [round(value, 3) for value in astuple(model)] == list(astuple(PUBLISHED))
    assert round(model.log_likelihood(customers), 1) == -9582.4


def test_amounts_give_the_published_parameters(repeat_orders):
    fitted = GammaGamma.fit(*repeat_orders)
    assert len(repeat_orders[0]) == 946
    for value, published in zip(astuple(fitted), astuple(PUBLISHED_AMOUNTS), strict=True):
        assert f"{value:.3g}" == f"{published:.3g}"
    published = PUBLISHED_AMOUNTS.log_likelihood(*repeat_orders)
    assert published <= fitted.log_likelihood(*repeat_orders) < published + 0.01


def test_no_step_aside_is_more_likely(customers, model, repeat_orders):
    amounts = GammaGamma.fit(*repeat_orders)
    for fitted, data in ((model, (customers,)), (amounts, repeat_orders)):
        best = fitted.log_likelihood(*data)
        for place in range(len(astuple(fitted))):
            for factor in (0.999, 1.001):
                aside = list(astuple(fitted))
                aside[place] *= factor
                assert type(fitted)(*aside).log_likelihood(*data) < best


def test_likelihood_is_that_of_the_paper(customers):
    r, alpha, a, b = astuple(PUBLISHED)
    few = select(customers, slice(0, 300))
    expected = 0.0
    for x, t_x, age in zip(few.repeat_orders, few.recency, few.age, strict=True):
        leaves = 0.0
        if x > 0:
            leaves = a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x)
        expected += math.log(
            math.gamma(r + x)
            / math.gamma(r)
            * alpha**r
            / (alpha + age) ** (r + x)
            * math.gamma(a + b)
            * math.gamma(b + x)
            / (math.gamma(b) * math.gamma(a + b + x))
            * (1 + leaves)
        )
    assert PUBLISHED.log_likelihood(few) == pytest.approx(expected, rel=1e-12)


def test_likelihood_of_amounts_is_that_of_the_note(repeat_orders):
    p, q, gamma = astuple(PUBLISHED_AMOUNTS)
    expected = sum(
        math.lgamma(p * x + q)
        - math.lgamma(p * x)
        - math.lgamma(q)
        + q * math.log(gamma)
        + (p * x - 1) * math.log(amount)
        + p * x * math.log(x)
        - (p * x + q) * math.log(gamma + x * amount)
        for x, amount in zip(*repeat_orders, strict=True)
    )
    assert PUBLISHED_AMOUNTS.log_likelihood(*repeat_orders) == pytest.approx(expected, rel=1e-12)


def test_worked_example_of_the_paper():
    history = one(2, 30.43, 38.86)
    assert PUBLISHED.expected_orders(history, 39)[0].round(3) == 1.226
    odds = 0.793 / (2.426 + 1) * ((4.414 + 38.86) / (4.414 + 30.43)) ** 2.243
    assert PUBLISHED.probability_alive(history)[0] == pytest.approx(1 / (1 + odds), rel=1e-12)


def test_amounts_of_the_note():
    # Nothing known: the mean of the population; else a weighted mean with the own amounts.
    usual, some, many = PUBLISHED_AMOUNTS.expected_amount([0, 1, 10_000], [0.0, 60.0, 60.0])
    assert usual == pytest.approx(6.25 * 15.44 / 2.74)
    assert some == pytest.approx(6.25 * (15.44 + 60) / (6.25 + 3.74 - 1))
    assert many == pytest.approx(60, rel=1e-3)


# By mpmath with 60 digits from the formula of the paper. scipy's hyp2f1 fails at half of these.
@pytest.mark.parametrize(
    ("parameters", "orders", "age", "duration", "expected"),
    [
        ((0.8, 4, 1, 2.5), 3, 30, 20, 1.8593593068),
        ((0.8, 4, 0.3, 0.7), 0, 30, 20, 0.414681525645),
        ((1.1, 1.5, 1.1, 0.13), 100, 1.3, 160, 335.221121013),
        ((0.24, 1e6, 0.8, 2.4), 0, 39, 39, 9.35957839816e-6),
        ((0.24, 4.4, 0.8, 2.4), 10_000, 39, 39, 6840.89937138),
        ((2, 0.03, 0.015, 800), 1, 0.065, 90, 2797.23951709),
        ((5, 4, 500, 0.5), 0, 30, 500, 1.00100095163),
        ((1000, 42, 0.001, 1000), 0, 4, 1000, 21689.873598),
        ((0.001, 42, 1000, 0.001), 2, 4, 1000, 1.00006377309),
        ((0.5, 0.001, 0.4, 2), 0, 0, 52, 748.311487108),
    ],
)
def test_expected_orders_where_numbers_get_difficult(parameters, orders, age, duration, expected):
    model = BgNbd(*parameters)
    history = one(orders, age if orders else 0, age)
    if_alive = model.expected_orders(history, duration) / model.probability_alive(history)
    assert if_alive == pytest.approx(expected, rel=1e-10)


def test_expected_orders_grow_with_the_duration_from_zero(customers, model):
    expected = np.array(
        [model.expected_orders(customers, weeks) for weeks in (0, 1e-9, 1, 10, 1e6)]
    )
    assert (expected[0] == 0).all()
    assert (np.diff(expected, axis=0) > 0).all()


@pytest.mark.parametrize("duration", [-1, math.nan, math.inf])
def test_impossible_durations_are_refused(model, customers, duration):
    with pytest.raises(ValueError, match="duration"):
        model.expected_orders(customers, duration)


def test_predictions_hold_in_a_simulation():
    model = BgNbd(r=0.6, alpha=4, a=0.8, b=2.5)
    history, future, alive = simulate(model, 60_000, duration=30, seed=1)
    expected, probability = model.expected_orders(history, 30), model.probability_alive(history)
    groups = np.minimum(history.repeat_orders, 6) + 10 * (history.recency > history.age / 2)
    assert len(np.unique(groups)) > 10
    for actual, predicted in ((future, expected), (alive, probability)):
        for group in np.unique(groups):
            error = (actual - predicted)[groups == group]
            assert abs(error.mean()) < 4 * max(error.std(), 1e-9) / math.sqrt(len(error))
    # The order of customers by the model is worth something too.
    best = np.argsort(-expected)[: len(expected) // 10]
    assert future[best].mean() > 4 * future.mean()


def test_one_time_buyers_count_as_alive(customers, model):
    probability = model.probability_alive(customers)
    is_one_time = customers.repeat_orders == 0
    assert (probability[is_one_time] == 1).all()
    assert ((probability[~is_one_time] > 0) & (probability[~is_one_time] < 1)).all()


def test_fit_recovers_planted_parameters():
    planted = BgNbd(r=0.6, alpha=4, a=0.8, b=2.5)
    history, _, _ = simulate(planted, 20_000, duration=0, seed=2)
    fitted = BgNbd.fit(history)
    np.testing.assert_allclose(astuple(fitted), astuple(planted), rtol=0.1)
    assert fitted.log_likelihood(history) > planted.log_likelihood(history)


def test_amounts_recover_planted_parameters():
    planted = GammaGamma(p=4, q=3, gamma=20)
    rng = np.random.default_rng(0)
    rate = rng.gamma(planted.q, 1 / planted.gamma, 20_000)
    orders = rng.geometric(0.4, len(rate))
    amount = rng.gamma(planted.p * orders, 1 / rate) / orders
    np.testing.assert_allclose(astuple(GammaGamma.fit(orders, amount)), astuple(planted), rtol=0.05)
    # The next order of the same customers, as far as rare large amounts let a mean tell.
    following = rng.gamma(planted.p, 1 / rate)
    expected = planted.expected_amount(orders, amount)
    for group in (1, 2, 3):
        error = (following - expected)[orders == group]
        assert abs(error.mean()) < 4 * error.std() / math.sqrt(len(error))


def test_units_scale_the_scales_alone(customers, model, repeat_orders):
    in_days = PurchaseHistory(customers.repeat_orders, customers.recency * 7, customers.age * 7)
    fitted = BgNbd.fit(in_days)
    np.testing.assert_allclose(
        astuple(fitted), (model.r, model.alpha * 7, model.a, model.b), rtol=1e-6
    )
    np.testing.assert_allclose(
        fitted.expected_orders(in_days, 70), model.expected_orders(customers, 10), rtol=1e-6
    )
    orders, amount = repeat_orders
    p, q, gamma = astuple(GammaGamma.fit(orders, amount))
    np.testing.assert_allclose(
        astuple(GammaGamma.fit(orders, amount * 100)), (p, q, gamma * 100), rtol=1e-6
    )


def test_order_and_copies_of_customers_do_not_matter(customers, model, repeat_orders):
    shuffled = np.random.default_rng(0).permutation(len(customers.age))
    for rows in (shuffled, np.tile(shuffled, 3)):
        others = select(customers, rows)
        assert BgNbd.fit(others) == model
        for name, arguments in (("expected_orders", (39,)), ("probability_alive", ())):
            expected = getattr(model, name)(customers, *arguments)
            assert np.array_equal(getattr(model, name)(others, *arguments), expected[rows])
    orders, amount = repeat_orders
    shuffled = np.tile(np.random.default_rng(0).permutation(len(orders)), 2)
    assert GammaGamma.fit(orders[shuffled], amount[shuffled]) == GammaGamma.fit(orders, amount)


def test_a_customer_is_predicted_the_same_alone(customers, model):
    among_others = model.expected_orders(customers, 39)
    for row in (0, 1, 2, 1000):
        assert model.expected_orders(select(customers, [row]), 39) == among_others[row]


def test_blocks_do_not_matter(customers, model, monkeypatch):
    expected = model.expected_orders(customers, 39)
    monkeypatch.setattr(lifetimes, "_BLOCK", 7)
    assert np.array_equal(model.expected_orders(customers, 39), expected)


def test_one_customer_with_very_many_orders(customers, model):
    many = PurchaseHistory(
        np.append(customers.repeat_orders, 10_000),
        np.append(customers.recency, 38.0),
        np.append(customers.age, 38.86),
    )
    fitted = BgNbd.fit(many)
    for either in (model, fitted):
        assert math.isfinite(either.log_likelihood(many))
        expected, probability = either.expected_orders(many, 39), either.probability_alive(many)
        assert np.isfinite(expected).all()
        assert ((probability >= 0) & (probability <= 1)).all()
    # It ordered every five minutes, so two hours of silence and more say that it has left.
    assert probability[-1] < 1e-12
    busy = one(10_000, 38.86, 38.86)
    assert 1000 < fitted.expected_orders(busy, 39)[0] < 10_100


@pytest.mark.parametrize(
    "planted",
    [
        BgNbd(r=1, alpha=4, a=1e-9, b=1),
        BgNbd(r=1e6, alpha=1e7, a=1, b=3),
        BgNbd(r=0.5, alpha=4, a=1e6, b=3e6),
        BgNbd(r=1, alpha=4, a=1e6, b=1e-3),
    ],
    ids=["nobody leaves", "one rate", "one probability of leaving", "all leave at once"],
)
def test_shops_at_the_ends_of_the_range(planted):
    history, future, _ = simulate(planted, 3000, duration=20, seed=4)
    fitted = BgNbd.fit(history)
    expected = fitted.expected_orders(history, 20)
    assert np.isfinite(expected).all()
    assert expected.sum() == pytest.approx(future.sum(), rel=0.1)


@pytest.mark.parametrize(
    ("history", "reason"),
    [
        (PurchaseHistory([], [], []), "at least 2 customers need repeat orders, not 0"),
        (one(3, 5, 9), "at least 2 customers need repeat orders, not 1"),
        (PurchaseHistory([0, 0, 0], [0, 0, 0], [3, 8, 9]), "repeat orders, not 0"),
        (PurchaseHistory([0, 4, 0], [0, 3, 0], [3, 8, 9]), "repeat orders, not 1"),
        (PurchaseHistory([2] * 50, [5] * 50, [9] * 50), "the same history"),
    ],
    ids=["no customers", "one customer", "one-time buyers", "one repeats", "all identical"],
)
def test_what_teaches_nothing_is_told(history, reason):
    with pytest.raises(NotFittedError, match=reason):
        BgNbd.fit(history)


@pytest.mark.parametrize(
    ("orders", "amount", "reason"),
    [
        ([], [], "at least 2 customers need repeat orders, not 0"),
        ([3], [20.0], "at least 2 customers need repeat orders, not 1"),
        ([1, 2, 5], [20.0, 20.0, 20.0], "the same mean amount"),
        (np.ones(100), (100 / np.arange(1, 101)) ** 2, "infinite"),
        (np.ones(21), 10.0 ** np.arange(-300, 301, 30), "infinite"),
    ],
    ids=["no customers", "one customer", "all equal", "beyond any mean", "all magnitudes"],
)
def test_amounts_that_teach_nothing_are_told(orders, amount, reason):
    with pytest.raises(NotFittedError, match=reason):
        GammaGamma.fit(orders, amount)


def test_a_search_that_does_not_converge_is_told(customers, repeat_orders, monkeypatch):
    monkeypatch.setattr(lifetimes, "_MAX_ITERATIONS", 1)
    with pytest.raises(NotFittedError, match="did not converge"):
        BgNbd.fit(customers)
    with pytest.raises(NotFittedError, match="did not converge"):
        GammaGamma.fit(*repeat_orders)


def test_few_and_nearly_equal_data_are_enough():
    history = PurchaseHistory([1, 1, 0], [5, 7, 0], [10, 11, 12])
    assert np.isfinite(BgNbd.fit(history).expected_orders(history, 20)).all()
    amounts = [19.99, 19.99, 19.990000000000002]
    fitted = GammaGamma.fit([1, 5, 3], amounts)
    np.testing.assert_allclose(fitted.expected_amount([1, 5, 3], amounts), 19.99, rtol=2e-3)


def test_nobody_gets_no_predictions(model):
    nobody = PurchaseHistory([], [], [])
    assert model.expected_orders(nobody, 39).shape == (0,)
    assert model.probability_alive(nobody).shape == (0,)
    assert model.log_likelihood(nobody) == 0
    assert PUBLISHED_AMOUNTS.expected_amount([], []).shape == (0,)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (([1, math.nan], [1, 1], [2, 2]), "repeat_orders has null or infinite"),
        (([1, 1], [1, math.nan], [2, 2]), "recency has null or infinite"),
        (([1, 1], [1, 1], [2, math.inf]), "age has null or infinite"),
        (([1, 1.5], [1, 1], [2, 2]), "whole numbers"),
        (([1, -1], [1, 1], [2, 2]), "whole numbers"),
        (([1, 1], [1, -1], [2, 2]), "below 0"),
        (([1, 1], [1, 3], [2, 2]), "above the age"),
        (([1, 0], [1, 1], [2, 2]), "recency must be 0"),
        (([1, 1], [1, 0], [2, 2]), "recency must be 0"),
        (([1, 1], [1, 1], [2]), "differ in length: repeat_orders 2, recency 2, age 1"),
        ((1, 1, 2), "one dimension, not 0"),
    ],
)
def test_impossible_histories_are_refused(columns, message):
    with pytest.raises(ValueError, match=message):
        PurchaseHistory(*columns)


@pytest.mark.parametrize(
    ("orders", "amount", "message"),
    [
        ([1, 2], [20.0, 0.0], "not positive"),
        ([1, 2], [20.0, -3.0], "not positive"),
        ([1, 2], [20.0, math.nan], "mean_amount has null"),
        ([1, math.nan], [20.0, 30.0], "orders has null"),
        ([1, 2.5], [20.0, 30.0], "whole numbers"),
        ([1, 2], [20.0], "differ in length"),
    ],
)
def test_impossible_amounts_are_refused(orders, amount, message):
    for method in (
        GammaGamma.fit,
        PUBLISHED_AMOUNTS.log_likelihood,
        PUBLISHED_AMOUNTS.expected_amount,
    ):
        with pytest.raises(ValueError, match=message) as refusal:
            method(orders, amount)
        assert not isinstance(refusal.value, NotFittedError)


def test_amounts_are_learned_from_orders_alone():
    for method in (GammaGamma.fit, PUBLISHED_AMOUNTS.log_likelihood):
        with pytest.raises(ValueError, match="orders has values below 1"):
            method([0, 1, 2], [1.0, 20.0, 30.0])


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf])
def test_impossible_parameters_are_refused(value):
    with pytest.raises(ValueError, match="b must be a positive finite number"):
        BgNbd(1, 1, 1, value)
    with pytest.raises(ValueError, match="gamma must be a positive finite number"):
        GammaGamma(1, 2, value)
    with pytest.raises(ValueError, match="q must be above 1"):
        GammaGamma(1, 1, 1)
