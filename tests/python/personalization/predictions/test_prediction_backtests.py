import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score

from personalization.backtesting import EVERYONE
from personalization.metrics import interval_of
from personalization.predictions.backtests import JUDGED, SHIPPED, backtest_predictions
from personalization.predictions.metrics import (
    AMOUNT_METRICS,
    PROBABILITY_METRICS,
    resample_weights,
)

DATES = pd.to_datetime(["2017-10-09", "2017-11-06", "2017-12-04"])
KEYS = ["target", "as_of_date", "model", "segment_type", "segment", "metric"]
NO_SEGMENTS = pd.DataFrame(columns=["as_of_date", "customer_id", "segment_type", "segment"])


def predictions(n: int = 200, *, seed: int = 0, dates=DATES) -> pd.DataFrame:
    """A good model and a rule for a probability and an amount; the good one ships."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"c{number:04d}" for number in range(n)])
    tables = []
    for date in dates:
        taste = rng.normal(size=n)
        happened = (rng.random(n) < 1 / (1 + np.exp(-2 * taste))).astype(float)
        spent = np.round(np.exp(taste) * 50, 2)
        for model, noise in (("rule", 2.0), ("trees", 0.3)):
            seen = taste + rng.normal(scale=noise, size=n)
            flags = {"is_shipped": model == "trees", "is_baseline": model == "rule"}
            common = {"as_of_date": date, "model": model, "customer_id": ids, "status": "scored"}
            probability = np.round(1 / (1 + np.exp(-2 * seen)), 2)
            amount = np.exp(seen) * 50
            tables.append(
                pd.DataFrame(
                    {"predicted": probability, "actual": happened, **common, **flags}
                ).assign(target="churn", predicted_lower=np.nan, predicted_upper=np.nan)
            )
            tables.append(
                pd.DataFrame({"predicted": amount, "actual": spent, **common, **flags}).assign(
                    target="spend", predicted_lower=amount / 2, predicted_upper=amount * 2
                )
            )
    return pd.concat(tables, ignore_index=True)


def judge(table: pd.DataFrame, segments: pd.DataFrame = NO_SEGMENTS, **options) -> pd.DataFrame:
    settings = {"probability_targets": ["churn"], "replicates": 50}
    return backtest_predictions(table, segments, **(settings | options))


def look_up(judged: pd.DataFrame, **keys) -> pd.Series:
    """The only row with these keys; as_of_date None is the mean over cutoffs."""
    rows = judged
    for name, value in {"segment": EVERYONE, **keys}.items():
        rows = rows[rows[name].isna() if value is None else rows[name] == value]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return predictions()


@pytest.fixture(scope="module")
def segments(table) -> pd.DataFrame:
    """Of the first cutoff only: odd and even customers, and one segment of few."""
    ids = table["customer_id"].unique()
    odd = pd.DataFrame({"customer_id": ids, "segment_type": "parity", "as_of_date": DATES[0]})
    odd["segment"] = np.where(np.arange(len(ids)) % 2, "odd", "even")
    few = odd[:10].assign(segment_type="size", segment="few")
    return pd.concat([odd, few], ignore_index=True)


@pytest.fixture(scope="module")
def judged(table, segments) -> pd.DataFrame:
    return judge(table, segments)


def test_values_are_those_of_the_cutoff_and_the_segment(table, judged):
    number = table["customer_id"].str[1:].astype(int)
    for segment, rows in (
        (EVERYONE, table),
        ("odd", table[number % 2 == 1]),
        ("even", table[number % 2 == 0]),
    ):
        for model in ("rule", "trees"):
            own = rows[(rows["as_of_date"] == DATES[0]) & (rows["model"] == model)]
            keys = {"as_of_date": DATES[0], "model": model, "segment": segment}
            churn, spend = (own[own["target"] == target] for target in ("churn", "spend"))
            found = look_up(judged, metric="auc", **keys)
            expected = roc_auc_score(churn["actual"], churn["predicted"])
            assert found["value"] == pytest.approx(expected, abs=1e-6)
            assert found["customers"] == len(churn)
            assert found["positives"] == churn["actual"].sum()
            found = look_up(judged, metric="mae", **keys)
            expected = mean_absolute_error(spend["actual"], spend["predicted"])
            assert found["value"] == pytest.approx(expected, abs=1e-6)
            assert pd.isna(found["positives"])


def test_differences_are_to_the_baseline_with_the_same_customers_drawn(judged):
    of_baseline = judged[judged["is_baseline"] & judged["value"].notna()]
    differences = ["difference_to_baseline", "difference_lower", "difference_upper"]
    assert (of_baseline[differences] == 0).all(axis=None)
    keys = {"as_of_date": DATES[1], "metric": "auc"}
    rule, trees = (look_up(judged, model=model, **keys) for model in ("rule", "trees"))
    assert trees["difference_to_baseline"] == pytest.approx(trees["value"] - rule["value"])
    assert 0 < trees["difference_lower"] < trees["difference_upper"]
    # Drawn apart, the difference would be less certain than either.
    spend = {"as_of_date": DATES[1], "metric": "relative_mae", "model": "trees"}
    assert look_up(judged, **spend)["difference_to_baseline"] == pytest.approx(
        look_up(judged, **spend)["value"] - 1
    )


def test_the_mean_over_cutoffs_is_one(judged):
    for metric in ("auc", "mae"):
        for model in ("rule", "trees"):
            each = [look_up(judged, as_of_date=d, model=model, metric=metric) for d in DATES]
            mean = look_up(judged, as_of_date=None, model=model, metric=metric)
            assert mean["value"] == pytest.approx(np.mean([row["value"] for row in each]), abs=1e-6)
            assert mean["cutoffs"] == 3
            assert mean["customers"] == 600
            widths = [row["upper"] - row["lower"] for row in each]
            assert mean["upper"] - mean["lower"] < np.mean(widths)


def test_the_interval_of_the_mean_knows_that_customers_come_back(table):
    """Thrice the same cutoff tells no more than once."""
    once = table[table["as_of_date"] == DATES[0]]
    thrice = pd.concat([once.assign(as_of_date=date) for date in DATES], ignore_index=True)
    judged = judge(thrice)
    columns = ["value", "lower", "upper", "difference_lower", "difference_upper"]
    for metric in ("auc", "log_loss", "mae"):
        mean = look_up(judged, as_of_date=None, model="trees", metric=metric)
        first = look_up(judged, as_of_date=DATES[0], model="trees", metric=metric)
        np.testing.assert_allclose(mean[columns].astype(float), first[columns].astype(float))


def test_a_segment_is_resampled_by_the_weights_of_its_customers(table, judged):
    """So a customer is drawn as often in every segment and at every cutoff."""
    weights = resample_weights(200, replicates=50)[:, 1::2]
    own = table[(table["target"] == "spend") & (table["model"] == "trees")]
    own = own[own["as_of_date"] == DATES[0]].sort_values("customer_id")[1::2]
    draws = (weights * (own["predicted"] - own["actual"]).to_numpy()).sum(axis=1)
    expected = interval_of((draws / weights.sum(axis=1))[:, np.newaxis])
    keys = {"as_of_date": DATES[0], "model": "trees", "segment": "odd", "target": "spend"}
    found = look_up(judged, metric="bias", **keys)
    np.testing.assert_allclose(
        found[["value", "lower", "upper"]].astype(float), np.ravel(expected), atol=1e-6
    )


def test_no_calibration_error_is_below_zero(table):
    """Half of those of whom it was said of each second: each tenth is right to the customer."""
    calm = table[table["target"] == "churn"].assign(predicted=0.5)
    calm["actual"] = calm["customer_id"].str[1:].astype(int) % 2
    found = look_up(judge(calm), as_of_date=None, model="trees", metric="calibration_error")
    assert found["value"] == found["lower"] == 0
    assert found["upper"] > 0


def test_shipped_is_whichever_shipped_at_each_cutoff(table):
    changed = table.copy()
    is_first = changed["as_of_date"] == DATES[0]
    changed.loc[is_first, "is_shipped"] = changed.loc[is_first, "model"] == "rule"
    judged = judge(changed)
    each = [
        look_up(judged, as_of_date=date, model=model, metric="auc")["value"]
        for date, model in zip(DATES, ("rule", "trees", "trees"), strict=True)
    ]
    shipped = look_up(judged, as_of_date=None, model=SHIPPED, metric="auc")
    assert shipped["value"] == pytest.approx(np.mean(each), abs=1e-6)
    assert shipped["is_shipped"]
    assert not shipped["is_baseline"]
    only_rule = table.assign(is_shipped=table["model"] == "rule")
    assert look_up(judge(only_rule), as_of_date=None, model=SHIPPED, metric="auc")["is_baseline"]
    assert SHIPPED not in set(judge(table.assign(is_shipped=False))["model"])


def test_all_models_are_judged_on_the_same_customers(table):
    partly = table.copy()
    lost = (partly["model"] == "rule") & (partly["customer_id"] < "c0050")
    partly.loc[lost, "predicted"] = np.nan
    unknown = partly["customer_id"] > "c0179"
    partly.loc[unknown, "actual"] = np.nan
    expected = table[(table["customer_id"] >= "c0050") & (table["customer_id"] <= "c0179")]
    columns = [*KEYS, "value", "difference_to_baseline", "customers", "positives"]
    pd.testing.assert_frame_equal(judge(partly)[columns], judge(expected)[columns])


def test_a_model_without_scores_says_why(table, judged, segments):
    dead = table[table["model"] == "trees"].assign(
        model="dead", predicted=np.nan, status="did not converge", is_shipped=False
    )
    actual = judge(pd.concat([table, dead], ignore_index=True), segments)
    of_dead = actual[actual["model"] == "dead"]
    assert set(of_dead["status"]) == {"did not converge"}
    assert of_dead["value"].isna().all()
    assert len(of_dead) == len(DATES) * (len(PROBABILITY_METRICS) + len(AMOUNT_METRICS))
    rest = actual[actual["model"] != "dead"].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, judged)


def test_few_customers_are_not_judged(judged):
    few = judged[judged["segment"] == "few"]
    assert set(few["status"]) == {"too few customers"}
    assert set(few["customers"]) == {10}
    assert few["value"].isna().all()


def test_few_customers_at_every_cutoff_are_not_judged_together_either(table):
    judged = judge(table[table["customer_id"] < "c0020"])
    assert set(judged["status"]) == {"too few customers"}
    mean = look_up(judged, as_of_date=None, model="trees", metric="auc")
    assert mean["customers"] == 60


def test_a_cutoff_of_few_customers_is_left_out_of_the_mean(table):
    short = table[(table["as_of_date"] != DATES[2]) | (table["customer_id"] < "c0010")]
    judged = judge(short)
    without = judge(table[table["as_of_date"] != DATES[2]])
    found, expected = (
        look_up(frame, as_of_date=None, model="trees", metric="auc") for frame in (judged, without)
    )
    pd.testing.assert_series_equal(found, expected, check_names=False)
    assert found["cutoffs"] == 2


def test_one_outcome_only(table):
    same = table.assign(actual=1.0)
    judged = judge(same[same["target"] == "churn"])
    auc = judged[judged["metric"] == "auc"]
    assert set(auc["status"]) == {"one outcome only"}
    assert auc["value"].isna().all()
    assert set(judged.loc[judged["metric"] == "log_loss", "status"]) == {JUDGED}


def test_an_outcome_that_a_resample_may_lack_leaves_no_interval(table):
    rare = table[(table["target"] == "churn") & (table["customer_id"] < "c0060")].copy()
    rare["actual"] = (rare["customer_id"] == "c0007").astype(float)
    auc = look_up(judge(rare), as_of_date=DATES[0], model="trees", metric="auc")
    assert np.isfinite(auc["value"])
    assert auc[["lower", "upper"]].isna().all()
    assert auc["status"] == "no interval: one outcome only in a resample"


def test_without_a_baseline_there_are_no_differences(table):
    judged = judge(table.assign(is_baseline=False))
    assert judged["difference_to_baseline"].isna().all()
    relative = judged[judged["metric"] == "relative_mae"]
    assert set(relative["status"]) == {"no error of the baseline to compare with"}
    assert set(judged.loc[judged["metric"] == "mae", "status"]) == {JUDGED}


def test_one_row_per_key_in_one_order(judged, table, segments):
    assert not judged.duplicated(KEYS).any()
    pd.testing.assert_frame_equal(judged, judged.sort_values(KEYS, ignore_index=True))
    shuffled = judge(table.sample(frac=1, random_state=1), segments.sample(frac=1, random_state=2))
    pd.testing.assert_frame_equal(shuffled, judged)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [0, 1, 2])
def test_hardly_any_customers(table, judged, n):
    actual = judge(table[table["customer_id"] < f"c{n:04d}"], min_customers=1)
    assert actual.dtypes.equals(judged.dtypes)
    assert actual.empty == (n == 0)


@pytest.mark.filterwarnings("error")
def test_nothing_known_yet(table, judged):
    actual = judge(table.assign(actual=np.nan))
    assert actual.empty
    assert actual.dtypes.equals(judged.dtypes)


def test_a_row_twice_is_an_error(table):
    with pytest.raises(ValueError, match="duplicate rows"):
        judge(pd.concat([table, table[:1]]))
