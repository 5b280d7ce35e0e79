import sys
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import solve_toeplitz
from statsmodels.tsa.arima.estimators.hannan_rissanen import hannan_rissanen
from statsmodels.tsa.statespace.sarimax import SARIMAX
from threadpoolctl import threadpool_limits

from personalization.demand import (
    coherence,
    days,
    evaluation,
    forecasters,
    pooled,
    report,
    tables,
)
from personalization.demand.evaluation import Trials
from personalization.demand.panel import Exogenous, Panel, month_calendar
from personalization.interactions import MissingInputError

pytestmark = pytest.mark.filterwarnings("error")

FIRST = np.datetime64("2021-01-04", "D")
WEEK = np.timedelta64(7, "D")
SIMPLE = {name: report.LADDER[name] for name in ("mean_of_last_4", "smoothing", "ar")}
QUICK = {**report.LADDER, "ridge": report.POOLED_LADDER["ridge"]}
EVERY = report.FORECASTERS
HORIZON = 4


def simulate(n_series=8, n_weeks=40, *, seed=0, noise=0.15, month=0.3, groups=2) -> pd.DataFrame:
    """Levels that wander, the rhythm of the month, a promotion that lifts, and noise."""
    rng = np.random.default_rng(seed)
    weeks = FIRST + np.arange(n_weeks) * WEEK
    rhythm = np.exp(month_calendar(weeks) @ [month, month / 2])
    level = 100 * np.exp(rng.normal(0, 0.5, (n_series, 1)))
    level = level * np.exp(np.cumsum(rng.normal(0, 0.03, (n_series, n_weeks)), axis=1))
    display = rng.integers(0, 3, (n_series, n_weeks)) / 4
    values = level * rhythm * np.exp(0.4 * display + rng.normal(0, noise, level.shape))
    return pd.DataFrame(
        {
            "series": np.repeat([f"s{place:02d}" for place in range(n_series)], n_weeks),
            "group": np.repeat([f"g{place % groups}" for place in range(n_series)], n_weeks),
            "week": np.tile(pd.to_datetime(weeks), n_series),
            "units": values.round().ravel(),
            "display": display.ravel(),
        }
    )


def without_rhythm(n_weeks: int, horizon: int = HORIZON, exposures=None) -> Exogenous:
    if exposures is None:
        exposures = np.empty((1, n_weeks + horizon, 0))
    return Exogenous(np.zeros((n_weeks + horizon, 2)), exposures)


def history_of(rows) -> tuple[np.ndarray, Exogenous]:
    history = np.array(rows, dtype=float)
    exposures = np.empty((len(history), history.shape[1] + HORIZON, 0))
    return history, without_rhythm(history.shape[1], exposures=exposures)


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    return simulate()


@pytest.fixture(scope="module")
def panel(frame) -> Panel:
    return Panel.from_frame(frame, exposures=["display"])


@pytest.fixture(scope="module")
def outcome(panel) -> pd.DataFrame:
    return report.forecast_demand(panel, QUICK, n_origins=16)


def shipped(outcome: pd.DataFrame, level: str = "series") -> pd.DataFrame:
    """What ships now."""
    chosen = outcome[(outcome["method"] == report.CHOSEN) & (outcome["level"] == level)]
    return chosen[chosen["is_newest"]].reset_index(drop=True)


class TestPanel:
    def test_reads_series_in_any_order(self, frame, panel):
        shuffled = Panel.from_frame(frame.sample(frac=1, random_state=1), exposures=["display"])

        np.testing.assert_array_equal(panel.demand, frame["units"].to_numpy().reshape(8, 40))
        np.testing.assert_array_equal(shuffled.demand, panel.demand)
        np.testing.assert_array_equal(shuffled.exposures, panel.exposures)
        assert list(shuffled.series) == sorted(frame["series"].unique())
        assert list(shuffled.groups) == list(panel.groups)

    def test_lets_series_start_late(self, frame):
        late = frame[(frame["series"] != "s01") | (frame["week"] >= "2021-03-01")]

        panel = Panel.from_frame(late)

        assert np.isnan(panel.demand[1, :8]).all()
        assert not np.isnan(panel.demand[1, 8:]).any()
        assert not np.isnan(np.delete(panel.demand, 1, axis=0)).any()

    def test_reads_one_series_of_one_week(self, frame):
        panel = Panel.from_frame(frame.head(1))

        assert panel.demand.shape == (1, 1)
        assert panel.weeks[0] == FIRST

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda frame: frame.assign(units=frame["units"] - 1000), "below 0"),
            (lambda frame: frame.assign(units=np.nan), "null or infinite"),
            (lambda frame: frame.assign(units=np.inf), "null or infinite"),
            (lambda frame: frame.assign(display=-1.0), "below 0"),
            (lambda frame: frame.assign(display=np.nan), "null or infinite"),
            (lambda frame: pd.concat([frame, frame.tail(1)]), "duplicate rows"),
            (lambda frame: frame.drop(index=5), "gap"),
            (lambda frame: frame.drop(index=39), "before the last week"),
            (lambda frame: frame.assign(week=frame["week"] + pd.Timedelta(days=1)), "no Mondays"),
            (lambda frame: frame.assign(week=pd.NaT), "duplicate rows|no Mondays"),
            (lambda frame: frame.assign(series=None), "null ids"),
            (lambda frame: frame.assign(group=frame.index.astype(str)), "changes its group"),
            (lambda frame: frame.head(0), "no weeks"),
        ],
    )
    def test_refuses(self, frame, change, message):
        with pytest.raises(ValueError, match=message):
            Panel.from_frame(change(frame), exposures=["display"])

    def test_names_missing_columns(self, frame):
        with pytest.raises(MissingInputError, match="units, mailer"):
            Panel.from_frame(frame.drop(columns="units"), exposures=["mailer"])

    def test_hides_what_is_not_known_at_an_origin(self, panel):
        history, exogenous = panel.known_at(30, 4)

        np.testing.assert_array_equal(history, panel.demand[:, :30])
        np.testing.assert_array_equal(exogenous.exposures[:, :30], panel.exposures[:, :30])
        assert np.isnan(exogenous.exposures[:, 30:]).all()
        assert exogenous.calendar.shape == (34, 2)
        history[:] = 0
        assert panel.demand.all()

    @pytest.mark.parametrize(("origin", "horizon"), [(0, 4), (41, 4), (40, 0)])
    def test_refuses_origins_out_of_range(self, panel, origin, horizon):
        with pytest.raises(ValueError, match="must be at"):
            panel.known_at(origin, horizon)

    def test_knows_planned_exposures(self, frame):
        is_past = frame["week"] < pd.Timestamp(FIRST + 36 * WEEK)
        panel = Panel.from_frame(frame[is_past], exposures=["display"], plan=frame[~is_past])

        _, exogenous = panel.known_at(36, 4)

        assert exogenous.is_planned
        expected = frame["display"].to_numpy().reshape(8, 40)
        np.testing.assert_array_equal(exogenous.exposures[..., 0], expected)
        with pytest.raises(ValueError, match="not planned up to"):
            panel.known_at(36, 5)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda plan: plan.assign(week=plan["week"] - pd.Timedelta(weeks=8)), "have passed"),
            (lambda plan: plan.assign(series="unknown" + plan["series"]), "unknown series"),
            (lambda plan: plan.iloc[1:], "lacks weeks"),
            (lambda plan: pd.concat([plan, plan.head(1)]), "duplicate rows"),
            (lambda plan: plan.assign(display=np.nan), "null or infinite"),
        ],
    )
    def test_refuses_plans(self, frame, change, message):
        is_past = frame["week"] < pd.Timestamp(FIRST + 36 * WEEK)
        with pytest.raises(ValueError, match=message):
            Panel.from_frame(frame[is_past], exposures=["display"], plan=change(frame[~is_past]))

    def test_adds_up_groups(self, frame):
        late = frame[(frame["group"] != "g1") | (frame["week"] >= "2021-03-01")]

        totals = Panel.from_frame(late).totals_by_group()

        expected = late.pivot_table(index="group", columns="week", values="units", aggfunc="sum")
        np.testing.assert_array_equal(totals.demand, expected.to_numpy())
        assert list(totals.series) == list(totals.groups) == ["g0", "g1"]

    def test_calendar_counts_days_of_the_month(self):
        weeks = FIRST + np.arange(120) * WEEK

        calendar = month_calendar(weeks)

        for week, shares in zip(weeks, calendar, strict=True):
            days = [day.day for day in pd.date_range(pd.Timestamp(week), periods=7)]
            first, second = sum(day <= 5 for day in days), sum(6 <= day <= 10 for day in days)
            np.testing.assert_allclose(shares, [first / 7, second / 7])


