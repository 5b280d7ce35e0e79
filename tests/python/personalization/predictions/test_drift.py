from datetime import date

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from personalization.predictions.drift import (
    ANOTHER_MODEL,
    DRIFTED,
    GROWS,
    PROBABILITY_EDGES,
    STABLE,
    TOO_FEW,
    WATCH,
    Limits,
    ks_distance,
    measure_drift,
    stability_index,
    tenths,
)

DATES = pd.to_datetime(["2017-04-10", "2017-05-08", "2017-06-05"])
NO_SCORES = pd.DataFrame(
    {
        "target": [],
        "as_of_date": pd.to_datetime([]),
        "model": [],
        "predicted": [],
        "is_shipped": pd.Series(dtype=bool),
    }
)


def features(n: int = 2000, shift: float = 0.0, **columns) -> pd.DataFrame:
    """A steady feature, and columns given by a function of place of the cutoff and generator."""
    tables = []
    for place, as_of_date in enumerate(DATES):
        rng = np.random.default_rng(place)
        values = {name: make(place, rng, n) for name, make in columns.items()}
        steady = rng.normal(shift * place, 1, n)
        tables.append(pd.DataFrame({"as_of_date": as_of_date, "steady": steady, **values}))
    return pd.concat(tables, ignore_index=True)


def measure(frame: pd.DataFrame, scores: pd.DataFrame = NO_SCORES, **options) -> pd.DataFrame:
    settings = {
        "probability_targets": ["churn"],
        "lifetime_features": ["orders"],
        "first_data_date": date(2017, 1, 1),
        "limits": Limits(),
    }
    return measure_drift(frame, scores, **(settings | options))


def scores_of(predicted, *, day=DATES[0], target="churn", model="svm", is_shipped=True):
    """What one model says of the customers at one cutoff."""
    return pd.DataFrame(
        {
            "target": target,
            "as_of_date": day,
            "model": model,
            "predicted": predicted,
            "is_shipped": is_shipped,
        }
    )


def measure_scores(*parts: pd.DataFrame, **options) -> pd.DataFrame:
    drift = measure(features(), pd.concat(parts, ignore_index=True), **options)
    return drift[drift["subject_type"] == "score"].reset_index(drop=True)


class TestTenths:
    def test_each_holds_as_many(self):
        edges = tenths(np.random.default_rng(0).permutation(np.arange(50.0)))
        assert edges.tolist() == [4, 9, 14, 19, 24, 29, 34, 39, 44]

    def test_equal_values_stay_together(self):
        assert tenths(np.repeat([1.0, 2.0], [75, 25])).tolist() == [1, 2]

    def test_missing_values_are_left_out(self):
        values = np.arange(50.0)
        holey = np.append(values, [np.nan] * 9)
        assert tenths(holey).tolist() == tenths(values).tolist()
        assert tenths(np.full(3, np.nan)).tolist() == []


def own_index(reference, current):
    return stability_index(reference, current, tenths(reference))


class TestStabilityIndex:
    def test_by_hand(self):
        """Reference in tenths of ten; five of the lowest tenth moved to the highest."""
        reference = np.repeat(np.arange(10.0), 10)
        current = np.concatenate([reference[5:], np.full(5, 9.0)])
        then, now = np.full(10, 10.5), np.full(10, 10.5)
        now[0], now[9] = 5.5, 15.5
        then, now = then / then.sum(), now / now.sum()
        psi, by_chance = own_index(reference, current)
        assert psi == pytest.approx(np.sum((now - then) * np.log(now / then)))
        assert by_chance == pytest.approx(stats.chi2.ppf(0.95, 9) * (2 / 100))

    def test_nothing_moved(self):
        values = np.random.default_rng(0).normal(size=500)
        assert own_index(values, values[::-1])[0] == 0

    def test_chance_exceeds_its_limit_once_in_twenty_times(self):
        exceeded = 0
        for seed in range(400):
            rng = np.random.default_rng(seed)
            psi, by_chance = own_index(rng.normal(size=800), rng.normal(size=600))
            exceeded += psi > by_chance
        assert exceeded / 400 == pytest.approx(0.05, abs=0.03)

    def test_what_was_constant_and_is_no_more(self):
        assert own_index(np.zeros(100), np.ones(100))[0] > 1
        assert own_index(np.zeros(100), np.zeros(100))[0] == 0

    def test_missing_values_are_a_bin(self):
        values = np.random.default_rng(0).normal(size=1000)
        holey = np.where(np.arange(1000) % 2, values, np.nan)
        assert own_index(values, holey)[0] > 1
        lowest = np.where(np.arange(1000) % 2, values, values.min())
        assert own_index(holey, lowest)[0] > 1
        assert own_index(holey, holey)[0] == 0
        assert own_index(np.full(9, np.nan), np.full(9, np.nan))[0] == 0

    def test_nobody(self):
        psi, by_chance = own_index(np.empty(0), np.ones(3))
        assert np.isnan(psi)
        assert np.isinf(by_chance)


