"""Back-tests of predictions: every model against its baseline, by segment and over the cutoffs."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from personalization.backtesting import EVERYONE
from personalization.interactions import (
    SCORE_DIGITS,
    FloatArray,
    IntArray,
    check_columns,
    check_unique,
)
from personalization.predictions.metrics import (
    AMOUNT_METRICS,
    PROBABILITY_METRICS,
    Metric,
    Sample,
    Weights,
    draw,
    intervals,
    resample_weights,
)

SHIPPED: Final = "shipped"
"""The name, over all cutoffs, of whichever model would have shipped at each."""

JUDGED: Final = "judged"
"""The status of a metric with a value and an interval."""

_MODEL: Final = ["target", "as_of_date", "model"]
_BOUNDS: Final = ("predicted_lower", "predicted_upper")
_FLAGS: Final = ["is_shipped", "is_baseline"]
_FIGURES: Final = (
    *("value", "lower", "upper"),
    *("difference_to_baseline", "difference_lower", "difference_upper"),
)
_TYPES: Final = {
    "target": "str",
    "as_of_date": "datetime64[s]",
    **dict.fromkeys(("model", "segment_type", "segment", "metric", "better"), "str"),
    **dict.fromkeys(_FIGURES, "float64"),
    "cutoffs": "int64",
    "customers": "int64",
    "positives": "Int64",
    **dict.fromkeys(_FLAGS, "bool"),
    "status": "str",
}


def backtest_predictions(
    predictions: pd.DataFrame,
    segments: pd.DataFrame,
    *,
    probability_targets: Collection[str],
    min_customers: int = 30,
    replicates: int = 200,
) -> pd.DataFrame:
    """Judge every model for every target by what came true, beside the target's baseline.

    All models of a target and cutoff are judged on the same customers: those whose outcome is
    known and whom every model scored that scored any. Intervals are 95 % bootstrap intervals over
    customers. Each resample draws customers with all their cutoffs and serves every model, so that
    differences are of the same customers.

    Args:
        predictions: One row per `target`, `as_of_date`, `model` and `customer_id`: `predicted`,
            `predicted_lower`, `predicted_upper` (null without an interval), `actual` (null where
            not known), `is_shipped`, `is_baseline` and `status`, which says why `predicted` is null
            where it is.
        segments: One row per `as_of_date`, `customer_id` and `segment_type`: the `segment` then.
        probability_targets: The targets that are probabilities; all others are amounts or days.
        min_customers: With fewer customers nothing is judged.
        replicates: Bootstrap resamples.

    Returns:
        One row per `target`, `as_of_date`, `model`, `segment_type`, `segment` and `metric`. Null
        in `as_of_date` is the mean over the cutoffs at which the model was judged, for everyone
        only; there `SHIPPED` is a model too, customers count once per cutoff, and a model counts
        as shipped if it was at the latest. `positives` is null for amounts and days. `status` is
        `JUDGED`, or says why a value or an interval is null.

    Raises:
        ValueError: A column is missing, or a row is there twice.
    """
    check_columns(predictions, [*_MODEL, "customer_id", "predicted", *_BOUNDS, "actual"])
    check_columns(predictions, [*_FLAGS, "status"])
    check_columns(segments, ["as_of_date", "customer_id", "segment_type", "segment"])
    check_unique(predictions, [*_MODEL, "customer_id"])
    check_unique(segments, ["as_of_date", "customer_id", "segment_type"])
    rows: list[dict[str, Any]] = []
    for target, of_target in predictions.groupby("target", sort=True):
        is_probability = target in probability_targets
        judge = _Judge(
            PROBABILITY_METRICS if is_probability else AMOUNT_METRICS, min_customers, replicates
        )
        judged = judge.judge(of_target, segments)
        rows += [{"target": target, **row} for row in judged]
    table = pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)
    return table.sort_values([*_MODEL, "segment_type", "segment", "metric"], ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Part:
    """A model on some customers, at one cutoff or as the mean over several.

    Attributes:
        keys: `model`, `segment_type`, `segment`, `is_shipped`, `is_baseline` and, at one cutoff,
            `as_of_date`.
        draws: Shape (1 + replicates, n_metrics), as `draw` returns them.
        baseline: The same of the baseline; NaN without one.
        customers: Their number.
        positives: To how many of them it happened.
        cutoffs: How many cutoffs it is the mean of.
    """

    keys: dict[str, Any]
    draws: FloatArray
    baseline: FloatArray
    customers: int
    positives: int
    cutoffs: int = 1


@dataclass(frozen=True)
class _Judge:
    """Judges the models of one target."""

    metrics: Sequence[Metric]
    min_customers: int
    replicates: int

    def judge(self, predictions: pd.DataFrame, segments: pd.DataFrame) -> Iterator[dict[str, Any]]:
        """The rows of the target, without its name."""
        is_scored = predictions["predicted"].notna()
        yield from self._without_scores(predictions[~is_scored], predictions[is_scored])
        known = predictions[is_scored & predictions["actual"].notna()]
        customers = pd.Index(np.sort(known["customer_id"].unique()))
        weights = resample_weights(len(customers), replicates=self.replicates)
        of_everyone = []
        for as_of_date, of_cutoff in known.groupby("as_of_date", sort=True):
            then = segments[segments["as_of_date"] == as_of_date]
            for part in self._parts(of_cutoff, then, customers, weights):
                yield from self._rows(part)
                if part.keys["segment"] == EVERYONE:
                    of_everyone.append(part)
        yield from self._over_cutoffs(of_everyone)

    def _parts(
        self, known: pd.DataFrame, segments: pd.DataFrame, customers: pd.Index, weights: Weights
    ) -> Iterator[_Part]:
        """All models of a cutoff, on everyone and on every segment."""
        models = {
            str(model): of_model.set_index("customer_id")
            for model, of_model in known.groupby("model", sort=True)
        }
        scores = {model: of_model["predicted"] for model, of_model in models.items()}
        served = pd.DataFrame(scores).dropna().sort_index().index
        models = {model: of_model.loc[served] for model, of_model in models.items()}
        baseline = next((m for m, of_model in models.items() if of_model["is_baseline"].any()), "")
        nothing = pd.Series(np.nan, served)
        naive = models[baseline]["predicted"] if baseline else nothing
        place = customers.get_indexer(served)
        for segment_type, segment, members in _groups(segments, served):
            draws = {}
            for model, of_model in models.items():
                draws[model] = self._draw(
                    Sample(
                        predicted=_values(of_model["predicted"], members),
                        actual=_values(of_model["actual"], members),
                        lower=_values(of_model["predicted_lower"], members),
                        upper=_values(of_model["predicted_upper"], members),
                        baseline=_values(naive, members),
                        weights=weights[:, place[members]],
                    )
                )
            for model, of_model in models.items():
                yield _Part(
                    {
                        "as_of_date": known["as_of_date"].iloc[0],
                        "model": model,
                        "segment_type": segment_type,
                        "segment": segment,
                        **of_model[_FLAGS].any(),
                    },
                    draws[model],
                    draws[baseline] if baseline else np.full_like(draws[model], np.nan),
                    customers=len(members),
                    positives=int((of_model["actual"].iloc[members] == 1).sum()),
                )

    def _draw(self, sample: Sample) -> FloatArray:
        """The metrics, NaN where customers are too few."""
        if len(sample.actual) < self.min_customers:
            return np.full((len(sample.weights), len(self.metrics)), np.nan)
        return draw(self.metrics, sample)

    def _over_cutoffs(self, parts: Sequence[_Part]) -> Iterator[dict[str, Any]]:
        """The mean over the cutoffs of every model, and of whichever shipped."""
        by_model: dict[str, list[_Part]] = {}
        for part in parts:
            by_model.setdefault(part.keys["model"], []).append(part)
            if part.keys["is_shipped"]:
                by_model.setdefault(SHIPPED, []).append(part)
        for model, of_model in by_model.items():
            enough = [part for part in of_model if part.customers >= self.min_customers] or of_model
            keys = {
                **enough[-1].keys,
                "as_of_date": None,
                "model": model,
                "is_baseline": all(part.keys["is_baseline"] for part in enough),
            }
            yield from self._rows(
                _Part(
                    keys,
                    np.mean([part.draws for part in enough], axis=0),
                    np.mean([part.baseline for part in enough], axis=0),
                    customers=sum(part.customers for part in enough),
                    positives=sum(part.positives for part in enough),
                    cutoffs=len(enough),
                )
            )

    def _rows(self, part: _Part) -> Iterator[dict[str, Any]]:
        """One row per metric of a part."""
        own = intervals(self.metrics, part.draws)
        difference = intervals(self.metrics, part.draws - part.baseline)
        figures = np.round([*own, *difference], SCORE_DIGITS)
        for metric, column in zip(self.metrics, figures.T, strict=True):
            found = dict(zip(_FIGURES, column.tolist(), strict=True))
            if metric.is_inflated:
                found["lower"] = max(found["lower"], 0.0)
            yield {
                **part.keys,
                **found,
                "metric": metric.name,
                "better": metric.better,
                "cutoffs": part.cutoffs,
                "customers": part.customers,
                "positives": part.positives if self.metrics is PROBABILITY_METRICS else None,
                "status": self._status(part, metric, found),
            }

    def _status(self, part: _Part, metric: Metric, found: dict[str, float]) -> str:
        """What keeps a metric from being judged, the first reason first."""
        if part.customers < self.min_customers * part.cutoffs:
            return "too few customers"
        if np.isnan(found["value"]):
            return metric.undefined
        if np.isnan(found["lower"]):
            return f"no interval: {metric.undefined} in a resample"
        return JUDGED

    def _without_scores(
        self, unscored: pd.DataFrame, scored: pd.DataFrame
    ) -> Iterator[dict[str, Any]]:
        """Rows without values of the models that scored nobody at a cutoff."""
        key = ["as_of_date", "model"]
        models = unscored.sort_values("customer_id").drop_duplicates(key).set_index(key)
        models = models[~models.index.isin(scored[key].drop_duplicates().set_index(key).index)]
        for row in models.reset_index()[[*key, *_FLAGS, "status"]].to_dict("records"):
            for metric in self.metrics:
                yield {
                    **{str(name): value for name, value in row.items()},
                    "segment_type": EVERYONE,
                    "segment": EVERYONE,
                    "metric": metric.name,
                    "better": metric.better,
                    "cutoffs": 1,
                    "customers": 0,
                }


def _groups(segments: pd.DataFrame, customers: pd.Index) -> Iterator[tuple[str, str, IntArray]]:
    """Everyone and every segment: its type, its name and the places of its customers."""
    yield EVERYONE, EVERYONE, np.arange(len(customers))
    for segment_type, of_type in segments.groupby("segment_type", sort=True):
        segment = of_type.set_index("customer_id")["segment"].reindex(customers)
        for name in sorted(segment.dropna().unique()):
            yield str(segment_type), str(name), np.flatnonzero(segment == name)


def _values(column: pd.Series, places: IntArray) -> FloatArray:
    """Some values of a column, NaN for null."""
    return column.to_numpy(np.float64, na_value=np.nan)[places]
