import numpy as np
import pandas as pd
import pytest
from customer_shop import cutoffs, history, simulated_orders

from personalization.predictions.next_orders import LONGEST_DAYS, gradient_boosting, usual_gap
from personalization.predictions.predicting import History


def known(past: History, cutoff: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Features at a cutoff and the days until the next order."""
    rows = past.at(past.cutoffs[cutoff])
    return rows[[*past.features]], rows["days_until_next_order"].to_numpy()


@pytest.fixture(scope="module")
def past() -> History:
    return history(simulated_orders(400, seed=5), cutoffs(8))


def test_the_usual_gap_by_hand():
    gaps = pd.DataFrame({"median_gap_days": [7.0, np.nan, 1.0, 300.0, 91.0, 0.5]})
    assert usual_gap(gaps).tolist() == [7, 28, 1, 91, 91, 1]
    assert usual_gap(gaps.iloc[:0]).shape == (0,)


class TestGradientBoosting:
    def test_beats_the_usual_gap(self, past):
        features, days = known(past, 7)
        unseen, outcome = known(past, 4)
        predicted = gradient_boosting(features, days)(unseen)
        error = np.abs(predicted - outcome).mean()
        assert error < 0.7 * np.abs(usual_gap(unseen) - outcome).mean()
        assert np.corrcoef(predicted, outcome)[0, 1] > 0.6

    def test_does_not_mind_where_long_waits_are_cut_off(self, past):
        features, _ = known(past, 7)
        waits = np.random.default_rng(0).choice([5.0, 10.0, 1000.0], len(features))
        cut = gradient_boosting(features, np.minimum(waits, LONGEST_DAYS))(features)
        assert np.median(cut) == pytest.approx(10, rel=0.15)

    @pytest.mark.parametrize(("days", "expected"), [(0.2, 1), (500.0, LONGEST_DAYS), (30.0, 30)])
    def test_lies_between_tomorrow_and_the_longest(self, past, days, expected):
        features, _ = known(past, 7)
        predict = gradient_boosting(features, np.full(len(features), days))
        np.testing.assert_allclose(predict(features), expected)

    def test_says_the_same_again_and_row_by_row(self, past):
        features, days = known(past, 7)
        first = gradient_boosting(features, days)(features)
        predict = gradient_boosting(features, days)
        np.testing.assert_array_equal(predict(features), first)
        np.testing.assert_allclose(predict(features.iloc[[3]]), first[[3]], rtol=1e-12)
