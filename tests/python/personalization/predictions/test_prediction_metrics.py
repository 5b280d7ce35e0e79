from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as reference

from personalization.predictions.metrics import (
    AMOUNT_METRICS,
    PROBABILITY_METRICS,
    Metric,
    Sample,
    auc,
    average_precision,
    bias,
    brier,
    calibration_error,
    draw,
    interval_coverage,
    interval_width,
    intervals,
    log_loss,
    mae,
    relative_mae,
    resample_weights,
    rmse,
    top_decile_lift,
    wape,
)


def sample(predicted, actual, weights=None, lower=None, upper=None, baseline=None) -> Sample:
    n = len(predicted)
    columns = [predicted, actual, lower, upper, baseline]
    values = [np.full(n, np.nan) if c is None else np.asarray(c, dtype=float) for c in columns]
    return Sample(*values, weights=np.ones((1, n)) if weights is None else np.asarray(weights))


def random_sample(*, is_probability: bool, n: int = 300, seed: int = 0) -> Sample:
    """Ties in the predictions, some customers without a weight, one row of ones first."""
    rng = np.random.default_rng(seed)
    weights = rng.integers(0, 4, size=(6, n)).astype(float)
    weights[0] = 1
    if is_probability:
        predicted = np.round(rng.uniform(0.05, 0.95, n), 1 + seed % 2)
        actual = rng.random(n) < predicted
    else:
        actual = np.round(rng.gamma(1, 40, n), 2)
        predicted = actual * rng.uniform(0.2, 2, n)
    return sample(
        predicted,
        actual,
        weights,
        lower=predicted * 0.7,
        upper=predicted * 1.3,
        baseline=np.full(n, actual.mean()),
    )