class TestForecastersOfOneSeries:
    def test_mean_of_last(self):
        history, exogenous = history_of([[9, 1, 2, 3, 4], [np.nan, np.nan, np.nan, 5, 8]])

        forecast = forecasters.mean_of_last(4)(history, exogenous, 2)

        np.testing.assert_allclose(forecast, [[2.5, 2.5], [6.5, 6.5]])

    def test_seasonal_naive_needs_two_seasons(self):
        rows = [np.arange(1.0, 8), [np.nan, *np.arange(2.0, 8)], [np.nan] * 3 + [4.0, 5, 6, 7]]
        history, exogenous = history_of(rows)
        forecaster = forecasters.seasonal_naive(3)

        forecast = forecaster(history, exogenous, 4)

        np.testing.assert_array_equal(forecast[:2], [[5, 6, 7, 5]] * 2)
        assert np.isnan(forecast[2]).all()
        assert np.isnan(forecaster(*history_of(np.ones((1, 5))), 4)).all()

    @pytest.mark.parametrize("seed", range(3))
    def test_smoothing_agrees_with_loops(self, seed):
        values = np.random.default_rng(seed).gamma(4, 10, 30)
        best = None
        for weight in np.arange(0.05, 0.96, 0.05):
            level, squares = values[0], 0.0
            for value in values[1:]:
                error = value - level
                squares += error**2
                level += weight * error
            if best is None or squares < best[0]:
                best = squares, level

        forecast = forecasters.smoothing(*history_of([values]), 3)

        np.testing.assert_allclose(forecast, np.full((1, 3), best[1]))

    @pytest.mark.parametrize("seed", range(3))
    def test_damped_trend_agrees_with_loops(self, seed):
        rng = np.random.default_rng(seed)
        values = np.arange(30) * 3 + rng.gamma(4, 5, 30)
        best = None
        for weight, trend_weight, damping in forecasters._DAMPED:
            level, trend, squares = values[0], 0.0, 0.0
            for value in values[1:]:
                error = value - (level + damping * trend)
                squares += error**2
                level = level + damping * trend + weight * error
                trend = damping * trend + weight * trend_weight * error
            if best is None or squares < best[0]:
                best = squares, level, trend, damping
        _, level, trend, damping = best
        expected = [level + trend * sum(damping**i for i in range(1, k + 1)) for k in (1, 2, 3)]

        forecast = forecasters.damped_trend(*history_of([values]), 3)

        np.testing.assert_allclose(forecast, [expected])

    @pytest.mark.parametrize(("order", "ridge"), [(1, 0.0), (4, 0.2), (3, 1.0)])
    def test_autoregression_solves_yule_walker(self, order, ridge):
        values = np.random.default_rng(order).gamma(3, 10, 25)
        past = values - values.mean()
        covariance = np.array([past[lag:] @ past[: 25 - lag] for lag in range(order + 1)])
        first = covariance[:-1] + np.append(ridge * covariance[0], np.zeros(order - 1))
        weights = solve_toeplitz(first, covariance[1:])
        known = list(past)
        for _ in range(3):
            known.append(weights @ known[: -order - 1 : -1])

        forecast = forecasters.autoregression(order, ridge)(*history_of([values]), 3)

        np.testing.assert_allclose(forecast, [values.mean() + known[-3:]])

    def test_arma_agrees_with_the_state_space_model(self):
        rng = np.random.default_rng(0)
        noise = rng.normal(0, 5, 200)
        values = np.zeros(200)
        for week in range(1, 200):
            values[week] = 0.7 * values[week - 1] + noise[week] - 0.3 * noise[week - 1]
        values += 100
        past = values - values.mean()
        found, _ = hannan_rissanen(past, 1, 1, demean=False, unbiased=False)
        parameters = [found.ar_params[0], found.ma_params[0], 25.0]
        model = SARIMAX(past, order=(1, 0, 1)).smooth(parameters)

        forecast = forecasters.arma(*history_of([values, np.full(200, 7.0)]), 4)

        np.testing.assert_allclose(forecast[0], values.mean() + model.forecast(4), rtol=1e-6)
        np.testing.assert_array_equal(forecast[1], 7)
        assert np.isnan(forecasters.arma(*history_of([values[:11]]), 4)).all()

    def test_arma_says_what_is_missing(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "statsmodels", None)
        for name in [name for name in sys.modules if name.startswith("statsmodels.")]:
            monkeypatch.delitem(sys.modules, name)

        with pytest.raises(ModuleNotFoundError, match="statsmodels"):
            forecasters.arma(*history_of(np.ones((1, 20))), 4)

    @pytest.mark.parametrize("name", [name for name in report.LADDER if "month" not in name])
    def test_late_starts_change_nothing(self, name):
        values = np.random.default_rng(0).gamma(3, 10, (2, 30))
        values[1, :13] = np.nan
        forecaster = report.LADDER[name]

        forecast = forecaster(*history_of(values), 4)

        np.testing.assert_allclose(forecast[:1], forecaster(*history_of(values[:1]), 4))
        np.testing.assert_allclose(forecast[1:], forecaster(*history_of(values[1:, 13:]), 4))

    @pytest.mark.parametrize(
        "make",
        [
            partial(forecasters.mean_of_last, 0),
            partial(forecasters.seasonal_naive, 0),
            partial(forecasters.autoregression, 0),
            partial(forecasters.autoregression, 4, -1),
        ],
    )
    def test_refuse_arguments_out_of_range(self, make):
        with pytest.raises(ValueError, match="must be at least"):
            make()


