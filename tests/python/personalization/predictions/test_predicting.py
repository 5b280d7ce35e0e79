from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
import pandas as pd
import pytest
from customer_shop import cutoffs, history, orders, simulated_orders

from personalization.predictions.contributions import CAUSES
from personalization.predictions.ladders import Candidate, Target, targets
from personalization.predictions.lifetimes import NotFittedError
from personalization.predictions.predicting import SCORED, Forecasts, History
from personalization.predictions.propensity import LADDER, Predictor, Rung

FEATURES = [column for columns in CAUSES.values() for column in columns]
INTERVAL = pd.Timedelta(days=28)
FIRST = pd.Timestamp("2017-01-01").as_unit("us")


def planted(
    n_customers: int = 60, n_cutoffs: int = 9, *, signal: float = 1.0, seed: int = 0
) -> History:
    """Customers who spend 50 plus a feature, as far as there is a signal, plus noise."""
    rng = np.random.default_rng(seed)
    keys = [
        (f"c{customer:03d}", FIRST + step * INTERVAL)
        for step in range(n_cutoffs)
        for customer in range(n_customers)
    ]
    table = pd.DataFrame(keys, columns=["customer_id", "as_of_date"])
    table[FEATURES] = rng.gamma(2.0, 5.0, (len(table), len(FEATURES)))
    spent = 50 + signal * table["recency_days"] + rng.normal(0, 2, len(table))
    table["spent"] = spent.round(2).where(is_over(table, 28, table["as_of_date"].max()))
    return History(table, FEATURES)


def is_over(table: pd.DataFrame, days: int, cutoff: pd.Timestamp) -> pd.Series:
    return table["as_of_date"] + pd.Timedelta(days=days) <= cutoff


def until(past: History, cutoff: pd.Timestamp, outcomes: dict[str, int]) -> History:
    """What was there at a cutoff."""
    table = past.table[past.table["as_of_date"] <= cutoff].copy()
    for outcome, days in outcomes.items():
        table[outcome] = table[outcome].where(is_over(table, days, cutoff))
    return History(table, past.features)


def fit_line(features: pd.DataFrame, outcome: np.ndarray, _: pd.DataFrame) -> Predictor:
    slope, height = np.polyfit(features["recency_days"], outcome, 1)
    return lambda rows: slope * rows["recency_days"].to_numpy() + height


def fit_mean(features: pd.DataFrame, outcome: np.ndarray, _: pd.DataFrame) -> Predictor:
    del features
    mean = float(outcome.mean())
    return lambda rows: np.full(len(rows), mean)


def fit_nothing(*_: object) -> Predictor:
    raise NotFittedError("nobody is like that")


FIFTY = Candidate("fifty", lambda *_: lambda rows: np.full(len(rows), 50.0), learns=False)
MEAN, LINE = Candidate("mean", fit_mean), Candidate("line", fit_line)
FAILING = Candidate("failing", fit_nothing)


def target(*candidates: Candidate, days: int = 28) -> Target:
    return Target("spend", "spent", days, candidates or (FIFTY, MEAN, LINE))


@dataclass
class Spy:
    """A model that remembers what it was fitted to and asked about."""

    inner: Candidate
    seen: list[pd.DataFrame] = field(default_factory=list)
    today: list[pd.DataFrame] = field(default_factory=list)
    asked: list[tuple[int, pd.DataFrame]] = field(default_factory=list)

    @property
    def candidate(self) -> Candidate:
        return replace(self.inner, fit=self.fit)

    def fit(self, features, outcome, today) -> Predictor:
        number = len(self.seen)
        self.seen.append(features)
        self.today.append(today)
        predict = self.inner.fit(features, outcome, today)

        def asked(rows: pd.DataFrame) -> np.ndarray:
            self.asked.append((number, rows))
            return predict(rows)

        return asked