OF_SCIKIT_LEARN = {
    auc: reference.roc_auc_score,
    average_precision: reference.average_precision_score,
    brier: reference.brier_score_loss,
    log_loss: reference.log_loss,
    mae: reference.mean_absolute_error,
    rmse: reference.root_mean_squared_error,
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("metric", OF_SCIKIT_LEARN, ids=lambda metric: metric.__name__)
def test_equals_scikit_learn_for_any_weights(metric, seed):
    drawn = random_sample(is_probability=metric not in (mae, rmse), seed=seed)
    expected = [
        OF_SCIKIT_LEARN[metric](drawn.actual, drawn.predicted, sample_weight=weights)
        for weights in drawn.weights
    ]
    np.testing.assert_allclose(metric(drawn), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "metric",
    # The bins of a calibration error are of the customers, however often they are drawn.
    [m for m in (*PROBABILITY_METRICS, *AMOUNT_METRICS) if m.compute is not calibration_error],
    ids=lambda metric: metric.name,
)
def test_a_weight_of_two_is_a_customer_twice(metric: Metric):
    drawn = random_sample(is_probability=metric in PROBABILITY_METRICS)
    for place, times in enumerate(drawn.weights.astype(int)):
        columns = (drawn.predicted, drawn.actual, drawn.lower, drawn.upper, drawn.baseline)
        repeated = Sample(*(np.repeat(c, times) for c in columns), np.ones((1, times.sum())))
        assert metric.compute(drawn)[place] == pytest.approx(metric.compute(repeated)[0])


def test_calibration_error_by_hand():
    predicted = [0.1] * 5 + [0.1, 0.3] + [0.9] * 13
    actual = [1, 0, 0, 0, 0, 0, 0] + [1] * 13
    # Ten bins of two: |0.1 - 0.5|, |0.1 - 0|, |0.1 - 0|, then 0.3 and 0.9, then six of 0.9.
    expected = (0.4 + 0.1 + 0.1 + abs(1.2 / 2 - 0.5) + 6 * 0.1) / 10
    assert calibration_error(sample(predicted, actual))[0] == pytest.approx(expected)
    # As often as was said, up to noise.
    rng = np.random.default_rng(2)
    true = rng.random(20000)
    assert calibration_error(sample(true, rng.random(20000) < true))[0] < 0.02


def test_lift_of_the_top_decile_by_hand():
    predicted = np.linspace(1, 0.1, 20)
    actual = np.zeros(20)
    actual[[0, 5, 6, 7]] = 1
    # One of the first two, against four of twenty.
    assert top_decile_lift(sample(predicted, actual))[0] == pytest.approx(0.5 / 0.2)


def test_customers_rated_alike_count_alike_in_the_top_decile():
    actual = np.zeros(20)
    actual[:4] = 1
    for order in (actual, actual[::-1]):
        assert top_decile_lift(sample(np.full(20, 0.5), order))[0] == pytest.approx(1)


def test_errors_by_hand():
    drawn = sample(
        [10, 20, 30], [12, 20, 20], lower=[5, 20, 25], upper=[11, 22, 40], baseline=[0, 20, 24]
    )
    assert wape(drawn)[0] == pytest.approx(12 / 52)
    assert bias(drawn)[0] == pytest.approx(8 / 3)
    assert relative_mae(drawn)[0] == pytest.approx(12 / 16)
    assert interval_coverage(drawn)[0] == pytest.approx(1 / 3)
    assert interval_width(drawn)[0] == pytest.approx((6 + 2 + 15) / 3)


@pytest.mark.filterwarnings("error")
class TestUndefined:
    @pytest.mark.parametrize("actual", [0.0, 1.0])
    def test_one_outcome_only(self, actual):
        drawn = sample([0.2, 0.7, 0.9], [actual] * 3)
        assert np.isnan(auc(drawn)[0])
        assert np.isnan(average_precision(drawn)[0]) == (actual == 0)
        assert np.isnan(top_decile_lift(drawn)[0]) == (actual == 0)
        assert np.isfinite([log_loss(drawn)[0], brier(drawn)[0], calibration_error(drawn)[0]]).all()

    def test_a_resample_of_one_outcome_has_no_auc_but_the_others_do(self):
        drawn = sample([0.2, 0.7], [0, 1], weights=[[1.0, 1.0], [2.0, 0.0]])
        np.testing.assert_array_equal(auc(drawn), [1, np.nan])

    def test_nothing_to_divide_by(self):
        assert np.isnan(wape(sample([1.0], [0.0]))[0])
        assert np.isnan(relative_mae(sample([1.0], [2.0], baseline=[2.0]))[0])
        assert np.isnan(relative_mae(sample([1.0], [2.0]))[0])

    def test_without_an_interval(self):
        partly = sample([1.0, 2.0], [1.0, 2.0], lower=[0, np.nan], upper=[2, np.nan])
        assert np.isnan(interval_coverage(partly)[0])
        assert np.isnan(interval_width(partly)[0])

    @pytest.mark.parametrize(
        "metric", [*PROBABILITY_METRICS, *AMOUNT_METRICS], ids=lambda metric: metric.name
    )
    def test_no_customers(self, metric: Metric):
        assert np.isnan(metric.compute(sample([], []))).tolist() == [True]


class TestDraws:
    def test_resamples_draw_as_many_as_there_are(self):
        weights = resample_weights(500, replicates=100, seed=3)
        assert weights.shape == (101, 500)
        assert (weights[0] == 1).all()
        assert (weights.sum(axis=1) == 500).all()
        # Drawn with replacement: each customer is left out with a probability of 1/e.
        assert (weights[1:] == 0).mean() == pytest.approx(np.exp(-1), abs=0.01)
        np.testing.assert_array_equal(weights, resample_weights(500, replicates=100, seed=3))
        assert (weights != resample_weights(500, replicates=100, seed=4)).any()

    def test_no_customers(self):
        assert resample_weights(0, replicates=3).shape == (4, 0)

    def test_needs_a_replicate(self):
        with pytest.raises(ValueError, match="replicates"):
            resample_weights(5, replicates=0)

    def test_blocks_change_nothing(self, monkeypatch):
        drawn = replace(
            random_sample(is_probability=True), weights=resample_weights(300, replicates=20)
        )
        whole = draw(PROBABILITY_METRICS, drawn)
        assert whole.shape == (21, len(PROBABILITY_METRICS))
        monkeypatch.setattr("personalization.predictions.metrics._BLOCK_WEIGHTS", 900)
        np.testing.assert_array_equal(draw(PROBABILITY_METRICS, drawn), whole)

    def test_intervals_hold_the_truth_nineteen_times_in_twenty(self):
        metrics = [metric for metric in PROBABILITY_METRICS if metric.name in ("bias", "brier")]
        held = np.zeros(2)
        truth = [0, np.mean([p * (1 - p) for p in np.linspace(0.1, 0.9, 9)])]
        for seed in range(200):
            rng = np.random.default_rng(seed)
            predicted = rng.choice(np.linspace(0.1, 0.9, 9), 150)
            happened = rng.random(150) < predicted
            weights = resample_weights(150, replicates=150, seed=seed)
            found = intervals(metrics, draw(metrics, sample(predicted, happened, weights)))
            by_name = dict(zip([m.name for m in metrics], zip(*found, strict=True), strict=True))
            for place, name in enumerate(("bias", "brier")):
                _, lower, upper = by_name[name]
                held[place] += lower <= truth[place] <= upper
        assert (np.abs(held / 200 - 0.95) < 0.05).all()

    def test_a_metric_that_noise_raises_is_moved_back(self):
        """A resample of well calibrated predictions looks worse than these, of bad ones not."""
        metrics = [metric for metric in PROBABILITY_METRICS if metric.is_inflated]
        rng = np.random.default_rng(0)
        predicted = rng.random(400)
        weights = resample_weights(400)
        good = draw(metrics, sample(predicted, rng.random(400) < predicted, weights))
        assert np.median(good[1:]) > 1.2 * good[0, 0]
        value, lower, upper = (bound[0] for bound in intervals(metrics, good))
        assert value == good[0, 0]
        moved = np.median(good[1:]) - value
        expected = np.quantile(good[1:, 0], [0.025, 0.975], method="inverted_cdf") - moved
        np.testing.assert_allclose([lower, upper], expected)
        bad = draw(metrics, sample(predicted, 1 - predicted.round(), weights))
        assert np.median(bad[1:]) == pytest.approx(bad[0, 0], rel=0.02)