class TestRhythmOfTheMonth:
    def test_factors_agree_with_loops(self):
        frame = simulate(n_series=3, n_weeks=20)
        history = frame["units"].to_numpy().reshape(3, 20).copy()
        history[1, :6] = np.nan
        calendar = month_calendar(FIRST + np.arange(24) * WEEK)
        columns, deviations = [], []
        for row in history:
            known = [week for week in range(20) if not np.isnan(row[week])]
            logs = np.log(row + 0.1 * np.nanmean(row))
            near = {week: [w for w in known if abs(w - week) <= 4] for week in known}
            deviations.append(np.array([logs[w] - logs[near[w]].mean() for w in known]))
            columns.append(np.array([calendar[w] - calendar[near[w]].mean(axis=0) for w in known]))
        prior = 5 * np.eye(2)
        shared = np.linalg.solve(
            sum(x.T @ x for x in columns) + prior,
            sum(x.T @ y for x, y in zip(columns, deviations, strict=True)),
        )
        expected = [
            np.exp(calendar @ (shared + np.linalg.solve(x.T @ x + prior, x.T @ (y - x @ shared))))
            for x, y in zip(columns, deviations, strict=True)
        ]

        np.testing.assert_allclose(forecasters.month_factors(history, calendar), expected)

    def test_finds_the_rhythm(self):
        frame = simulate(n_series=40, n_weeks=60, noise=0.05, month=0.4)
        history, exogenous = Panel.from_frame(frame).known_at(60, HORIZON)

        factors = forecasters.month_factors(history, exogenous.calendar)

        expected = np.exp(exogenous.calendar @ [0.4, 0.2])
        np.testing.assert_allclose(factors.mean(axis=0), expected, rtol=0.05)

    def test_forecasts_better_with_it(self):
        panel = Panel.from_frame(simulate(n_series=20, n_weeks=50, noise=0.05, month=0.5))
        plain = report.LADDER["mean_of_last_4"]
        methods = {"plain": plain, "month": forecasters.month_adjusted(plain)}

        trials = evaluation.try_out(panel, methods, origins=range(30, 46))

        plain_error, month_error = trials.scaled_errors.mean(axis=(1, 2, 3))
        assert month_error < 0.9 * plain_error

    def test_without_rhythm_nothing_changes(self):
        history, exogenous = history_of(np.random.default_rng(0).gamma(3, 10, (2, 30)))
        plain = report.LADDER["smoothing"]

        adjusted = forecasters.month_adjusted(plain)(history, exogenous, 4)

        np.testing.assert_array_equal(adjusted, plain(history, exogenous, 4))


class TestPooled:
    @pytest.mark.parametrize("is_planned", [False, True])
    def test_ridge_agrees_with_loops(self, is_planned):
        rng = np.random.default_rng(0)
        n_weeks, n_known = 20, 24 if is_planned else 20
        history = rng.gamma(5, 10, (3, n_weeks))
        history[2, :7] = np.nan
        exposures = np.full((3, n_weeks + HORIZON, 1), np.nan)
        exposures[:, :n_known, 0] = rng.random((3, n_known))
        exogenous = Exogenous(np.zeros((n_weeks + HORIZON, 2)), exposures, is_planned)
        logs = np.log(history + 0.1 * np.nanmean(history, axis=1, keepdims=True))

        def describe(place, end, ahead):
            """Features after `end` weeks, None where four weeks are not known."""
            recent = logs[place, end - 4 : end]
            if np.isnan(recent).any():
                return None
            start = max(end - 12, 0)
            level = np.log(np.exp(recent).mean())
            long = np.log(np.nanmean(np.exp(logs[place, start:end])))
            shown = exposures[place, :, 0]
            row = [*(recent[::-1] - level), long - level]
            row += [shown[end - 1] - shown[end - 4 : end].mean()]
            row += [shown[end - 4 : end].mean() - shown[start:end].mean()]
            if is_planned:
                row += [shown[end + ahead] - shown[end - 4 : end].mean()]
            return np.array(row), level

        expected = np.empty((3, HORIZON))
        for ahead in range(HORIZON):
            rows, goals = [], []
            for place in range(3):
                for end in range(4, n_weeks - ahead):
                    found = describe(place, end, ahead)
                    if found:
                        rows.append(found[0])
                        goals.append(logs[place, end + ahead] - found[1])
            x, y = np.array(rows), np.array(goals)
            mean, spread = x.mean(axis=0), x.std(axis=0)
            x = (x - mean) / spread
            weights = np.linalg.solve(
                x.T @ x + 0.3 * len(x) * np.eye(x.shape[1]), x.T @ (y - y.mean())
            )
            for place in range(3):
                features, level = describe(place, n_weeks, ahead)
                gain = y.mean() + (features - mean) / spread @ weights
                offset = 0.1 * np.nanmean(history[place])
                expected[place, ahead] = np.exp(level + gain) - offset

        np.testing.assert_allclose(pooled.ridge()(history, exogenous, HORIZON), expected)

    @pytest.mark.parametrize("name", report.POOLED_LADDER)
    def test_learns_that_weeks_return_to_the_mean(self, name):
        rng = np.random.default_rng(1)
        values = np.exp(rng.normal(4, 0.4, (20, 40)))
        panel_history, exogenous = history_of(values)

        forecast = report.POOLED_LADDER[name](panel_history, exogenous, HORIZON)

        usual = np.exp(4)
        naive_error = np.abs(np.log(values[:, -4:].mean(axis=1)) - 4).mean()
        assert np.abs(np.log(forecast / usual)).mean() < naive_error + 0.05
        assert not np.isnan(forecast).any()

    def test_uses_planned_exposures(self):
        frame = simulate(n_series=20, n_weeks=44, noise=0.02)
        is_past = frame["week"] < pd.Timestamp(FIRST + 40 * WEEK)
        past, coming = frame[is_past], frame[~is_past]
        actual = coming["units"].to_numpy().reshape(20, 4)
        errors = []
        for plan in (None, coming):
            panel = Panel.from_frame(past, exposures=["display"], plan=plan)
            forecast = pooled.ridge()(*panel.known_at(40, 4), 4)
            errors.append(np.abs(forecast / actual - 1).mean())

        assert errors[1] < 0.7 * errors[0]

    def test_learns_from_a_fixed_sample(self):
        drawn = pooled._sample(10_000)

        assert len(drawn) == len(set(drawn)) == 2000
        assert (np.diff(drawn) > 0).all()
        np.testing.assert_array_equal(pooled._sample(50), np.arange(50))

    def test_needs_enough_weeks(self):
        for n_weeks in (1, 3, 6):
            forecast = pooled.ridge()(*history_of(np.ones((2, n_weeks))), HORIZON)
            assert np.isnan(forecast).all()


