"""Predict customers at a cutoff with the model that earlier cutoffs chose, and judge that in time.

A model of a cutoff learns from customers at earlier cutoffs whose outcome was known by then. Which
model ships, and how wide its intervals are, is read from predictions made that way at still
earlier cutoffs; where the data do not reach back so far, from customers it did not learn from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

import numpy as np
import pandas as pd

from personalization.interactions import FloatArray, IntArray, check_columns, check_unique
from personalization.predictions.conformal import ConformalIntervals
from personalization.predictions.contributions import (
    contributions,
    reference_customer,
    strongest,
    telling_features,
)
from personalization.predictions.ladders import Candidate, Target
from personalization.predictions.lifetimes import NotFittedError
from personalization.predictions.propensity import Predictor, choose, evenly_spread

SCORED: Final = "scored"
"""The status of what could be predicted."""

# Earlier cutoffs that choose a model and give its intervals.
_MAX_WITNESSES: Final = 3
# With fewer cutoffs to learn from, what a model did says little of what it will do.
_MIN_LEARNED_CUTOFFS: Final = 2
# With fewer customers, which model did better is chance.
_MIN_CUSTOMERS: Final = 30
# What a model learns from at most, evenly spread over customers and cutoffs: more rows cost more
# and teach little.
_MOST_ROWS: Final = 200_000
# Parts that customers are divided into where no earlier cutoff can tell.
_FOLDS: Final = 3

ChosenBy = Literal["earlier cutoffs", "other customers", "nothing"]


@dataclass(frozen=True, eq=False)
class History:
    """Customers at every cutoff: what was known of them, and what came true.

    Attributes:
        table: One row per `customer_id` and `as_of_date` (a day) with the features and the
            outcomes; an outcome is null until its period is over.
        features: The columns that predictions may look at.

    Raises:
        ValueError: A column is missing, or a row is double.
    """

    table: pd.DataFrame
    features: Sequence[str]

    def __post_init__(self) -> None:
        """Check the table."""
        check_columns(self.table, ["customer_id", "as_of_date", *self.features])
        check_unique(self.table, ["customer_id", "as_of_date"])

    @cached_property
    def cutoffs(self) -> list[pd.Timestamp]:
        """All cutoffs, the newest first."""
        return sorted(self.table["as_of_date"].unique(), reverse=True)

    @cached_property
    def _by_cutoff(self) -> Mapping[pd.Timestamp, pd.DataFrame]:
        ordered = self.table.sort_values(["as_of_date", "customer_id"])
        return {
            cutoff: ordered[ordered["as_of_date"] == cutoff].set_index("customer_id")
            for cutoff in self.cutoffs
        }

    def at(self, cutoff: pd.Timestamp) -> pd.DataFrame:
        """Customers at a cutoff by `customer_id`, which ascends."""
        return self._by_cutoff[cutoff]

    def settled(self, target: Target, cutoff: pd.Timestamp) -> list[pd.Timestamp]:
        """Cutoffs whose outcome is known at the start of the given one, the newest first."""
        period = pd.Timedelta(days=target.days)
        return [
            earlier
            for earlier in self.cutoffs
            if earlier + period <= cutoff and self.at(earlier)[target.outcome].notna().any()
        ]

    def outcomes(self, target: Target, cutoffs: Sequence[pd.Timestamp]) -> pd.DataFrame:
        """Customers at some cutoffs whose outcome is known, the oldest first."""
        if not cutoffs:
            return self.table.iloc[:0].set_index("customer_id")
        rows = pd.concat([self.at(cutoff) for cutoff in sorted(cutoffs)])
        return rows[rows[target.outcome].notna()]


@dataclass(frozen=True, eq=False)
class Judgment:
    """Which model ships at a cutoff, and what says so.

    Attributes:
        model: Its name.
        chosen_by: By what.
        witnesses: One row per `model`, `as_of_date` and `customer_id` with what it `predicted`
            and what came true (`actual`).
    """

    model: str
    chosen_by: ChosenBy
    witnesses: pd.DataFrame

    def intervals(self, model: str, *, level: float) -> ConformalIntervals | None:
        """The intervals of a model; None where too little is known of its errors."""
        rows = self.witnesses[self.witnesses["model"] == model]
        return ConformalIntervals.fit(
            rows["predicted"].to_numpy(np.float64), rows["actual"].to_numpy(np.float64), level=level
        )


class Forecasts:
    """What the models of a target say at each cutoff; each is fitted once."""

    def __init__(
        self,
        history: History,
        target: Target,
        *,
        level: float = 0.8,
        made_before: pd.DataFrame | None = None,
    ) -> None:
        """Predict a target of customers.

        Args:
            history: The customers.
            target: What is predicted.
            level: The share of outcomes that intervals shall hold.
            made_before: What `backtest` returned for the same history, of this target and maybe
                of others: it is not fitted again.
        """
        self._history = history
        self._target = target
        self._level = level
        self._by_cutoff: dict[pd.Timestamp, pd.DataFrame] = {}
        if made_before is not None:
            own = made_before[made_before["target"] == target.name]
            for cutoff in own["as_of_date"].unique():
                self._by_cutoff[cutoff] = own[own["as_of_date"] == cutoff]

    def backtest(self, n_cutoffs: int = 3) -> pd.DataFrame:
        """What every model would have said at the newest cutoffs whose outcome is known.

        Args:
            n_cutoffs: How many are judged.

        Returns:
            One row per `as_of_date`, `model` and `customer_id`: `target`, `is_judged` (false at
            still earlier cutoffs, which only choose models and give intervals), `predicted`,
            `predicted_lower` and `predicted_upper` (null for probabilities, or without enough
            earlier errors), `actual`, `is_shipped`, `is_baseline`, `status`, `chosen_by`, and
            what the model learned from: `training_rows`, `first_training_date` and
            `last_training_date` (null for rules).
        """
        history, target = self._history, self._target
        if not history.cutoffs:
            return _typed(pd.DataFrame(), _BACKTEST_TYPES)
        judged = history.settled(target, history.cutoffs[0])[:n_cutoffs]
        parts = []
        for cutoff in judged:
            judgment = self.judge(cutoff)
            rows = self._with_intervals(self._predictions(cutoff), judgment)
            rows["is_shipped"] = rows["model"] == self._shippable(
                judgment, set(rows.loc[rows["predicted"].notna(), "model"])
            )
            rows["chosen_by"] = judgment.chosen_by
            parts.append(rows.assign(is_judged=True))
        for cutoff in sorted(set(self._by_cutoff) - set(judged), reverse=True):
            rows = self._by_cutoff[cutoff]
            parts.append(rows.assign(is_judged=False, is_shipped=False, chosen_by=None))
        if not parts:
            return _typed(pd.DataFrame(), _BACKTEST_TYPES)
        table = pd.concat(parts, ignore_index=True)
        table["target"] = target.name
        table["is_baseline"] = table["model"] == target.candidates[0].name
        return _typed(table, _BACKTEST_TYPES)

    def predict(self, target: Target | None = None) -> pd.DataFrame:
        """What the chosen model and the baseline say of the newest cutoff, with reasons.

        Args:
            target: What to predict with the chosen model, where it is not just what was judged:
                the same candidates for a longer period.

        Returns:
            One row per `customer_id`: `target`, `as_of_date`, `model`, `predicted`,
            `predicted_lower`, `predicted_upper`, `baseline_model`, `baseline_predicted`,
            `status`, `chosen_by`, `training_rows`, `first_training_date`, `last_training_date`
            as in `backtest`, the prediction for the reference customer (`reference_predicted`),
            and the three strongest reasons: `cause_1`, `contribution_1`, `feature_1`, `value_1`,
            `reference_value_1` and so on, null where fewer causes moved the prediction.
        """
        history, judged = self._history, self._target
        target = target or judged
        if not history.cutoffs:
            return _typed(pd.DataFrame(), _PREDICTION_TYPES)
        cutoff = history.cutoffs[0]
        judgment = self.judge(cutoff)
        customers = history.at(cutoff)[[*history.features]]
        baseline = target.candidates[0].name
        fitted = _Fitted.at(history, target, cutoff, only={judgment.model, baseline})
        model = self._shippable(judgment, set(fitted.predictors))
        reference = reference_customer(customers)
        table = pd.DataFrame({"customer_id": customers.index, "model": model})
        table = fitted.with_provenance(table, model)
        table["predicted"] = fitted.predict(model, customers)
        table["reference_predicted"] = fitted.predict(model, reference.to_frame().T)[0]
        if target.days == judged.days:
            table = self._with_intervals(table, judgment)
        table["baseline_model"] = baseline
        table["baseline_predicted"] = fitted.predict(baseline, customers)
        if model in fitted.predictors:
            table = _with_reasons(table, fitted.predictors[model], customers, reference)
        table["target"] = target.name
        table["as_of_date"] = cutoff
        table["chosen_by"] = judgment.chosen_by
        return _typed(table, _PREDICTION_TYPES)

    def judge(self, cutoff: pd.Timestamp) -> Judgment:
        """Choose the model that ships at a cutoff by what was known then.

        The simplest model within one standard error of the best ships; the loss of a customer is
        the mean over cutoffs, since the same customer errs alike at each. With few customers
        nothing is told apart, and the baseline ships.
        """
        names = [candidate.name for candidate in self._target.candidates]
        witnesses, chosen_by = self._witnesses(cutoff)
        judged = witnesses["model"].value_counts()
        losses: dict[str, FloatArray] = {}
        # A model that could not be fitted everywhere has no loss on the rows of the others.
        for name in [name for name in names if judged.get(name, 0) == judged.max()]:
            rows = witnesses[witnesses["model"] == name]
            loss = self._target.losses(
                rows["predicted"].to_numpy(np.float64), rows["actual"].to_numpy(np.float64)
            )
            by_customer = pd.Series(loss, index=rows["customer_id"]).groupby(level=0).mean()
            losses[name] = np.asarray(by_customer, dtype=np.float64)
        if max((len(loss) for loss in losses.values()), default=0) < _MIN_CUSTOMERS:
            return Judgment(names[0], "nothing", witnesses)
        return Judgment(choose(losses), chosen_by, witnesses)

    def _shippable(self, judgment: Judgment, fitted: set[str]) -> str:
        """The chosen model, or the baseline where today it cannot be learned."""
        return judgment.model if judgment.model in fitted else self._target.candidates[0].name

    def _witnesses(self, cutoff: pd.Timestamp) -> tuple[pd.DataFrame, ChosenBy]:
        """Predictions whose outcome was known at a cutoff, of models that did not know it."""
        history, target = self._history, self._target
        settled = history.settled(target, cutoff)
        learns = any(candidate.learns for candidate in target.candidates)
        learned = [
            earlier
            for earlier in settled
            if not learns or len(history.settled(target, earlier)) >= _MIN_LEARNED_CUTOFFS
        ]
        if learned:
            parts = [self._predictions(earlier) for earlier in learned[:_MAX_WITNESSES]]
            table = pd.concat(parts, ignore_index=True)
            return table[table["status"] == SCORED], "earlier cutoffs"
        if not learns or not settled:
            return self._empty(), "nothing"
        return self._unseen(settled), "other customers"

    def _unseen(self, settled: Sequence[pd.Timestamp]) -> pd.DataFrame:
        """Predictions of settled cutoffs by models that learned there from other customers."""
        history, target = self._history, self._target
        training = history.outcomes(target, settled)
        told = history.outcomes(target, settled[:_MAX_WITNESSES])
        fold, training_fold = _folds(told.index), _folds(training.index)
        parts = []
        for part in range(_FOLDS):
            others = training[training_fold != part]
            told_others = told.loc[fold != part, [*history.features]]
            fitted = _Fitted(target, others, history.features, told_others)
            parts.append(self._table(fitted, told[fold == part]))
        table = pd.concat(parts, ignore_index=True)
        return table[table["status"] == SCORED]

    def _predictions(self, cutoff: pd.Timestamp) -> pd.DataFrame:
        """What all models that learned from before a cutoff say of it, beside the outcome."""
        if cutoff not in self._by_cutoff:
            history, target = self._history, self._target
            fitted = _Fitted.at(history, target, cutoff)
            customers = history.outcomes(target, [cutoff])
            self._by_cutoff[cutoff] = self._table(fitted, customers)
        return self._by_cutoff[cutoff]

    def _table(self, fitted: "_Fitted", customers: pd.DataFrame) -> pd.DataFrame:
        """What each model says of customers, beside the outcome."""
        actual = customers[self._target.outcome].to_numpy(np.float64)
        features = customers[[*self._history.features]]
        parts = []
        for candidate in self._target.candidates:
            rows = pd.DataFrame(
                {
                    "as_of_date": customers["as_of_date"].to_numpy(),
                    "model": candidate.name,
                    "customer_id": customers.index,
                    "predicted": fitted.predict(candidate.name, features),
                    "actual": actual,
                }
            )
            parts.append(fitted.with_provenance(rows, candidate.name))
        return pd.concat(parts, ignore_index=True)

    def _empty(self) -> pd.DataFrame:
        columns = ["as_of_date", "model", "customer_id", "predicted", "actual", "status"]
        return pd.DataFrame(columns=columns)

    def _with_intervals(self, rows: pd.DataFrame, judgment: Judgment) -> pd.DataFrame:
        """Put the interval of each model around its predictions."""
        rows = rows.assign(predicted_lower=np.nan, predicted_upper=np.nan)
        if self._target.is_probability:
            return rows
        for model in rows["model"].unique():
            intervals = judgment.intervals(model, level=self._level)
            is_own = (rows["model"] == model) & rows["predicted"].notna()
            if intervals is None or not is_own.any():
                continue
            lower, upper = intervals.around(
                rows.loc[is_own, "predicted"].to_numpy(np.float64),
                lowest=self._target.lowest,
                highest=self._target.highest,
            )
            rows.loc[is_own, "predicted_lower"] = lower.round(6)
            rows.loc[is_own, "predicted_upper"] = upper.round(6)
        return rows


def describe_models(history: History, targets: Sequence[Target]) -> pd.DataFrame:
    """What every model of the newest cutoff learns from.

    Args:
        history: The customers.
        targets: What is predicted.

    Returns:
        One row per `target` and `model`: `as_of_date`, `training_rows` (0 for a rule),
        `first_cutoff` and `last_cutoff` (null for a rule), the `features` that it looks at,
        separated by commas, and its `parameters`. Empty without customers.
    """
    rows = []
    for target in targets if history.cutoffs else []:
        settled = history.settled(target, history.cutoffs[0])
        n_rows = min(len(history.outcomes(target, settled)), _MOST_ROWS)
        for candidate in target.candidates:
            learned = settled if candidate.learns else []
            rows.append(
                {
                    "target": target.name,
                    "model": candidate.name,
                    "as_of_date": history.cutoffs[0],
                    "training_rows": n_rows if candidate.learns else 0,
                    "first_cutoff": min(learned, default=pd.NaT),
                    "last_cutoff": max(learned, default=pd.NaT),
                    "features": ", ".join(candidate.features or history.features),
                    "parameters": candidate.settings,
                }
            )
    return _typed(pd.DataFrame(rows), _MODEL_TYPES)


class _Fitted:
    """The models of a target, fitted to what was known at a cutoff."""

    def __init__(
        self,
        target: Target,
        training: pd.DataFrame,
        features: Sequence[str],
        today: pd.DataFrame,
        only: set[str] | None = None,
    ) -> None:
        self.predictors: dict[str, Predictor] = {}
        self._status: dict[str, str] = {}
        training = training.iloc[evenly_spread(len(training), _MOST_ROWS)]
        self._training = training
        self._learns = {candidate.name: candidate.learns for candidate in target.candidates}
        outcome = training[target.outcome].to_numpy(np.float64)
        for candidate in target.candidates:
            if only is not None and candidate.name not in only:
                continue
            self._fit(candidate, training[[*features]], outcome, today)

    @classmethod
    def at(
        cls, history: History, target: Target, cutoff: pd.Timestamp, only: set[str] | None = None
    ) -> "_Fitted":
        training = history.outcomes(target, history.settled(target, cutoff))
        return cls(
            target, training, history.features, history.at(cutoff)[[*history.features]], only
        )

    def _fit(
        self, candidate: Candidate, features: pd.DataFrame, outcome: FloatArray, today: pd.DataFrame
    ) -> None:
        name = candidate.name
        if candidate.learns and len(features) == 0:
            self._status[name] = "no earlier cutoff with an outcome to learn from"
            return
        if candidate.learns and float(outcome.min()) == float(outcome.max()):
            # Nothing to tell apart: the one outcome there was is all that can be said.
            only_outcome = float(outcome.min())
            self.predictors[name] = lambda rows: np.full(len(rows), only_outcome)
            self._status[name] = "one outcome only to learn from"
            return
        try:
            self.predictors[name] = candidate.fit(features, outcome, today)
        except NotFittedError as error:
            self._status[name] = str(error)

    def predict(self, model: str, customers: pd.DataFrame) -> FloatArray:
        """Predictions rounded to 6 digits; null where there is no model."""
        if model not in self.predictors or len(customers) == 0:
            return np.full(len(customers), np.nan)
        return np.round(self.predictors[model](customers), 6)

    def with_provenance(self, table: pd.DataFrame, model: str) -> pd.DataFrame:
        """Add what became of a model, and what it learned from."""
        dates = self._training["as_of_date"] if self._learns[model] else pd.Series(dtype="M8[us]")
        return table.assign(
            status=self._status.get(model, SCORED),
            training_rows=len(dates),
            first_training_date=dates.min(),
            last_training_date=dates.max(),
        )


def _with_reasons(
    table: pd.DataFrame, predict: Predictor, customers: pd.DataFrame, reference: pd.Series
) -> pd.DataFrame:
    """Put the strongest reasons beside the predictions, in columns."""
    reasons = strongest(contributions(predict, customers, reference))
    reasons = telling_features(predict, customers, reference, reasons)
    for rank, rows in reasons.groupby("reason_rank"):
        named = rows.set_index("customer_id")
        for column in _REASON_TYPES:
            table[f"{column}_{rank}"] = table["customer_id"].map(named[column])
    return table


def _folds(customer_ids: pd.Index) -> IntArray:
    """The part that each customer belongs to, the same at every cutoff."""
    digest = pd.util.hash_array(customer_ids.to_numpy(object))
    return (digest % np.uint64(_FOLDS)).astype(np.int64)


_BACKTEST_TYPES: Final = {
    "target": "str",
    "as_of_date": "datetime64[us]",
    "model": "str",
    "customer_id": "str",
    "is_judged": "bool",
    "predicted": "float64",
    "predicted_lower": "float64",
    "predicted_upper": "float64",
    "actual": "float64",
    "is_shipped": "bool",
    "is_baseline": "bool",
    "status": "str",
    "chosen_by": "str",
    "training_rows": "int64",
    "first_training_date": "datetime64[us]",
    "last_training_date": "datetime64[us]",
}

_REASON_TYPES: Final = {
    "cause": "str",
    "contribution": "float64",
    "feature": "str",
    "value": "float64",
    "reference_value": "float64",
}

_PREDICTION_TYPES: Final = {
    "customer_id": "str",
    "target": "str",
    "as_of_date": "datetime64[us]",
    "model": "str",
    "predicted": "float64",
    "predicted_lower": "float64",
    "predicted_upper": "float64",
    "baseline_model": "str",
    "baseline_predicted": "float64",
    "reference_predicted": "float64",
    **{f"{name}_{rank}": kind for rank in (1, 2, 3) for name, kind in _REASON_TYPES.items()},
    "status": "str",
    "chosen_by": "str",
    "training_rows": "int64",
    "first_training_date": "datetime64[us]",
    "last_training_date": "datetime64[us]",
}


_MODEL_TYPES: Final = {
    "target": "str",
    "model": "str",
    "as_of_date": "datetime64[us]",
    "training_rows": "int64",
    "first_cutoff": "datetime64[us]",
    "last_cutoff": "datetime64[us]",
    "features": "str",
    "parameters": "str",
}


def _typed(table: pd.DataFrame, types: Mapping[str, str]) -> pd.DataFrame:
    """The columns in their order and with their types; those that are missing are null."""
    return table.reindex(columns=[*types]).astype(dict(types))
