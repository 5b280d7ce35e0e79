import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from personalization.predictions.lifetimes import NotFittedError
from personalization.predictions.propensity import (
    LADDER,
    Rung,
    choose,
    log_loss_by_row,
)

RUNGS = {rung.name: rung for rung in LADDER}


def customers(seed: int, n: int = 3000) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Features, what happened, and with what probability it did: regular customers come again."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(0.7, 0.2, n)
    orders = rng.poisson(364 * rate)
    recency = np.minimum(1 + rng.exponential(1 / np.maximum(rate, 0.003)), 364)
    features = pd.DataFrame(
        {
            "recency_days": recency,
            "orders_364d": orders,
            "amount_364d": orders * rng.uniform(10, 30, n),
            "latest_gap_days": np.where(orders > 1, 364 / np.maximum(orders, 1), np.nan),
        }
    ).astype("float64")
    overdue = recency * np.maximum(orders, 1) / 364
    probability = 1 / (1 + np.exp(-(1.5 * np.log1p(orders) - 2.5 - 0.7 * np.log1p(overdue))))
    return features, rng.random(n) < probability, probability


class TestRungs:
    @pytest.mark.parametrize("name", RUNGS)
    def test_finds_the_planted_pattern_and_is_calibrated(self, name):
        features, happened, _ = customers(0)
        unseen, outcome, truth = customers(1)
        probability = RUNGS[name].fit(features, happened)(unseen)
        assert probability.shape == (len(unseen),)
        always_the_mean = np.full(len(unseen), happened.mean())
        loss = log_loss(outcome, probability)
        assert loss < 0.95 * log_loss(outcome, always_the_mean)
        gap = probability - outcome
        by_tenth = np.array_split(gap[np.argsort(probability)], 10)
        assert np.mean([abs(part.mean()) for part in by_tenth]) < 0.08
        if name != "recency_rule":
            assert np.corrcoef(probability, truth)[0, 1] > 0.9
            rule = RUNGS["recency_rule"].fit(features, happened)(unseen)
            assert loss < log_loss(outcome, rule)

    @pytest.mark.parametrize("name", RUNGS)
    def test_gives_the_same_probabilities_again_and_row_by_row(self, name):
        features, happened, _ = customers(2, n=600)
        unseen, _, _ = customers(3, n=50)
        first = RUNGS[name].fit(features, happened)(unseen)
        predict = RUNGS[name].fit(features, happened)
        np.testing.assert_array_equal(predict(unseen), first)
        np.testing.assert_allclose(predict(unseen.iloc[[7]]), first[[7]], rtol=1e-12)
        assert predict(unseen.iloc[:0]).shape == (0,)

    @pytest.mark.parametrize("name", RUNGS)
    @pytest.mark.parametrize("outcome", [False, True])
    def test_where_all_did_the_same_it_says_so(self, name, outcome):
        features, _, _ = customers(4, n=20)
        predict = RUNGS[name].fit(features, np.full(20, outcome))
        assert np.abs(predict(features) - outcome).max() <= 1e-4

    def test_looks_only_at_its_columns(self):
        features, happened, _ = customers(5, n=500)
        predict = RUNGS["rfm_logistic"].fit(features, happened)
        changed = features.assign(latest_gap_days=1.0)
        np.testing.assert_array_equal(predict(changed), predict(features))

    def test_needs_rows_and_columns(self):
        features, happened, _ = customers(6, n=10)
        with pytest.raises(ValueError, match="no rows"):
            LADDER[0].fit(features.iloc[:0], happened[:0])
        with pytest.raises(ValueError, match="amount_364d"):
            RUNGS["rfm_logistic"].fit(features.drop(columns="amount_364d"), happened)

    def test_recency_is_a_falling_rule(self):
        features, happened, _ = customers(7)
        days = pd.DataFrame({"recency_days": np.arange(1.0, 400)})
        probability = RUNGS["recency_rule"].fit(features, happened)(days)
        assert (np.diff(probability) <= 0).all()
        assert probability[0] > probability[-1] + 0.2

    def test_and_a_rising_one_of_churn(self):
        features, happened, _ = customers(7)
        days = pd.DataFrame({"recency_days": np.arange(1.0, 400)})
        probability = RUNGS["recency_rule"].fit(features, ~happened)(days)
        assert (np.diff(probability) >= 0).all()
        assert probability[-1] > probability[0] + 0.2
        comes = RUNGS["recency_rule"].fit(features, happened)(days)
        np.testing.assert_allclose(probability, 1 - comes, atol=1e-9)

    @pytest.mark.parametrize("name", RUNGS)
    @pytest.mark.parametrize("n_rare", [1, 2, 3])
    @pytest.mark.parametrize("rare", [False, True])
    def test_a_rare_outcome_is_learned_or_said_to_be_too_rare(self, name, n_rare, rare):
        features, _, _ = customers(9, n=40)
        happened = np.full(40, not rare)
        happened[:n_rare] = rare
        if name == "svm" and n_rare < 3:
            with pytest.raises(NotFittedError, match=f"needs 3 rows, not {n_rare}"):
                RUNGS[name].fit(features, happened)
        else:
            probability = RUNGS[name].fit(features, happened)(features)
            assert np.isfinite(probability).all()


