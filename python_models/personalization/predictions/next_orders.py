"""When a customer will order next, in days from the cutoff: 1 is the day of the cutoff itself."""

from typing import Final

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from personalization.interactions import FloatArray
from personalization.predictions.propensity import Predictor, on_log_scale
from personalization.predictions.spending import median_trees

LONGEST_DAYS: Final = 91
"""Who does not order within so many days counts as ordering on the last of them."""

# The gap expected of customers who have none between orders yet.
_NO_GAP_DAYS: Final = 28.0


def usual_gap(features: pd.DataFrame) -> FloatArray:
    """The customer's middle gap between order days, counted from the cutoff: the rule to beat.

    Counted from the last order it does worse: who is late is not to be expected tomorrow.
    """
    gap = features["median_gap_days"].fillna(_NO_GAP_DAYS).to_numpy(np.float64)
    days: FloatArray = np.clip(gap, 1, LONGEST_DAYS)
    return days


def gradient_boosting(features: pd.DataFrame, days: FloatArray) -> Predictor:
    """Boosted trees for the middle of the days until the next order, on the scale of logarithms.

    The median does not mind that long waits are cut off at `LONGEST_DAYS` (Powell, "Censored
    regression quantiles", 1986).

    Args:
        features: `rhythm_features` of customers at past cutoffs.
        days: Shape (n_rows,), days until they ordered, at most `LONGEST_DAYS`.

    Returns:
        The predictor.
    """
    model = median_trees()
    with threadpool_limits(limits=1):
        model.fit(on_log_scale(features), np.log1p(days))

    def predict(rows: pd.DataFrame) -> FloatArray:
        with threadpool_limits(limits=1):
            expected = np.expm1(model.predict(on_log_scale(rows)))
        waited: FloatArray = np.clip(expected, 1, LONGEST_DAYS)
        return waited

    return predict