@pytest.mark.parametrize("name", EVERY)
class TestEveryForecaster:
    def forecast(self, name, frame, origin=40):
        panel = Panel.from_frame(frame, exposures=["display"])
        return EVERY[name](*panel.known_at(origin, HORIZON), HORIZON)

    def test_ignores_what_comes_after_the_origin(self, name, frame):
        is_later = frame["week"] >= pd.Timestamp(FIRST + 36 * WEEK)
        changed = frame.assign(
            units=frame["units"].where(~is_later, 12345.0),
            display=frame["display"].where(~is_later, 0.9),
        )

        np.testing.assert_array_equal(
            self.forecast(name, changed, 36), self.forecast(name, frame, 36)
        )

    def test_ignores_the_order_of_rows_and_threads(self, name, frame):
        with threadpool_limits(limits=2):
            shuffled = self.forecast(name, frame.sample(frac=1, random_state=0))

        np.testing.assert_array_equal(shuffled, self.forecast(name, frame))

    def test_follows_the_unit(self, name, frame):
        scaled = frame.assign(units=frame["units"] * 128)
        # Support vectors are searched for until they are about right.
        tolerance = 1e-3 if name == "support_vectors" else 1e-6

        np.testing.assert_allclose(
            self.forecast(name, scaled), 128 * self.forecast(name, frame), rtol=tolerance
        )

    def test_knows_constant_and_zero_series(self, name, frame):
        units = frame["units"].mask(frame["series"] == "s02", 0).mask(frame["series"] == "s03", 50)

        forecast = self.forecast(name, frame.assign(units=units))

        if name != "seasonal_naive":
            assert (forecast >= 0).all()
            assert (forecast[2] < 1).all()
            # The rhythm of the month is shared, and what is learned of all is meant for each.
            assert (np.abs(forecast[3] - 50) < 20).all()
            if "month" not in name and name in report.LADDER:
                np.testing.assert_allclose(forecast[2:4], [[0] * 4, [50] * 4], atol=1e-9)

    def test_takes_one_series_of_one_week(self, name, frame):
        forecast = self.forecast(name, frame.head(1), 1)

        known = {"mean_of_last_4", "naive", "smoothing", "damped_trend"}
        if name.removeprefix("month_") in known:
            np.testing.assert_allclose(forecast, np.full((1, 4), frame["units"][0]), rtol=0.1)
        else:
            assert np.isnan(forecast).all()


class TestTrials:
    def test_errors_and_scales_by_hand(self):
        weeks = pd.to_datetime(FIRST + np.arange(16) * WEEK)
        units = [2.0, 4] * 6 + [10, 0, 2, 4]
        frame = pd.DataFrame({"series": "a", "group": "g", "week": weeks, "units": units})
        naive = {"naive": report.LADDER["naive"]}

        trials = evaluation.try_out(Panel.from_frame(frame), naive, origins=[12, 16], horizon=3)

        assert trials.scale[0, 0] == 2
        np.testing.assert_array_equal(trials.actual[0, 0], [10, 0, 2])
        np.testing.assert_array_equal(trials.scaled_errors[0, 0, 0], [3, 2, 1])
        assert np.isnan(trials.actual[1]).all()
        # The 12 weeks; of all 16, 13 changes in the last 14 weeks.
        np.testing.assert_allclose(trials.recent_change[:, 0], [2, (9 * 2 + 6 + 10 + 2 + 2) / 13])

    def test_changes_of_days_are_from_the_same_weekday(self):
        rows = np.concatenate([[1.0, 2, 3, 4, 5, 6, 7], [3.0, 2, 3, 4, 5, 6, 0], np.ones(7)])

        # Two weeks apart: 2 + 7, and 2 + 1 + 2 + 3 + 4 + 5 + 1.
        np.testing.assert_allclose(evaluation.naive_scale(rows[None], 7), (9 + 18) / 14)
        late = np.where(np.arange(21) < 14, np.nan, rows)[None]
        assert np.isnan(evaluation.naive_scale(late, 7)).all()
        assert evaluation.recent_changes(late, 7) == 0

    def test_short_and_constant_series_have_no_scale(self, frame):
        units = frame["units"].mask(frame["series"] == "s02", 50)
        late = frame.assign(units=units)[(frame["series"] != "s01") | (frame.index % 40 >= 30)]

        trials = evaluation.try_out(Panel.from_frame(late), SIMPLE, origins=[36, 40])

        assert np.isnan(trials.scale[:, 1:3]).all()
        assert not np.isnan(np.delete(trials.scale, [1, 2], axis=1)).any()

    @pytest.mark.parametrize(
        ("methods", "origins", "message"),
        [({}, [30], "nothing"), (SIMPLE, [], "nothing"), (SIMPLE, [30, 30], "ascend")],
    )
    def test_refuses(self, panel, methods, origins, message):
        with pytest.raises(ValueError, match=message):
            evaluation.try_out(panel, methods, origins=origins)

    def test_nothing_is_learned_from_weeks_to_come(self, panel):
        origins = list(range(14, 40, 2))
        changed = replace(panel, demand=panel.demand.copy(), exposures=panel.exposures.copy())
        changed.demand[:, 30:] = np.random.default_rng(9).gamma(1, 500, (8, 10))
        changed.exposures[:, 30:] = 0.77
        found = []
        for version in (panel, changed):
            trials = evaluation.try_out(version, QUICK, origins=origins)
            trials = evaluation.with_combination(trials, evaluation.best_methods(trials))
            choice = evaluation.choose(trials)
            chosen = evaluation.chosen_forecasts(trials, choice)
            widths = evaluation.half_widths(trials, chosen)
            until = [place for place, origin in enumerate(origins) if origin <= 30]
            found.append((trials.forecasts[:, until], choice[until], widths[:, until]))
            assert not np.isnan(widths[0, until[-1]]).any()

        for before, after in zip(*found, strict=True):
            np.testing.assert_array_equal(before, after)


def trials_of(errors, *, groups=None, horizon=2) -> Trials:
    """Trials in which each method is off by a given number, per method, origin and series."""
    errors = np.array(errors, dtype=float)
    n_methods, n_origins, n_series = errors.shape
    actual = np.full((n_origins, n_series, horizon), 100.0)
    names = np.array([f"s{place}" for place in range(n_series)], dtype=object)
    return Trials(
        tuple(f"m{place}" for place in range(n_methods)),
        tuple(range(20, 20 + n_origins)),
        names,
        np.full(n_series, "g", dtype=object) if groups is None else np.array(groups, dtype=object),
        actual + errors[..., None],
        actual,
        np.ones((n_origins, n_series)),
        np.ones((n_origins, n_series)),
    )