class TestKsDistance:
    @pytest.mark.parametrize("seed", range(5))
    def test_equals_scipy(self, seed):
        rng = np.random.default_rng(seed)
        then, now = rng.integers(0, 20, 80).astype(float), rng.integers(2, 25, 130).astype(float)
        assert ks_distance(then, now) == pytest.approx(stats.ks_2samp(then, now).statistic)

    def test_missing_values_are_the_largest(self):
        """Half are lost: without them, nothing would have moved."""
        values = np.arange(8.0)
        holey = np.append(values, np.full(8, np.nan))
        assert ks_distance(values, holey) == 0.5
        assert ks_distance(np.full(3, np.nan), np.ones(3)) == 1
        assert ks_distance(np.full(3, np.nan), np.full(4, np.nan)) == 0

    def test_nobody(self):
        assert np.isnan(ks_distance(np.empty(0), np.ones(3)))


def test_each_cutoff_is_compared_with_the_one_before():
    frame = features()
    drift = measure(frame)
    assert drift["as_of_date"].tolist() == list(DATES[1:])
    assert drift["reference_date"].tolist() == list(DATES[:-1])
    by_date = [frame.loc[frame["as_of_date"] == day, "steady"].to_numpy() for day in DATES]
    for place, row in enumerate(drift.itertuples()):
        psi, by_chance = own_index(by_date[place], by_date[place + 1])
        assert row.psi == pytest.approx(psi, abs=1e-6)
        assert row.psi_by_chance == pytest.approx(by_chance, abs=1e-6)
        assert row.ks == pytest.approx(ks_distance(by_date[place], by_date[place + 1]), abs=1e-6)
        assert row.customers == row.reference_customers == 2000
        assert row.verdict == STABLE


@pytest.mark.parametrize(("shift", "verdict"), [(0.1, STABLE), (0.35, WATCH), (0.8, DRIFTED)])
def test_the_further_it_moves_the_worse(shift, verdict):
    assert set(measure(features(shift=shift))["verdict"]) == {verdict}


@pytest.mark.parametrize(
    ("psi", "ks", "verdict"),
    [
        (0.25, 0.1, DRIFTED),
        (9, 0.09, WATCH),
        (0.24, 0.9, WATCH),
        (0.1, 0.09, WATCH),
        (0.09, 0.1, WATCH),
        (0.09, 0.09, STABLE),
    ],
)
def test_a_look_needs_one_measure_and_a_drift_both(psi, ks, verdict):
    assert Limits().verdict(psi, 0.01, ks) == verdict
    assert Limits().verdict(psi, 0.1, ks) == TOO_FEW


def test_a_feature_that_many_lose_has_drifted():
    drift = measure(
        features(gap=lambda place, rng, n: np.where(rng.random(n) < place / 3, np.nan, 1.0))
    )
    assert set(drift.loc[drift["subject"] == "gap", "verdict"]) == {DRIFTED}


def test_what_adds_up_over_a_lifetime_or_the_whole_data_grows():
    """The data begin 99 and 127 days before the reference dates."""
    drift = measure(
        features(
            orders=lambda place, rng, n: rng.poisson(5 + 5 * place, n),
            orders_112d=lambda place, rng, n: rng.poisson(5 + 5 * place, n),
            orders_84d=lambda place, rng, n: rng.poisson(5 + 5 * place, n),
            # Three half-lives are 105 days, and the data begin 14 weeks and one day before.
            decayed_orders_35d=lambda place, rng, n: rng.poisson(5 + 5 * place, n),
            decayed_orders_28d=lambda place, rng, n: rng.poisson(5 + 5 * place, n),
            week_14=lambda place, rng, n: rng.poisson(5 + 5 * place, n),
            week_13=lambda place, rng, n: rng.poisson(5 + 5 * place, n),
        )
    )
    verdicts = drift.groupby("subject")["verdict"].agg(list).to_dict()
    assert verdicts == {
        "orders": [GROWS, GROWS],
        "orders_112d": [GROWS, DRIFTED],
        "orders_84d": [DRIFTED, DRIFTED],
        "decayed_orders_35d": [GROWS, DRIFTED],
        "decayed_orders_28d": [DRIFTED, DRIFTED],
        "week_14": [GROWS, DRIFTED],
        "week_13": [DRIFTED, DRIFTED],
        "steady": [STABLE, STABLE],
    }


