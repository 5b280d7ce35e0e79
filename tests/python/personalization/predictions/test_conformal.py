import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.predictions.conformal import ConformalIntervals


def draws(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Predictions, and outcomes that scatter, upward most, the more the larger they are."""
    rng = np.random.default_rng(seed)
    predicted = rng.gamma(2.0, 30.0, n)
    return predicted, predicted * (0.5 + rng.gamma(2.0, 0.3, n))


class TestCoverage:
    @pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
    def test_holds_its_share_of_fresh_outcomes_of_every_size(self, level):
        intervals = ConformalIntervals.fit(*draws(20_000, seed=0), level=level)
        predicted, actual = draws(20_000, seed=1)
        lower, upper = intervals.around(predicted, lowest=-np.inf)
        is_held = (lower <= actual) & (actual <= upper)
        assert is_held.mean() == pytest.approx(level, abs=0.015)
        size = np.searchsorted(intervals.edges, predicted, side="right")
        of_size = np.bincount(size, is_held) / np.bincount(size)
        assert len(of_size) == 10
        assert np.abs(of_size - level).max() < 0.04

    def test_misses_as_often_above_as_below(self):
        intervals = ConformalIntervals.fit(*draws(20_000, seed=2), level=0.8)
        predicted, actual = draws(20_000, seed=3)
        lower, upper = intervals.around(predicted, lowest=-np.inf)
        assert np.mean(actual > upper) == pytest.approx(0.1, abs=0.01)
        assert np.mean(actual < lower) == pytest.approx(0.1, abs=0.01)

    def test_one_width_for_all_would_not_do(self):
        predicted, actual = draws(20_000, seed=4)
        intervals = ConformalIntervals.fit(predicted, actual)
        width = intervals.upper_errors - intervals.lower_errors
        assert width[-1] > 4 * width[0]
        assert (np.diff(width) > 0).all()

    @settings(deadline=None, max_examples=40)
    @given(st.integers(50, 400), st.integers(0, 2**32 - 1), st.sampled_from([0.5, 0.8, 0.9]))
    def test_holds_its_share_of_what_it_learned_from(self, n, seed, level):
        predicted, actual = draws(n, seed)
        predicted = predicted.round(-1)
        intervals = ConformalIntervals.fit(predicted, actual, level=level)
        lower, upper = intervals.around(predicted, lowest=-np.inf)
        is_held = (lower <= actual + 1e-9) & (actual <= upper + 1e-9)
        assert is_held.mean() >= level - 1e-9


class TestBounds:
    @settings(deadline=None, max_examples=60)
    @given(st.integers(0, 2**32 - 1))
    def test_lie_in_order_and_within_what_is_possible(self, seed):
        rng = np.random.default_rng(seed)
        intervals = ConformalIntervals.fit(rng.normal(40, 30, 300), rng.normal(40, 30, 300))
        predicted = rng.uniform(1, 91, 200)
        lower, upper = intervals.around(predicted, lowest=1.0, highest=91.0)
        assert (lower <= predicted).all()
        assert (predicted <= upper).all()
        assert lower.min() >= 1
        assert upper.max() <= 91

    def test_a_prediction_lies_within_though_errors_were_all_on_one_side(self):
        predicted = np.linspace(10, 20, 50)
        intervals = ConformalIntervals.fit(predicted, predicted + np.linspace(5, 6, 50))
        lower, upper = intervals.around(np.array([15.0]))
        assert lower == 15.0
        assert upper == pytest.approx(15 + 5.9, abs=0.03)

    def test_by_hand(self):
        predicted = np.repeat([10.0, 20.0], 50)
        errors = np.tile(np.arange(-24.5, 25), 2) * np.repeat([1, 2], 50)
        intervals = ConformalIntervals.fit(predicted, predicted + errors, level=0.8)
        assert intervals.edges.tolist() == [20.0]
        # Of 50 errors the 5th and the 46th, between which lie 42.
        assert intervals.lower_errors.tolist() == [-20.5, -41.0]
        assert intervals.upper_errors.tolist() == [20.5, 41.0]
        lower, upper = intervals.around(np.array([10.0, 19.9, 20.0, 500.0]))
        assert lower.tolist() == [0.0, 0.0, 0.0, 459.0]
        assert upper.tolist() == pytest.approx([30.5, 40.4, 61.0, 541.0])


class TestFewOrEqualPredictions:
    def test_too_few_errors_say_nothing(self):
        predicted, actual = draws(50, seed=5)
        assert ConformalIntervals.fit(predicted[:0], actual[:0]) is None
        assert ConformalIntervals.fit(predicted[:49], actual[:49]) is None
        assert len(ConformalIntervals.fit(predicted, actual).lower_errors) == 1

    def test_a_bin_has_fifty_rows_and_there_are_ten_at_most(self):
        bins = {
            n: len(ConformalIntervals.fit(*draws(n, seed=6)).lower_errors) for n in (99, 100, 9999)
        }
        assert bins == {99: 1, 100: 2, 9999: 10}

    def test_equal_predictions_share_a_bin(self):
        rng = np.random.default_rng(7)
        errors = rng.normal(0, 10, 500)
        same = ConformalIntervals.fit(np.full(500, 30.0), 30 + errors)
        below, at, above = zip(*same.around(np.array([0.0, 30.0, 60.0]), lowest=-99), strict=True)
        width = np.quantile(errors, [0.1, 0.9])
        for (lower, upper), predicted in zip((below, at, above), (0, 30, 60), strict=True):
            np.testing.assert_allclose([lower, upper], predicted + width, atol=0.5)

    def test_many_zeros_do_not_widen_the_others(self):
        rng = np.random.default_rng(8)
        predicted = np.where(np.arange(1000) < 700, 0.0, rng.uniform(50, 100, 1000))
        actual = predicted + np.where(predicted > 0, rng.normal(0, 20, 1000), 0.0)
        lower, upper = ConformalIntervals.fit(predicted, actual).around(np.array([0.0, 75.0]))
        assert lower[0] == upper[0] == 0
        assert 20 < upper[1] - lower[1] < 100

    @pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 80.0])
    def test_the_level_is_a_share(self, level):
        with pytest.raises(ValueError, match="level must be between 0 and 1"):
            ConformalIntervals.fit(*draws(100, seed=9), level=level)
