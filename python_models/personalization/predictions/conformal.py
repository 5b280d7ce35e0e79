"""Intervals from the errors of earlier predictions."""

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from personalization.interactions import FloatArray

# Predictions of a bin: with fewer the ends of its interval would be a few customers' luck.
_MIN_ROWS: Final = 50
_MAX_BINS: Final = 10


@dataclass(frozen=True, eq=False)
class ConformalIntervals:
    """Intervals that held so large a share of earlier outcomes, among predictions of like size.

    Earlier predictions are sorted into bins; a prediction of today gets the middle errors of its
    bin on top. (Mondrian conformal prediction: Vovk, Gammerman and Shafer, "Algorithmic learning
    in a random world", 2005; with errors of earlier cutoffs it holds as far as customers err alike
    over time, which the back-test shows.)

    Attributes:
        edges: Shape (n_bins - 1,), ascending; the predictions that separate the bins.
        lower_errors: Shape (n_bins,), the low end of actual minus predicted.
        upper_errors: Shape (n_bins,), the high end.
    """

    edges: FloatArray
    lower_errors: FloatArray
    upper_errors: FloatArray

    @classmethod
    def fit(cls, predicted: FloatArray, actual: FloatArray, *, level: float = 0.8) -> Self | None:
        """Learn the errors of each bin.

        Args:
            predicted: Shape (n_rows,), predictions made before the outcome was known.
            actual: Shape (n_rows,), the outcomes.
            level: The share of outcomes to hold, above 0 and below 1.

        Returns:
            The intervals; None with fewer than 50 rows.

        Raises:
            ValueError: The level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must be between 0 and 1, not {level}")
        n_bins = min(len(predicted) // _MIN_ROWS, _MAX_BINS)
        if n_bins == 0:
            return None
        shares = np.arange(1, n_bins) / n_bins
        edges = np.unique(np.quantile(predicted, shares, method="higher"))
        place = np.searchsorted(edges, predicted, side="right")
        errors = [(actual - predicted)[place == bin_] for bin_ in range(len(edges) + 1)]
        # Equal predictions can leave a bin without rows: it is as wide as all errors together.
        errors = [rows if len(rows) else actual - predicted for rows in errors]
        return cls(
            edges,
            np.array([_quantile(rows, (1 - level) / 2, "lower") for rows in errors]),
            np.array([_quantile(rows, (1 + level) / 2, "higher") for rows in errors]),
        )

    def around(
        self, predicted: FloatArray, *, lowest: float = 0.0, highest: float = np.inf
    ) -> tuple[FloatArray, FloatArray]:
        """Lower and upper bounds around predictions, shape (n_rows,) each.

        Args:
            predicted: Shape (n_rows,).
            lowest: No bound lies below.
            highest: Nor above. A prediction always lies within its bounds.
        """
        place = np.searchsorted(self.edges, predicted, side="right")
        lower = np.clip(predicted + self.lower_errors[place], lowest, highest)
        upper = np.clip(predicted + self.upper_errors[place], lowest, highest)
        return np.minimum(lower, predicted), np.maximum(upper, predicted)


def _quantile(errors: FloatArray, share: float, method: str) -> float:
    return float(np.quantile(errors, share, method=method))  # type: ignore[call-overload]
