from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from customer_shop import NEWEST, cutoffs, history, orders, simulated_orders

from personalization.predictions.lifetimes import BgNbd, GammaGamma, NotFittedError, PurchaseHistory
from personalization.predictions.rhythms import rhythm_features
from personalization.predictions.spending import (
    bg_nbd_gamma_gamma,
    blend,
    gradient_boosting,
    last_12_weeks,
    lifetime_rate,
)

pytestmark = pytest.mark.filterwarnings("error")

CDNOW = Path(__file__).parent / "cdnow.csv"


def customers(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype="float64")


def history_of(repeats, between, age, mean_amount) -> pd.DataFrame:
    """Features of customers as BG/NBD describes them, times in weeks."""
    return customers(
        order_days=repeats + 1,
        tenure_days=7 * age,
        recency_days=7 * (age - between),
        amount_paid=mean_amount * (repeats + 1),
    )


@pytest.fixture(scope="module")
def cdnow() -> pd.DataFrame:
    return history_of(*np.loadtxt(CDNOW, delimiter=",", skiprows=1).T)


class TestRates:
    rows = customers(
        amount_84d=[84.0, 0.0, 300.0, 50.0],
        amount_paid=[364.0, 100.0, 300.0, 50.0],
        tenure_days=[364.0, 200.0, 10.0, 1.0],
    )

    def test_last_12_weeks_go_on(self):
        assert last_12_weeks(28)(self.rows) == pytest.approx([28, 0, 100, 50 / 3])
        assert last_12_weeks(91)(self.rows) == pytest.approx([91, 0, 325, 50 * 91 / 84])

    def test_a_lifetime_goes_on_and_is_28_days_long_at_least(self):
        assert lifetime_rate(28)(self.rows) == pytest.approx([28, 14, 300, 50])
        assert lifetime_rate(364)(self.rows) == pytest.approx([364, 182, 3900, 650])

    def test_a_blend_is_the_mean_of_both(self):
        assert blend(28)(self.rows) == pytest.approx([28, 7, 200, 100 / 3])

    def test_nobody(self):
        for rule in (last_12_weeks, lifetime_rate, blend):
            assert rule(28)(self.rows.iloc[:0]).shape == (0,)


class TestLifetimes:
    def test_is_orders_times_amount(self, cdnow):
        repeats, between, age, mean = np.loadtxt(CDNOW, delimiter=",", skiprows=1).T
        weeks = PurchaseHistory(repeats, between, age)
        number = BgNbd.fit(weeks).expected_orders(weeks, 52)
        amounts = GammaGamma.fit(repeats[mean > 0] + 1, mean[mean > 0])
        amount = amounts.expected_amount(np.where(mean > 0, repeats + 1, 0), mean)
        spend = bg_nbd_gamma_gamma(cdnow, 364)(cdnow)
        np.testing.assert_allclose(spend, number * amount, rtol=1e-5)
        assert 5 < spend.mean() < 100

    def test_a_period_of_no_days_earns_nothing_and_longer_ones_more(self, cdnow):
        spend = [bg_nbd_gamma_gamma(cdnow, days)(cdnow).sum() for days in (0, 28, 91, 364)]
        assert spend[0] == pytest.approx(0, abs=1e-9)
        assert spend[1] < spend[2] < spend[3] < 13 * spend[1]

    def test_beats_what_was_spent_last(self):
        past, spent = buyers(4000, seed=0)
        spend = bg_nbd_gamma_gamma(past, 182)(past)
        assert spend.sum() == pytest.approx(spent.sum(), rel=0.1)
        for rule in (last_12_weeks, lifetime_rate, blend):
            usual = rule(182)(past)
            assert np.mean((spend - spent) ** 2) < 0.9 * np.mean((usual - spent) ** 2)
        error = np.abs(spend - spent).mean()
        assert error < 0.95 * np.abs(last_12_weeks(182)(past) - spent).mean()

    def test_one_day_of_tenure_is_not_extrapolated(self, cdnow):
        new = customers(
            order_days=[1, 1],
            tenure_days=[1, 1],
            recency_days=[1, 1],
            amount_paid=[30, 3000],
            amount_84d=[30, 3000],
        )
        for days in (28, 364):
            spend = bg_nbd_gamma_gamma(cdnow, days)(new)
            assert (spend > 0).all()
            # A day is no habit: not even a tenth of an order of that size a day.
            assert (spend < new["amount_paid"] * days / 10).all()
            assert (lifetime_rate(days)(new) <= new["amount_paid"] * days / 28).all()
            assert (blend(days)(new) <= new["amount_paid"] * days / 28).all()

    def test_is_fitted_to_those_of_today_and_asked_of_others(self, cdnow):
        predict = bg_nbd_gamma_gamma(cdnow, 91)
        pair = predict(cdnow.iloc[[0, 7]])
        np.testing.assert_allclose(pair, predict(cdnow)[[0, 7]], rtol=1e-12)
        assert predict(cdnow.iloc[:0]).shape == (0,)

    def test_who_stopped_is_worth_less(self, cdnow):
        same = {"order_days": 10.0, "tenure_days": 270.0, "amount_paid": 300.0}
        rows = pd.DataFrame([same | {"recency_days": days} for days in (1.0, 30.0, 90.0, 200.0)])
        spend = bg_nbd_gamma_gamma(cdnow, 91)(rows)
        assert (np.diff(spend) < 0).all()
        assert spend[-1] < 0.1 * spend[0]

    def test_features_of_two_customers_may_be_mixed(self, cdnow):
        """Reasons ask about customers that cannot be, whose last order is before the first."""
        mixed = cdnow.apply(np.random.default_rng(0).permutation)
        mixed["recency_days"] *= 2
        assert (mixed["recency_days"] > mixed["tenure_days"]).any()
        assert ((mixed["amount_paid"] == 0) & (mixed["order_days"] > 1)).any()
        spend = bg_nbd_gamma_gamma(cdnow, 91)(mixed)
        assert np.isfinite(spend).all()
        assert (spend >= 0).all()

    def test_nobody_paid_anything(self, cdnow):
        free = cdnow.assign(amount_paid=0.0)
        assert (bg_nbd_gamma_gamma(free, 91)(free) == 0).all()
        assert bg_nbd_gamma_gamma(cdnow.iloc[:0], 91)(cdnow.iloc[:0]).shape == (0,)

    def test_says_why_it_cannot_be_fitted(self, cdnow):
        once = cdnow[cdnow["order_days"] == 1].assign(amount_paid=9.0)
        with pytest.raises(NotFittedError, match="need repeat orders"):
            bg_nbd_gamma_gamma(once, 91)
        alike = pd.concat([cdnow.iloc[[0]]] * 5)
        with pytest.raises(NotFittedError, match="the same history"):
            bg_nbd_gamma_gamma(alike, 91)
        same_price = cdnow.assign(amount_paid=cdnow["order_days"] * 9.0)
        with pytest.raises(NotFittedError, match="same mean amount"):
            bg_nbd_gamma_gamma(same_price, 91)

    def test_an_order_history_of_real_days_is_one(self):
        shop = rhythm_features(simulated_orders(60, seed=1), NEWEST)
        daily = rhythm_features(
            orders(("day", 1, 30, 99.0), *(("two", age, 1, 5.0) for age in (1, 1 + 7))), NEWEST
        )
        spend = bg_nbd_gamma_gamma(shop, 28)(daily)
        assert np.isfinite(spend).all()