class TestChoice:
    def test_simplest_within_one_standard_error(self):
        rng = np.random.default_rng(0)
        base = rng.uniform(2, 3, (10, 6))
        excess = np.array([0.3, -0.1, 0.2, 0.1, -0.2, 0.3])
        # The second is better by .1 with a standard error of .085, the third by .3 everywhere.
        close = trials_of([base, base - excess])
        clear = trials_of([base, base - excess, base - 0.3])

        assert set(evaluation.choose(close)[-1]) == {1}
        assert set(evaluation.choose(clear)[-1]) == {2}
        assert set(evaluation.choose(trials_of([base, base - excess + 0.05]))[-1]) == {0}

    def test_waits_for_four_origins_that_have_passed(self):
        trials = trials_of([np.full((10, 6), 2.0), np.full((10, 6), 1.0)])

        choice = evaluation.choose(trials)

        # The weeks of four forecasts of two weeks have passed at the sixth origin.
        np.testing.assert_array_equal(choice[:, 0], [0] * 5 + [1] * 5)

    def test_groups_choose_for_themselves_if_they_are_large(self):
        errors = np.full((2, 10, 13), 2.0)
        errors[1, :, :10] = 1.0
        errors[1, :, 5:10] = 3.0
        trials = trials_of(errors, groups=["a"] * 5 + ["b"] * 5 + ["c"] * 3)

        choice = evaluation.choose(trials)[-1]

        assert list(choice) == [1] * 5 + [0] * 5 + [0] * 3

    def test_leaves_out_methods_that_cannot_forecast_all(self):
        trials = trials_of([np.full((10, 6), 2.0), np.full((10, 6), 1.0)])
        trials.forecasts[1, -1, 3] = np.nan

        choice = evaluation.choose(trials)

        assert set(choice[-1]) == {0}
        assert set(choice[-2]) == {1}

    def test_series_without_scale_have_the_simplest(self):
        trials = trials_of([np.full((10, 6), 2.0), np.full((10, 6), 1.0)])
        trials.scale[:, 2] = np.nan

        assert list(evaluation.choose(trials)[-1]) == [1, 1, 0, 1, 1, 1]
        best = evaluation.best_methods(trials, 1)[:, -1]
        np.testing.assert_array_equal(best.argmax(axis=0), [1, 1, 0, 1, 1, 1])
        assert (best.sum(axis=0) == 1).all()

    def test_combines_the_best_so_far(self):
        errors = np.ones((4, 10, 3)) * np.array([4.0, 1.0, 3.0, 2.0])[:, None, None]
        trials = trials_of(errors)

        best = evaluation.best_methods(trials, 2)
        combined = evaluation.with_combination(trials, best)

        assert combined.methods[-1] == evaluation.COMBINATION
        # All of them before there are errors, then the second and the fourth.
        assert best[:, :2].all()
        assert (best[:, 2:] == np.array([0, 1, 0, 1], dtype=bool)[:, None, None]).all()
        np.testing.assert_allclose(combined.forecasts[-1, :2], 102.5)
        np.testing.assert_allclose(combined.forecasts[-1, 2:], 101.5)
        with pytest.raises(ValueError, match="n_best"):
            evaluation.best_methods(trials, 0)

    def test_groups_have_their_own_best_if_they_are_large(self):
        errors = np.full((2, 10, 13), 2.0)
        errors[1, :, :10] = 1.0
        errors[1, :, 5:10] = 2.5
        trials = trials_of(errors, groups=["a"] * 5 + ["b"] * 5 + ["c"] * 3)

        best = evaluation.best_methods(trials, 1)[:, -1]

        # All series together err less with the second method.
        np.testing.assert_array_equal(best.argmax(axis=0), [1] * 5 + [0] * 5 + [1] * 3)

    def test_the_best_can_forecast_all(self):
        trials = trials_of([np.full((10, 6), 2.0), np.full((10, 6), 1.0)])
        trials.forecasts[1, -1, 3] = np.nan

        best = evaluation.best_methods(trials, 1)

        assert best[0, -1].all()
        assert best[1, -2].all()


class TestIntervals:
    def test_quantiles_by_hand(self):
        errors = np.arange(1.0, 20)[:, None]

        # Of 19 errors and one to come, 80 % are 16 and 95 % are 19.
        np.testing.assert_array_equal(
            evaluation.conformal_quantiles(errors, [0.8, 0.95, 0.96]), [16, 19, np.nan]
        )
        np.testing.assert_array_equal(
            evaluation.conformal_quantiles(errors[:4], [0.8, 0.95]), [4, np.nan]
        )
        assert np.isnan(evaluation.conformal_quantiles(errors[:0], [0.8])).all()
        # However many series, three origins are too few.
        assert np.isnan(evaluation.conformal_quantiles(np.ones((3, 100)), [0.8])).all()

    def test_series_of_an_origin_count_as_four_observations(self):
        errors = np.arange(1.0, 1001).reshape(10, 100)

        # .8 · 41 / 40 of 1000 errors, and not the largest for .95.
        np.testing.assert_array_equal(
            evaluation.conformal_quantiles(errors, [0.8, 0.95]), [820, 974]
        )

    def test_widths_are_of_the_group_and_in_its_unit(self):
        errors = np.ones((1, 25, 8))
        errors[..., 4:] = 3
        trials = trials_of(errors, groups=["a"] * 4 + ["b"] * 4)
        expected = 1 + 0.1 * trials.forecasts[0, -1, :, 0] + 1

        widths = evaluation.half_widths(trials, trials.forecasts[0])
        np.testing.assert_allclose(widths[0, -1, :, 0], [1] * 4 + [3] * 4)
        # Before 60 errors are known, they are those of all groups.
        np.testing.assert_allclose(widths[0, 10, :, 0], 3 * expected / expected[-1])
        assert np.isnan(widths[:, :5]).all()

    def test_widths_follow_recent_changes(self):
        trials = trials_of(np.ones((1, 25, 8)))
        changing = replace(trials, recent_change=trials.recent_change * np.array([1, 8] * 4))

        widths = evaluation.half_widths(changing, trials.forecasts[0])

        # The same error is less, of a series that changes more.
        expected = np.array([1, 8] * 4) + 10.1 + 1
        np.testing.assert_allclose(widths[0, -1, :, 0], expected / expected[0])

    def test_out_of_season_little_is_likely(self):
        rng = np.random.default_rng(0)
        frame = simulate(n_series=40, n_weeks=60, groups=1)
        seasonal = np.where(np.arange(60) < 45, rng.integers(100, 700, 60), rng.poisson(4, 60))
        units = frame["units"].where(frame["series"] != "s00", np.tile(seasonal, 40))

        found = shipped(report.forecast_demand(Panel.from_frame(frame.assign(units=units)), SIMPLE))

        found = found[found["series"] == "s00"]
        # Less even than what it changed on average in all weeks.
        assert found["upper_95"].lt(found["scale"]).all()

    def test_cover_what_they_are_to_cover(self):
        panel = Panel.from_frame(simulate(n_series=40, n_weeks=90, seed=3, groups=4))
        trials = evaluation.try_out(panel, SIMPLE, origins=range(40, 87))
        chosen = evaluation.chosen_forecasts(trials, evaluation.choose(trials))
        widths = evaluation.half_widths(trials, chosen)

        held = (np.abs(chosen - trials.actual) <= widths)[:, 27:].mean(axis=(1, 2, 3))

        assert 0.76 < held[0] < 0.86
        assert 0.93 < held[1] <= 1


amounts = st.lists(st.floats(0, 1e6), min_size=1, max_size=12)