def said_of(table: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """What a back-test said of a cutoff, before it knew what came true."""
    rows = table[table["as_of_date"] == cutoff].drop(columns="actual")
    return rows.sort_values(["model", "customer_id"]).reset_index(drop=True)


def one(values: Sequence) -> object:
    (value,) = set(values)
    return value


class TestTime:
    @pytest.mark.parametrize("days", [28, 56, 91])
    def test_nothing_at_or_after_a_cutoff_changes_what_is_said_of_it(self, days):
        past = planted(n_cutoffs=10)
        cutoff, rng = past.cutoffs[4], np.random.default_rng(1)
        changed = past.table.copy()
        is_later = changed["as_of_date"] > cutoff
        changed.loc[is_later, FEATURES] = rng.gamma(2.0, 50.0, (is_later.sum(), len(FEATURES)))
        is_open = ~is_over(changed, days, cutoff) & changed["spent"].notna()
        changed.loc[is_open, "spent"] = rng.gamma(2.0, 500.0, is_open.sum())
        before = Forecasts(past, target(days=days)).backtest(9)
        after = Forecasts(History(changed, FEATURES), target(days=days)).backtest(9)
        pd.testing.assert_frame_equal(said_of(before, cutoff), said_of(after, cutoff))
        assert one(said_of(before, cutoff)["is_judged"])
        assert not before["actual"].equals(after["actual"])

    @pytest.mark.parametrize("days", [28, 56, 91])
    def test_what_was_settled_by_then_does_change_it(self, days):
        past = planted(n_cutoffs=10)
        cutoff = past.cutoffs[4]
        changed = past.table.copy()
        settled = changed["as_of_date"][is_over(changed, days, cutoff)].max()
        changed.loc[changed["as_of_date"] == settled, "spent"] += 100
        other = History(changed, FEATURES)
        before = said_of(Forecasts(past, target(days=days)).backtest(9), cutoff)
        after = said_of(Forecasts(other, target(days=days)).backtest(9), cutoff)
        is_learned = before["model"] != "fifty"
        assert (before["predicted"] != after["predicted"])[is_learned].all()
        assert (before["predicted_upper"] != after["predicted_upper"]).all()
        assert one(before.loc[is_learned, "last_training_date"]) == settled

    @pytest.mark.parametrize(("days", "signal"), [(28, 0.0), (28, 1.0), (56, 0.3)])
    def test_a_backtest_says_what_was_predicted_then(self, days, signal):
        past = planted(n_cutoffs=8, signal=signal, seed=5)
        asked = target(days=days)
        judged = Forecasts(past, asked).backtest(9)
        settled = past.settled(asked, past.cutoffs[0])
        chosen_by = []
        for cutoff in (settled[0], settled[-3], settled[-1]):
            told = Forecasts(until(past, cutoff, {"spent": days}), asked).predict()
            assert_same(judged, told, cutoff)
            chosen_by.append(one(told["chosen_by"]))
        assert chosen_by == ["earlier cutoffs", "other customers", "nothing"]

    @pytest.mark.parametrize("name", ["churn", "spend_28d", "lifetime_value"])
    def test_and_so_with_the_models_that_ship(self, name):
        asked = next(asked for asked in targets(lifetime_days=56) if asked.name == name)
        past = history(simulated_orders(50, seed=2), cutoffs(7))
        past.table["spend_lifetime"] = past.table["spend_28d"].where(
            is_over(past.table, 56, past.cutoffs[0])
        )
        judged = Forecasts(past, asked).backtest(1)
        cutoff = one(judged.loc[judged["is_judged"], "as_of_date"])
        then = until(past, cutoff, {asked.outcome: asked.days})
        assert_same(judged, Forecasts(then, asked).predict(), cutoff)

    def test_the_newest_settled_cutoffs_are_judged(self):
        past = planted(n_cutoffs=10)
        table = Forecasts(past, target(days=56)).backtest(2)
        judged = table.loc[table["is_judged"], "as_of_date"].unique()
        assert list(judged) == past.cutoffs[2:4]
        others = table[~table["is_judged"]]
        assert set(others["as_of_date"]) == set(past.cutoffs[4:7])
        assert not others["is_shipped"].any()
        assert others["chosen_by"].isna().all()

    def test_a_period_that_ends_on_the_cutoff_is_over(self):
        past = planted(n_cutoffs=9)
        newest = past.cutoffs[0]
        assert past.settled(target(), newest) == past.cutoffs[1:]
        assert past.settled(target(days=29), newest) == past.cutoffs[2:]
        assert past.settled(target(days=56), newest) == past.cutoffs[2:]

    def test_learners_learn_from_all_that_is_settled(self):
        past = planted(n_cutoffs=6)
        table = Forecasts(past, target(days=56)).predict()
        assert one(table["training_rows"]) == 60 * 4
        assert one(table["first_training_date"]) == past.cutoffs[-1]
        assert one(table["last_training_date"]) == past.cutoffs[2]


def assert_same(judged: pd.DataFrame, told: pd.DataFrame, cutoff: pd.Timestamp) -> None:
    """A back-test of a cutoff and predictions made at it say the same."""
    rows = judged[judged["as_of_date"] == cutoff]
    shipped = rows[rows["is_shipped"]].sort_values("customer_id").reset_index(drop=True)
    same = ["customer_id", "target", "as_of_date", "model", "predicted", "predicted_lower"]
    same += ["predicted_upper", "status", "chosen_by", "training_rows", "first_training_date"]
    same += ["last_training_date"]
    pd.testing.assert_frame_equal(shipped[same], told[same])
    baseline = rows[rows["is_baseline"]].sort_values("customer_id")
    assert one(told["baseline_model"]) == one(baseline["model"])
    np.testing.assert_array_equal(told["baseline_predicted"], baseline["predicted"])


class TestChoice:
    @pytest.mark.parametrize("seed", range(2))
    def test_a_better_learner_ships(self, seed):
        past = planted(seed=seed)
        forecasts = Forecasts(past, target())
        table = forecasts.predict()
        assert one(table["model"]) == "line"
        assert one(table["chosen_by"]) == "earlier cutoffs"
        assert one(table["status"]) == SCORED
        today = past.at(past.cutoffs[0])["recency_days"].to_numpy()
        np.testing.assert_allclose(table["predicted"], 50 + today, atol=1.0)
        judged = forecasts.backtest()
        error = (judged["predicted"] - judged["actual"]).abs().groupby(judged["model"]).mean()
        assert error["line"] < 0.5 * error["mean"]

    @pytest.mark.parametrize("seed", range(2))
    def test_noise_ships_the_simplest(self, seed):
        table = Forecasts(planted(signal=0.0, seed=seed), target()).predict()
        assert one(table["model"]) == "fifty"
        assert one(table["chosen_by"]) == "earlier cutoffs"

    def test_a_probability_is_judged_by_its_logarithm(self):
        past = planted(300)
        rng = np.random.default_rng(0)
        chance = 1 / (1 + np.exp(10 - past.table["recency_days"]))
        happened = pd.Series((rng.random(len(chance)) < chance).astype(float), chance.index)
        past.table["spent"] = happened.where(past.table["spent"].notna())
        # Sure and mostly right: the better by absolute error, not by what one surprise costs.
        sure = Candidate(
            "sure", lambda *_: lambda rows: (rows["recency_days"] > 10).to_numpy(float), False
        )
        fair = Candidate(
            "fair", lambda *_: lambda rows: 1 / (1 + np.exp(10 - rows["recency_days"].to_numpy()))
        )
        asked = Target("spend", "spent", 28, (sure, fair))
        assert one(Forecasts(past, asked).predict()["model"]) == "sure"
        asked = replace(asked, is_probability=True)
        table = Forecasts(past, asked).predict()
        assert one(table["model"]) == "fair"
        assert table["predicted_lower"].isna().all()

    def test_customers_count_alike_however_often_they_were_seen(self):
        past = planted(40)
        is_rare = past.table["customer_id"] < "c030"
        oldest_witness = past.cutoffs[3]
        past.table["spent"] = np.where(is_rare, 50.0, 90.0)
        past.table["spent"] = past.table["spent"].where(past.table["as_of_date"] < past.cutoffs[0])
        table = past.table[~is_rare | (past.table["as_of_date"] <= oldest_witness)]
        ninety = Candidate("ninety", lambda *_: lambda rows: np.full(len(rows), 90.0))
        # By rows, 30 of 60 cost ninety 40 each, and 30 cost fifty as much; by customers 30 of 40.
        seen = History(table.reset_index(drop=True), FEATURES)
        judgment = Forecasts(seen, target(ninety, FIFTY)).judge(seen.cutoffs[0])
        assert len(judgment.witnesses) == 2 * 60
        assert judgment.model == "fifty"

    def test_what_could_not_be_fitted_everywhere_is_not_compared(self):
        past = planted()
        # Good where it can be fitted, at the newest of three cutoffs alone.
        late = Candidate(
            "late",
            lambda features, outcome, today: (
                fit_line(features, outcome, today) if len(features) >= 60 * 7 else fit_nothing()
            ),
        )
        table = Forecasts(past, target(FIFTY, late)).predict()
        assert one(table["model"]) == "fifty"
        assert one(Forecasts(past, target(FIFTY, LINE)).predict()["model"]) == "line"

    def test_a_model_that_cannot_be_fitted_says_why(self):
        forecasts = Forecasts(planted(), target(FAILING, FIFTY, LINE))
        table = forecasts.backtest(1)
        failed = table[table["model"] == "failing"]
        assert one(failed["status"]) == "nobody is like that"
        assert failed["predicted"].isna().all()
        assert table.loc[(table["model"] == "line") & table["is_judged"], "is_shipped"].all()
        told = forecasts.predict()
        assert one(told["model"]) == "line"
        assert told["baseline_predicted"].isna().all()

    def test_the_baseline_stands_in_for_what_fails_today(self):
        failing_today = Candidate(
            "line",
            lambda features, outcome, today: (
                fit_nothing() if len(features) == 60 * 8 else fit_line(features, outcome, today)
            ),
        )
        table = Forecasts(planted(), target(FIFTY, failing_today)).predict()
        assert one(table["model"]) == "fifty"
        assert one(table["status"]) == SCORED
        assert one(table["predicted"]) == 50

    def test_where_nothing_can_be_fitted_the_status_says_so(self):
        table = Forecasts(planted(), target(FAILING)).predict()
        assert one(table["model"]) == "failing"
        assert one(table["chosen_by"]) == "nothing"
        assert one(table["status"]) == "nobody is like that"
        assert (
            table[["predicted", "predicted_upper", "cause_1", "reference_predicted"]]
            .isna()
            .all(axis=None)
        )

    def test_one_outcome_is_nothing_to_learn_from(self):
        past = planted()
        past.table["spent"] = past.table["spent"].where(past.table["spent"].isna(), 7.0)
        learned = Forecasts(past, target(MEAN, LINE)).predict()
        assert one(learned["status"]) == "one outcome only to learn from"
        assert one(learned["predicted"]) == 7
        assert one(learned["chosen_by"]) == "nothing"
        assert learned["cause_1"].isna().all()
        ruled = Forecasts(past, target(FIFTY, LINE)).predict()
        assert one(ruled["model"]) == "fifty"
        assert one(ruled["status"]) == SCORED


class TestSize:
    def test_with_few_customers_nothing_is_told_apart(self):
        many, few = (Forecasts(planted(n), target()).predict() for n in (30, 29))
        assert (one(many["model"]), one(many["chosen_by"])) == ("line", "earlier cutoffs")
        assert (one(few["model"]), one(few["chosen_by"])) == ("fifty", "nothing")

    def test_models_learn_from_a_share_of_very_many(self, monkeypatch):
        monkeypatch.setattr("personalization.predictions.predicting._MOST_ROWS", 100)
        spy = Spy(LINE)
        table = Forecasts(planted(), target(FIFTY, spy.candidate)).predict()
        assert one(table["training_rows"]) == 100
        assert {len(rows) for rows in spy.seen if len(rows) >= 100} == {100}
        customers = spy.seen[-1].index
        assert customers.nunique() > 50


class TestShortHistory:
    def test_other_customers_choose_where_no_earlier_cutoff_can(self):
        for n_cutoffs, chosen_by in ((2, "other customers"), (3, "other customers")):
            table = Forecasts(planted(90, n_cutoffs), target()).predict()
            assert one(table["chosen_by"]) == chosen_by
            assert one(table["model"]) == "line"
            assert table["predicted_lower"].notna().all()
        table = Forecasts(planted(90, 4), target()).predict()
        assert one(table["chosen_by"]) == "earlier cutoffs"

    @pytest.mark.parametrize("learns", [True, False])
    def test_and_no_customer_is_predicted_by_a_model_that_saw_them(self, learns):
        past = planted(90, 3)
        spy = Spy(LINE if learns else replace(FIFTY, name="line", learns=False))
        asked = target(MEAN, spy.candidate)
        judgment = Forecasts(past, asked).judge(past.cutoffs[0])
        assert judgment.chosen_by == "other customers"
        witnesses = judgment.witnesses[judgment.witnesses["model"] == "line"]
        keys = ["as_of_date", "customer_id"]
        assert not witnesses.duplicated(keys).any()
        assert set(witnesses["as_of_date"]) == set(past.cutoffs[1:])
        assert len(witnesses) == 2 * 90
        assert len(spy.asked) == 3
        for number, rows in spy.asked:
            own = set(rows.index)
            assert 15 < len(own) < 45
            assert not own & set(spy.today[number].index)
            if learns:
                assert set(spy.seen[number].index) == set(past.table["customer_id"]) - own

    def test_a_customer_is_in_the_same_part_at_every_cutoff(self):
        spy = Spy(LINE)
        past = planted(90, 3)
        Forecasts(past, target(spy.candidate)).judge(past.cutoffs[0])
        assert all((rows.index.value_counts() == 2).all() for _, rows in spy.asked)

    def test_one_cutoff_says_nothing(self):
        past = planted(60, 1)
        forecasts = Forecasts(past, target())
        assert forecasts.backtest().empty
        table = forecasts.predict()
        assert one(table["chosen_by"]) == "nothing"
        assert one(table["model"]) == "fifty"
        assert one(table["status"]) == SCORED
        assert table["predicted_lower"].isna().all()
        learned = Forecasts(past, target(MEAN, LINE)).predict()
        assert one(learned["model"]) == "mean"
        assert one(learned["status"]) == "no earlier cutoff with an outcome to learn from"
        assert learned["predicted"].isna().all()

    def test_rules_are_judged_by_one_earlier_cutoff(self):
        fair = Candidate(
            "fair", lambda *_: lambda rows: 50 + rows["recency_days"].to_numpy(), learns=False
        )
        table = Forecasts(planted(60, 2), target(FIFTY, fair)).predict()
        assert one(table["chosen_by"]) == "earlier cutoffs"
        assert one(table["model"]) == "fair"
        assert one(table["training_rows"]) == 0
        assert table["first_training_date"].isna().all()

    def test_few_errors_give_no_interval(self):
        assert Forecasts(planted(16, 9), target()).predict()["predicted_lower"].isna().all()
        assert Forecasts(planted(17, 9), target()).predict()["predicted_lower"].notna().all()


class TestIntervals:
    def test_hold_their_share_of_outcomes(self):
        table = Forecasts(planted(200, 9), target(MEAN, LINE), level=0.6).backtest(3)
        rows = table[table["is_judged"] & table["predicted_lower"].notna()]
        is_held = rows["actual"].between(rows["predicted_lower"], rows["predicted_upper"])
        share = is_held.groupby([rows["as_of_date"], rows["model"]]).mean()
        assert len(share) == 6
        assert share.between(0.5, 0.7).all()

    def test_lie_in_order_and_within_what_is_possible(self):
        asked = replace(target(), lowest=55.0, highest=58.0)
        table = Forecasts(planted(100, 6), asked).predict()
        inside = table[table["predicted"].between(55, 58)]
        assert len(inside) > 10
        assert inside["predicted_lower"].min() >= 55
        assert inside["predicted_upper"].max() <= 58
        assert (table["predicted_lower"] <= table["predicted"]).all()
        assert (table["predicted"] <= table["predicted_upper"]).all()

    def test_a_longer_period_than_was_judged_has_none(self):
        def rate(days: int) -> Target:
            spend = Candidate(
                "rate", lambda *_: lambda rows: rows["recency_days"].to_numpy() * days, False
            )
            return replace(target(spend), days=days)

        past = planted()
        short = Forecasts(past, rate(28)).predict()
        long = Forecasts(past, rate(28)).predict(rate(364))
        np.testing.assert_allclose(long["predicted"], 13 * short["predicted"], rtol=1e-6)
        assert short["predicted_lower"].notna().all()
        assert long["predicted_lower"].isna().all()
        assert one(long["chosen_by"]) == one(short["chosen_by"]) == "earlier cutoffs"


class TestReasons:
    def test_add_up_to_the_distance_from_the_reference_customer(self):
        table = Forecasts(planted(), target()).predict()
        distance = table["predicted"] - table["reference_predicted"]
        np.testing.assert_allclose(table["contribution_1"].fillna(0), distance, atol=2e-6)
        told = table[table["cause_1"].notna()]
        assert len(told) >= len(table) - 1
        assert one(told["cause_1"]) == "last_order"
        assert table["cause_2"].isna().all()
        assert table["cause_3"].isna().all()

    def test_are_of_the_model_that_ships(self):
        table = Forecasts(planted(signal=0.0), target()).predict()
        assert one(table["model"]) == "fifty"
        assert table["cause_1"].isna().all()


class TestMadeBefore:
    def test_predictions_made_before_are_not_made_again(self):
        past = planted()
        other = replace(target(), name="other")
        made = pd.concat([Forecasts(past, other).backtest(), Forecasts(past, target()).backtest()])
        made.loc[made["target"] == "other", "predicted"] += 999
        stored = duckdb.sql("select * from made order by customer_id desc, model").df()
        spy = Spy(LINE)
        told = Forecasts(past, target(FIFTY, MEAN, spy.candidate), made_before=stored).predict()
        pd.testing.assert_frame_equal(told, Forecasts(past, target()).predict())
        assert len(spy.seen) == 1
        spy = Spy(LINE)
        Forecasts(past, target(FIFTY, MEAN, spy.candidate)).predict()
        assert len(spy.seen) == 4

    def test_a_backtest_continues_from_them(self):
        past = planted()
        made = Forecasts(past, target()).backtest(2)
        again = Forecasts(past, target(), made_before=made).backtest(2)
        keys = ["as_of_date", "model", "customer_id"]
        pd.testing.assert_frame_equal(
            again.sort_values(keys).reset_index(drop=True),
            made.sort_values(keys).reset_index(drop=True),
        )


class TestTables:
    def test_the_order_of_rows_does_not_matter(self):
        past = planted()
        shuffled = History(past.table.sample(frac=1, random_state=0), FEATURES)
        for table in ("backtest", "predict"):
            pd.testing.assert_frame_equal(
                getattr(Forecasts(past, target()), table)(),
                getattr(Forecasts(shuffled, target()), table)(),
                check_exact=True,
            )

    def test_have_one_row_each_and_the_same_columns_when_empty(self):
        past = planted()
        nobody = History(past.table.iloc[:0], FEATURES)
        judged, told = (Forecasts(past, target()).backtest(), Forecasts(past, target()).predict())
        assert not judged.duplicated(["as_of_date", "model", "customer_id"]).any()
        assert len(judged) == 6 * 60 * 3
        assert (judged.groupby("as_of_date")["is_shipped"].sum() == [0] * 3 + [60] * 3).all()
        assert (judged["is_baseline"] == (judged["model"] == "fifty")).all()
        assert told["customer_id"].tolist() == sorted(set(past.table["customer_id"]))
        for full, empty in (
            (judged, Forecasts(nobody, target()).backtest()),
            (told, Forecasts(nobody, target()).predict()),
        ):
            assert empty.empty
            pd.testing.assert_series_equal(empty.dtypes, full.dtypes)

    def test_a_history_is_checked(self):
        table = planted().table
        with pytest.raises(ValueError, match="recency_days"):
            History(table.drop(columns="recency_days"), FEATURES)
        with pytest.raises(ValueError, match="duplicate rows"):
            History(pd.concat([table, table.iloc[:1]]), FEATURES)


BIG = [("big", 1 + age, 25, 30.0 * 25) for age in range(400)]
ONCE = [(f"once{place:02d}", 1 + 7 * place, 1, 10.0 + place) for place in range(50)]
RARE = [(f"c{place:02d}", 390 - place, 1, 10.0 + place) for place in range(60)]
SHOPS = {
    "nobody": orders(),
    "one_order": orders(("a", 30, 1, 5.0)),
    "one_customer": orders(("a", 170, 1, 5.0), ("a", 90, 1, 6.0), ("a", 3, 1, 5.0)),
    "nothing_paid": simulated_orders(30, n_days=200).assign(amount_paid=0.0),
    "ten_thousand_orders_of_one": orders(*BIG, *ONCE),
    "hardly_anyone_comes_again": orders(*RARE, ("c00", 100, 1, 7.0), ("c01", 70, 1, 7.0)),
    "all_alike": orders(
        *((f"c{place:02d}", 7 * week + 1, 1, 9.0) for place in range(20) for week in range(30))
    ),
}


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("name", SHOPS)
def test_every_shop_gets_predictions_or_is_told_why_not(name):
    order_days = SHOPS[name]
    past = history(order_days, cutoffs(3))
    for asked in targets(lifetime_days=28):
        forecasts = Forecasts(past, asked)
        judged, told = forecasts.backtest(1), forecasts.predict()
        assert told["customer_id"].tolist() == sorted(order_days["customer_id"].unique())
        for table in (judged, told):
            has_number = np.isfinite(table["predicted"])
            assert has_number[table["status"] == SCORED].all()
            assert (table["status"] != SCORED)[~has_number].all()
            highest = 1 if asked.is_probability else asked.highest
            assert table["predicted"].dropna().between(asked.lowest, highest).all()
        if name == "nothing_paid" and asked.name.startswith(("spend", "lifetime")):
            assert (told["predicted"] == 0).all()


def test_a_customer_with_ten_thousand_orders_stands_out():
    past = history(SHOPS["ten_thousand_orders_of_one"], cutoffs(5))
    asked = {asked.name: asked for asked in targets()}
    spend = Forecasts(past, asked["spend_28d"]).predict().set_index("customer_id")["predicted"]
    assert spend["big"] == pytest.approx(28 * 750, rel=0.2)
    assert spend.drop("big").max() < 100


def test_an_outcome_too_rare_for_one_model_leaves_the_others():
    past = planted()
    happened = past.table["customer_id"].isin(["c001", "c002"]) & (
        past.table["as_of_date"] == past.cutoffs[-1]
    )
    past.table["spent"] = happened.astype(float).where(past.table["spent"].notna())

    def classifier(rung: Rung) -> Candidate:
        return Candidate(rung.name, lambda rows, outcome, _: rung.fit(rows, outcome > 0))

    rungs = [classifier(rung) for rung in LADDER if rung.name in ("recency_rule", "svm")]
    asked = Target("spend", "spent", 28, tuple(rungs), is_probability=True)
    table = Forecasts(past, asked).backtest(1)
    status = table[table["is_judged"]].groupby("model")["status"].agg(one).to_dict()
    assert status == {"recency_rule": SCORED, "svm": "the rarer outcome needs 3 rows, not 2"}