def buyers(n: int, *, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Customers by the story of the models with about the published parameters for CDNOW.

    Returns:
        Their features after up to 45 weeks, and what they spent in the next 26.
    """
    rng = np.random.default_rng(seed)
    rate, leaving = rng.gamma(0.6, 1 / 8, n), rng.beta(0.8, 2.5, n)
    amount_rate = rng.gamma(3.7, 1 / 15, n)
    age = rng.integers(12 * 7, 45 * 7, n)
    rows, spent = [], np.zeros(n)
    for customer in range(n):
        day = 0
        while day < age[customer] + 182:
            amount = rng.gamma(6.0, 1 / amount_rate[customer])
            if day < age[customer]:
                rows.append((f"c{customer:04d}", age[customer] - day, 1, round(amount, 2)))
            else:
                spent[customer] += amount
            if day > 0 and rng.random() < leaving[customer]:
                break
            day += max(1, int(rng.exponential(7 / max(rate[customer], 1e-4))))
    return rhythm_features(orders(*rows), NEWEST), spent


class TestGradientBoosting:
    @pytest.fixture(scope="class")
    @staticmethod
    def shop():
        past = history(simulated_orders(300, seed=4), cutoffs(7))
        known = past.table[past.table["spend_28d"].notna()]
        is_old = known["as_of_date"] < past.cutoffs[1]
        old, new = known[is_old], known[~is_old]
        return old[past.features], old["spend_28d"].to_numpy(), new[past.features], new["spend_28d"]

    def test_corrects_the_blend(self, shop):
        features, spent, unseen, outcome = shop
        predicted = gradient_boosting(features, spent, 28)(unseen)
        error = np.abs(predicted - outcome).mean()
        assert error < 0.95 * np.abs(blend(28)(unseen) - outcome).mean()
        assert error < 0.95 * np.abs(last_12_weeks(28)(unseen) - outcome).mean()
        assert predicted.min() >= 0

    def test_is_the_blend_where_there_is_nothing_to_correct(self, shop):
        features, _, unseen, _ = shop
        predicted = gradient_boosting(features, blend(28)(features), 28)(unseen)
        np.testing.assert_allclose(predicted, blend(28)(unseen), atol=1e-9)

    def test_is_the_middle_of_what_is_likely(self, shop):
        features, _, unseen, _ = shop
        rng = np.random.default_rng(0)
        spent = blend(28)(features) * rng.choice([0.5, 0.5, 8.0], len(features))
        predicted = gradient_boosting(features, spent, 28)(unseen)
        large = blend(28)(unseen) > 20
        share = predicted[large] / blend(28)(unseen)[large]
        assert np.median(share) == pytest.approx(0.5, abs=0.1)

    def test_says_the_same_again_and_row_by_row(self, shop):
        features, spent, unseen, _ = shop
        first = gradient_boosting(features, spent, 28)(unseen)
        predict = gradient_boosting(features, spent, 28)
        np.testing.assert_array_equal(predict(unseen), first)
        np.testing.assert_allclose(predict(unseen.iloc[[7]]), first[[7]], rtol=1e-12)