class TestCoherence:
    @given(values=amounts, total=st.integers(0, 10**9), n_groups=st.integers(1, 4))
    @settings(max_examples=150, deadline=None)
    def test_whole_units_add_up(self, values, total, n_groups):
        group = np.sort(np.arange(len(values)) % n_groups)
        totals = np.full((group.max() + 1, 1), total)
        column = np.array(values)[:, None]

        whole = coherence.round_to_totals(column, group, totals)

        np.testing.assert_array_equal(np.bincount(group, whole[:, 0]), totals[:, 0])
        exact = coherence.reconcile(column, group, totals.astype(float))
        assert (whole >= 0).all()
        assert (np.abs(whole - exact) < 1 + 1e-5).all()

    def test_largest_remainders_win_and_the_first_of_equals(self):
        group = np.zeros(4, dtype=np.int64)
        values = np.array([[1.5, 1.0], [1.5, 1.0], [2.7, 1.0], [0.3, 0.0]])

        whole = coherence.round_to_totals(values, group, np.array([[6, 5]]))

        np.testing.assert_array_equal(whole, [[2, 2], [1, 2], [3, 1], [0, 0]])

    def test_whole_values_stay(self):
        values = np.array([[3.0], [7.0], [0.0], [5.0]])
        group = np.array([0, 0, 1, 1])

        whole = coherence.round_to_totals(values, group, np.array([[10], [5]]))

        np.testing.assert_array_equal(whole, values)

    def test_stretches_to_totals(self):
        forecasts = np.array([[1.0, 0.0], [3.0, 0.0], [2.0, 2.0]])

        stretched = coherence.reconcile(
            forecasts, np.array([0, 0, 1]), np.array([[8.0, 5.0], [3.0, 0.0]])
        )

        np.testing.assert_allclose(stretched, [[2, 2.5], [6, 2.5], [3, 0]])

    def test_halves_go_up(self):
        np.testing.assert_array_equal(coherence.whole_units(np.array([0.5, 1.5, 2.4])), [1, 2, 2])

    @pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
    def test_refuses_what_is_no_amount(self, bad):
        group, totals = np.zeros(1, dtype=np.int64), np.ones((1, 1))
        with pytest.raises(ValueError, match="amounts"):
            coherence.reconcile(np.array([[bad]]), group, totals)
        with pytest.raises(ValueError, match="amounts"):
            coherence.reconcile(totals, group, np.array([[bad]]))
        with pytest.raises(ValueError, match="amounts"):
            coherence.weekday_profile(np.full((1, 7), bad))

    def test_profile_of_the_last_weeks(self):
        daily = np.array([[100.0] * 7 + [1, 0, 0, 0, 0, 0, 1] + [2, 0, 0, 0, 0, 0, 0], [0.0] * 21])

        profile = coherence.weekday_profile(daily, 2)

        np.testing.assert_allclose(profile, [[0.75, 0, 0, 0, 0, 0, 0.25], [1 / 7] * 7])

    @pytest.mark.parametrize(("n_days", "n_weeks"), [(0, 1), (8, 1), (7, 0)])
    def test_refuses_profiles_of_broken_weeks(self, n_days, n_weeks):
        with pytest.raises(ValueError, match=r"whole weeks|at least"):
            coherence.weekday_profile(np.ones((1, n_days)), n_weeks)

    @given(week=st.lists(st.integers(0, 10**6), min_size=1, max_size=4), seed=st.integers(0, 99))
    @settings(max_examples=50, deadline=None)
    def test_days_add_up(self, week, seed):
        weekly = np.array([week, week[::-1]])
        profile = coherence.weekday_profile(np.random.default_rng(seed).random((2, 14)))

        days = coherence.spread_over_days(weekly, profile)

        np.testing.assert_array_equal(days.sum(axis=2), weekly)
        assert (np.abs(days - weekly[..., None] * profile[:, None]) < 1 + 1e-5).all()


def daily_of(frame: pd.DataFrame, n_days=7) -> pd.DataFrame:
    """Demand by group and day; Sundays have three times as much as other days."""
    weekly = frame.groupby(["group", "week"], as_index=False)["units"].sum()
    days = weekly.loc[weekly.index.repeat(n_days)].reset_index(drop=True)
    day = np.tile(np.arange(n_days), len(weekly))
    return days.assign(
        date=days["week"] + pd.to_timedelta(day, unit="D"),
        units=days["units"] * np.where(day == 6, 3, 1) / 9,
    )