def test_scores_are_compared_with_their_own_cutoff_before():
    rng = np.random.default_rng(0)
    (row,) = measure_scores(
        scores_of(rng.random(900), day=DATES[0]),
        scores_of(rng.random(900) ** 3, day=DATES[2]),
        scores_of(rng.random(900), day=DATES[1], target="spend"),
    ).itertuples()
    assert (row.subject, row.as_of_date, row.reference_date) == ("churn", DATES[2], DATES[0])
    assert (row.model, row.reference_model) == ("svm", "svm")
    assert row.verdict == DRIFTED


def test_tiny_probabilities_may_move():
    """A refit that says 0.004 instead of 0.002 to all moves every tenth, and no decision."""
    rng = np.random.default_rng(0)
    then = np.concatenate([rng.uniform(0, 0.01, 1800), rng.uniform(0.1, 1, 200)])
    now = np.where(then < 0.01, 2 * then, then)
    assert own_index(then, now)[0] > 0.25
    (row,) = measure_scores(scores_of(then), scores_of(now, day=DATES[1])).itertuples()
    assert row.psi == 0
    assert row.verdict != DRIFTED
    amounts = [scores_of(then, target="spend"), scores_of(now, day=DATES[1], target="spend")]
    (row,) = measure_scores(*amounts).itertuples()
    assert row.verdict == DRIFTED


def test_probabilities_have_bins_of_a_tenth():
    assert PROBABILITY_EDGES.tolist() == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    rng = np.random.default_rng(0)
    then, now = rng.random(900), rng.random(900) ** 2
    (row,) = measure_scores(scores_of(then), scores_of(now, day=DATES[1])).itertuples()
    assert row.psi == pytest.approx(stability_index(then, now, PROBABILITY_EDGES)[0], abs=1e-6)


def test_a_model_is_compared_with_itself_also_where_another_shipped():
    rng = np.random.default_rng(0)
    low, high = rng.uniform(0, 0.5, 900), rng.uniform(0.5, 1, 900)
    drift = measure_scores(
        scores_of(low, model="svm"),
        scores_of(high, model="forest", is_shipped=False),
        scores_of(high, day=DATES[1], model="forest"),
        scores_of(low, day=DATES[1], model="svm", is_shipped=False),
    )
    (row,) = drift.itertuples()
    assert (row.model, row.reference_model) == ("forest", "forest")
    assert row.psi == row.ks == 0
    assert row.verdict == STABLE


def test_another_model_is_no_drift():
    rng = np.random.default_rng(0)
    low, high = rng.uniform(0, 0.5, 900), rng.uniform(0.5, 1, 900)
    drift = measure_scores(scores_of(low), scores_of(high, day=DATES[1], model="forest"))
    (row,) = drift.itertuples()
    assert (row.model, row.reference_model) == ("forest", "svm")
    assert row.ks == 1
    assert row.verdict == ANOTHER_MODEL


def test_features_have_no_model():
    assert measure(features())[["model", "reference_model"]].isna().all(axis=None)


def test_few_customers_say_nothing():
    assert set(measure(features(n=100, shift=3.0))["verdict"]) == {TOO_FEW}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n_dates", [0, 1])
def test_without_a_cutoff_before_the_table_is_empty(n_dates):
    frame = features()
    drift = measure(frame[frame["as_of_date"].isin(DATES[:n_dates])])
    assert drift.empty
    assert drift.dtypes.equals(measure(frame).dtypes)


@pytest.mark.filterwarnings("error")
def test_one_customer_and_a_feature_nobody_has():
    frame = features(n=1, price_level=lambda *_: np.nan)
    drift = measure(frame)
    assert set(drift["verdict"]) == {TOO_FEW}
    assert set(drift.loc[drift["subject"] == "price_level", "ks"]) == {0}