class TestChoice:
    def test_the_simplest_within_one_standard_error_of_the_best(self):
        rng = np.random.default_rng(0)
        common = rng.exponential(1, 1000)
        noise = rng.normal(0, 0.1, (3, 1000))
        noise -= noise.mean(axis=1, keepdims=True)
        near = {"a": common + 0.5, "b": common + 0.002 + noise[0], "c": common + noise[1]}
        assert choose(near) == "b"
        far = near | {"b": common + 0.02 + noise[0]}
        assert choose(far) == "c"
        assert choose({"only": common}) == "only"
        assert choose({"a": common, "b": common}) == "a"

    def test_needs_losses(self):
        for losses in ({}, {"a": np.empty(0)}):
            with pytest.raises(ValueError, match="no losses"):
                choose(losses)


def test_log_loss_is_that_of_scikit_learn():
    rng = np.random.default_rng(1)
    probability, happened = rng.uniform(0.01, 0.99, 200), rng.random(200) < 0.4
    assert log_loss_by_row(probability, happened).mean() == pytest.approx(
        log_loss(happened, probability)
    )
    assert np.isfinite(log_loss_by_row(np.array([0.0, 1.0]), np.array([True, False]))).all()


def test_a_rung_makes_its_model_anew():
    made = []
    rung = Rung("counted", lambda: made.append(1) or LADDER[0].make(), ("recency_days",))
    features, happened, _ = customers(8, n=50)
    rung.fit(features, happened)
    rung.fit(features, happened)
    assert len(made) == 2


class TestMostRows:
    class Counter:
        def fit(self, features, happened):
            TestMostRows.seen = features[:, 0], happened
            return self

        def predict_proba(self, features):
            return np.full((len(features), 2), 0.5)

    def test_are_spread_evenly_over_all(self):
        features = pd.DataFrame({"a": np.expm1(np.arange(1000.0) / 100)})
        happened = np.arange(1000) % 2 == 0
        Rung("counter", self.Counter, most=100).fit(features, happened)
        rows, outcome = TestMostRows.seen
        assert len(rows) == len(outcome) == 100
        np.testing.assert_allclose(rows, np.linspace(0, 9.99, 100), atol=0.01)
        assert set(outcome) == {True, False}

    def test_fewer_rows_all_count(self):
        features = pd.DataFrame({"a": np.arange(50.0)})
        Rung("counter", self.Counter, most=100).fit(features, np.arange(50) % 2 == 0)
        assert len(TestMostRows.seen[0]) == 50