class TestReport:
    def test_describes_each_series_and_week(self, panel, outcome):
        table = shipped(outcome)

        assert len(table) == 8 * HORIZON
        assert not table.duplicated(["series", "week"]).any()
        assert set(table["status"]) == {"forecast"}
        made_by = table["made_by"].str.split(", ").explode()
        assert set(made_by) <= set(QUICK)
        assert table["made_by"].str.count(",").eq(2).all()
        assert set(table["earlier_origins"]) == {16}
        assert table["actual"].isna().all()
        assert table["week"].min() == pd.Timestamp(panel.weeks[-1] + WEEK)
        assert table.groupby("week")["weeks_ahead"].nunique().eq(1).all()
        assert table["lower_80"].le(table["forecast"]).all()
        assert table["forecast"].le(table["upper_80"]).all()
        assert table["lower_80"].ge(0).all()

    def test_is_coherent(self, outcome):
        keys = ["group", "week"]
        sums = shipped(outcome).groupby(keys)[["forecast", "whole_forecast"]].sum()
        groups = shipped(outcome, "group").set_index(keys).loc[sums.index]

        np.testing.assert_allclose(sums["forecast"], groups["forecast"], atol=1e-5)
        np.testing.assert_array_equal(sums["whole_forecast"], groups["whole_forecast"])
        assert (np.abs(groups["whole_forecast"] - groups["forecast"]) <= 0.5).all()

    def test_tells_every_method_beside_what_came(self, panel, outcome):
        keys = ["level", "series", "origin_date", "method", "week"]
        assert not outcome.duplicated(keys).any()
        assert outcome.dtypes.astype(str).to_dict() == report.COLUMNS
        judged = outcome[outcome["is_judged"]]
        # What ships of groups is told at all origins, since their days learn from it.
        others = outcome[~outcome["is_judged"] & ~outcome["is_newest"]]
        assert set(zip(others["level"], others["method"], strict=True)) == {("group", "chosen")}
        assert others["origin_date"].nunique() == 16 - 6
        of_series = judged[judged["level"] == "series"].set_index("method")
        of_groups = judged[judged["level"] == "group"].set_index("method")
        names = {*QUICK, evaluation.COMBINATION, report.CHOSEN}
        assert set(of_series.index) == names
        assert set(of_groups.index) == {
            *report.LADDER,
            evaluation.COMBINATION,
            report.BOTTOM_UP,
            report.DIRECT,
            report.CHOSEN,
        }
        assert of_series.index.value_counts().eq(6 * 8 * HORIZON).all()
        assert of_series.loc["seasonal_naive", "forecast"].isna().all()
        errors = (of_series["forecast"] - of_series["actual"]).abs() / of_series["scale"]
        mase = errors.groupby(level=0).mean()
        assert mase["chosen"] < mase["naive"]
        assert (judged["week"] >= judged["origin_date"]).all()
        # The seventh week from the end, as it came.
        row = judged[(judged["week"] == panel.weeks[-7].astype(str)) & (judged["series"] == "s03")]
        assert set(row["actual"]) == {panel.demand[3, -7]}

    def test_judges_what_would_have_shipped(self, frame, outcome):
        origin = pd.Timestamp(FIRST + 34 * WEEK)
        past = frame[frame["week"] < origin]
        then = shipped(
            report.forecast_demand(
                Panel.from_frame(past, exposures=["display"]), QUICK, n_origins=10
            )
        )

        told = outcome[(outcome["origin_date"] == origin) & (outcome["method"] == report.CHOSEN)]
        told = told[told["level"] == "series"].reset_index(drop=True)

        # The same origins lie before it, since those of the report begin with week 21.
        columns = ["series", "week", "made_by", "earlier_origins", "forecast", "upper_80", "scale"]
        pd.testing.assert_frame_equal(told[columns], then[columns])
        assert told["actual"].notna().all()

    def test_ignores_the_order_of_rows(self, frame, outcome):
        shuffled = Panel.from_frame(frame.sample(frac=1, random_state=5), exposures=["display"])

        again = report.forecast_demand(shuffled, QUICK, n_origins=16)

        pd.testing.assert_frame_equal(again, outcome, check_exact=True)

    def test_compares_what_never_ships(self, panel, outcome):
        compared = {"perfect": lambda history, _, horizon: np.full((len(history), horizon), 7.0)}

        found = report.forecast_demand(panel, QUICK, compared=compared, n_origins=16)

        more = found[found["method"] == "perfect"]
        assert len(more) == 6 * 8 * HORIZON
        assert more["forecast"].eq(7).all()
        assert not more["is_newest"].any()
        rest = found[found["method"] != "perfect"].reset_index(drop=True)
        pd.testing.assert_frame_equal(rest, outcome)

    def test_says_what_was_done_instead(self, frame):
        units = frame["units"].mask(frame["series"] == "s02", 0).mask(frame["series"] == "s03", 50)
        rows = frame.assign(units=units)[(frame["series"] != "s01") | (frame.index % 40 >= 35)]

        found = report.forecast_demand(Panel.from_frame(rows), SIMPLE, n_origins=16)
        found = shipped(found)

        status = found.groupby("series")["status"].unique().explode().to_dict()
        assert status["s01"] == "short"
        assert status["s02"] == "zero"
        assert status["s03"] == "constant"
        assert set(list(status.values())[4:]) == {"forecast"}
        instead = found[found["status"] != "forecast"]
        assert set(instead["made_by"]) == {"mean_of_last_4"}
        assert instead[["lower_80", "upper_95"]].isna().all(axis=None)
        assert found.loc[found["status"] == "zero", "whole_forecast"].eq(0).all()

    @pytest.mark.parametrize("n_weeks", [1, 3, 5, 13])
    def test_takes_little_history(self, frame, n_weeks):
        rows = frame[(frame.index % 40 < n_weeks) & (frame["series"] == "s00")]

        found = shipped(report.forecast_demand(Panel.from_frame(rows), QUICK))

        expected = "short" if n_weeks < 12 else "forecast"
        assert set(found["status"]) == {expected}
        assert found["lower_80"].isna().all()
        assert found["forecast"].notna().all()
        if n_weeks < 12:
            np.testing.assert_allclose(found["forecast"], rows["units"].tail(4).mean(), atol=1e-6)

    def test_takes_a_shop_that_sold_nothing(self, frame):
        panel = Panel.from_frame(frame.assign(units=0.0))

        found = report.forecast_demand(panel, QUICK, n_origins=8)

        assert shipped(found)["forecast"].eq(0).all()
        assert set(shipped(found)["status"]) == {"zero"}
        assert found["scale"].isna().all()

    def test_prefers_a_better_forecast_of_the_group(self):
        # The series of a group move against each other; their sum hardly moves at all.
        rng = np.random.default_rng(0)
        n_weeks = 60
        share = 0.5 + 0.45 * np.sin(np.cumsum(rng.normal(0, 1.5, n_weeks)))
        total = 1000 + rng.normal(0, 5, n_weeks)
        frame = pd.DataFrame(
            {
                "series": np.repeat(["a", "b"], n_weeks),
                "group": "g",
                "week": np.tile(pd.to_datetime(FIRST + np.arange(n_weeks) * WEEK), 2),
                "units": np.concatenate([total * share, total * (1 - share)]),
            }
        )
        # A forecaster of parts that always errs in one direction.
        biased = {"biased": lambda history, _, horizon: np.repeat(history[:, -1:], horizon, 1) * 2}

        found = report.forecast_demand(
            Panel.from_frame(frame), biased, group_forecasters=SIMPLE, n_origins=20
        )

        groups = shipped(found, "group")
        made_by = set(", ".join(groups["made_by"]).split(", "))
        assert made_by <= set(SIMPLE)
        sums = shipped(found).groupby("week")["forecast"].sum().to_numpy()
        np.testing.assert_allclose(sums, 1000, rtol=0.03)
        np.testing.assert_allclose(sums, groups["forecast"], atol=1e-5)

    @pytest.mark.parametrize("argument", ["horizon", "n_origins", "n_judged"])
    def test_refuses_arguments_out_of_range(self, panel, argument):
        with pytest.raises(ValueError, match=argument):
            report.forecast_demand(panel, SIMPLE, **{argument: 0})


class TestDays:
    @pytest.fixture
    def groups(self, outcome) -> pd.DataFrame:
        """What ships, at all origins."""
        is_wanted = (outcome["level"] == "group") & (outcome["method"] == report.CHOSEN)
        return outcome[is_wanted]

    def forecast(self, groups, daily, **options) -> pd.DataFrame:
        """What ships now."""
        found = days.forecast_days(groups, daily, **options)
        return found[found["is_newest"]].reset_index(drop=True)

    def test_add_up_to_the_week(self, frame, groups):
        found = self.forecast(groups, daily_of(frame))

        assert len(found) == 2 * HORIZON * 7
        assert (found["date"] - found["week"]).dt.days.tolist() == [*range(7)] * 8
        assert found["days_ahead"].tolist() == [*range(1, 29)] * 2
        sums = found.groupby(["group", "week"])[["forecast", "whole_forecast", "share"]].sum()
        now = groups[groups["is_newest"]].set_index(["group", "week"]).loc[sums.index]
        np.testing.assert_allclose(sums["forecast"], now["forecast"], atol=1e-5)
        np.testing.assert_array_equal(sums["whole_forecast"], now["whole_forecast"])
        is_sunday = found["date"].dt.day_name() == "Sunday"
        np.testing.assert_allclose(found["share"], np.where(is_sunday, 3 / 9, 1 / 9), atol=1e-6)

    def test_look_at_the_last_weeks_only(self, frame, groups):
        daily = daily_of(frame)
        last = groups["origin_date"].max() - pd.Timedelta(weeks=2)
        changed = daily.assign(units=daily["units"].where(daily["date"] >= last, 7.0))
        later = daily.tail(1).assign(date=groups["week"].max())
        columns = ["group", "date", "share", "forecast", "whole_forecast"]

        found = self.forecast(
            groups, pd.concat([changed, later]).sample(frac=1, random_state=0), n_weeks=2
        )

        expected = self.forecast(groups, daily, n_weeks=2)
        pd.testing.assert_frame_equal(found[columns], expected[columns])

    def test_stand_beside_the_mean_of_the_weekday(self, frame, groups):
        daily = daily_of(frame)
        start = groups["origin_date"].max()
        recent = daily[daily["date"] >= start - pd.Timedelta(weeks=4)]
        recent = recent.assign(weekday=recent["date"].dt.day_of_week)

        found = self.forecast(groups, daily)

        means = recent.groupby(["group", "weekday"])["units"].mean()
        keys = pd.MultiIndex.from_arrays([found["group"], found["date"].dt.day_of_week])
        np.testing.assert_allclose(found["baseline"], means.loc[keys], atol=1e-6)

    def test_judge_what_would_have_shipped(self, frame, groups):
        daily = daily_of(frame)
        origin = groups.loc[groups["is_judged"], "origin_date"].max()
        past = groups[groups["origin_date"] <= origin]
        past = past.assign(
            is_newest=past["origin_date"] == origin,
            whole_forecast=past["forecast"].round().astype("Int64"),
        )
        then = self.forecast(past, daily[daily["date"] < origin])

        told = days.forecast_days(groups, daily)

        assert set(told["origin_date"]) == set(
            groups.loc[groups["is_judged"] | groups["is_newest"], "origin_date"]
        )
        told = told[told["origin_date"] == origin].reset_index(drop=True)
        unknown = ["is_newest", "whole_forecast", "actual"]
        pd.testing.assert_frame_equal(told.drop(columns=unknown), then.drop(columns=unknown))
        assert then["actual"].isna().all()
        assert then["upper_80"].notna().all()
        came = daily.set_index(["group", "date"])["units"]
        keys = pd.MultiIndex.from_frame(told[["group", "date"]])
        np.testing.assert_allclose(told["actual"], came.loc[keys], atol=1e-6)

    def test_intervals_hold_what_they_are_to_hold(self):
        rng = np.random.default_rng(0)
        frame = simulate(n_series=40, n_weeks=90, seed=3, groups=20)
        outcome = report.forecast_demand(Panel.from_frame(frame), SIMPLE, n_origins=40, n_judged=15)
        is_wanted = (outcome["level"] == "group") & (outcome["method"] == report.CHOSEN)
        daily = daily_of(frame)
        daily["units"] = rng.poisson(daily["units"])

        found = days.forecast_days(outcome[is_wanted], daily)

        assert found["lower_95"].le(found["lower_80"]).all()
        assert found["lower_80"].le(found["forecast"]).all()
        assert found["upper_80"].le(found["upper_95"]).all()
        judged = found[~found["is_newest"]]
        for level, least, most in (("80", 0.75, 0.87), ("95", 0.92, 0.985)):
            held = judged["actual"].between(judged[f"lower_{level}"], judged[f"upper_{level}"])
            assert least < held.mean() < most

    def test_of_groups_without_a_scale_have_no_interval(self, frame, groups):
        is_short = groups["group"] == "g1"
        scale = groups["scale"].mask(is_short & groups["is_newest"])

        found = self.forecast(groups.assign(scale=scale), daily_of(frame))

        is_short = found["group"] == "g1"
        assert found.loc[is_short, ["scale", "lower_80", "upper_95"]].isna().all(axis=None)
        assert found.loc[~is_short, ["scale", "lower_80", "upper_80"]].notna().all(axis=None)

    def test_are_even_without_demand(self, frame, groups):
        found = self.forecast(groups, daily_of(frame).head(0))

        np.testing.assert_allclose(found["share"], 1 / 7, atol=1e-6)
        assert found[["baseline", "lower_80"]].isna().all(axis=None)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda daily: pd.concat([daily, daily.tail(1)]), "duplicate"),
            (lambda daily: daily.assign(units=-1.0), "below 0"),
            (lambda daily: daily.assign(units=np.nan), "null"),
            (lambda daily: daily.assign(date=pd.NaT, group=daily.index.astype(str)), "nulls"),
        ],
    )
    def test_refuse(self, frame, groups, change, message):
        with pytest.raises(ValueError, match=message):
            days.forecast_days(groups, change(daily_of(frame)))

    def test_refuse_weeks_that_are_missing(self, frame, groups):
        with pytest.raises(ValueError, match="lacks a week"):
            days.forecast_days(groups.iloc[1:], daily_of(frame))


def weeks_of(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows as the warehouse has them."""
    names = {"group": "department", "week": "week_start_date", "display": "display_share"}
    return frame.rename(columns=names).assign(mailer_share=0.0)


class TestTables:
    def forecasts(self, frame: pd.DataFrame, **changes) -> pd.DataFrame:
        options = {
            "methods": ["ridge", "smoothing"],
            "compared_methods": ["naive", "smoothing"],
            "horizon": HORIZON,
            "n_origins": 12,
            "n_judged": 2,
        }
        return tables.category_forecasts(weeks_of(frame), **{**options, **changes})

    def test_names_levels_and_columns_as_the_warehouse_does(self, frame):
        found = self.forecasts(frame)

        assert set(found["level"]) == {"category", "department"}
        of_series = found[found["level"] == "category"]
        assert set(of_series["department"]) == {"g0", "g1"}
        assert {"department", "week_start_date"} <= set(found.columns)
        # The baseline is there unasked, and what ships is not compared once more.
        assert set(of_series["method"]) == {
            "mean_of_last_4",
            "smoothing",
            "ridge",
            "naive",
            evaluation.COMBINATION,
            report.CHOSEN,
        }
        assert "naive" not in " ".join(of_series["made_by"].dropna())

    def test_take_every_forecaster(self, frame):
        found = self.forecasts(frame, compared_methods=list(report.FORECASTERS), n_judged=1)

        assert set(report.FORECASTERS) <= set(found["method"])

    def test_refuse_unknown_methods(self, frame):
        with pytest.raises(ValueError, match="unknown methods: magic"):
            self.forecasts(frame, methods=["magic"])

    def test_are_empty_where_nothing_was_sold(self, frame):
        found = self.forecasts(frame)
        empty = self.forecasts(frame.head(0))

        assert empty.empty
        pd.testing.assert_series_equal(empty.dtypes, found.dtypes)
        sold = frame.head(0).rename(columns={"group": "department", "week": "order_date"})
        of_days = tables.department_days(empty, sold)
        assert of_days.empty
        assert "forecast_date" in of_days

    def test_departments_are_spread_over_days(self, frame):
        found = self.forecasts(frame)
        ships = found[(found["level"] == "department") & (found["method"] == report.CHOSEN)]
        sold = daily_of(frame).rename(columns={"group": "department", "date": "order_date"})

        of_days = tables.department_days(ships, sold)

        now = of_days[of_days["is_newest"]]
        sums = now.groupby(["department", "week_start_date"])["whole_forecast"].sum()
        expected = ships[ships["is_newest"]].set_index(["department", "week_start_date"])
        np.testing.assert_array_equal(sums, expected.loc[sums.index, "whole_forecast"])
        empty = tables.department_days(ships.head(0), sold)
        pd.testing.assert_series_equal(of_days.dtypes, empty.dtypes)
