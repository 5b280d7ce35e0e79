import numpy as np
import pandas as pd
import pytest
from fairlearn.metrics import (
    MetricFrame,
    false_positive_rate,
    mean_prediction,
    selection_rate,
    true_positive_rate,
)
from scipy import stats

from personalization.predictions.fairness import (
    DIFFERS,
    NO_DIFFERENCE,
    TOO_FEW,
    UNKNOWN,
    audit_fairness,
    holm,
)

DATE = pd.Timestamp("2017-12-04")
N = 600


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    """Calibrated, but 0.2 too high for each third customer; ties in the scores."""
    rng = np.random.default_rng(0)
    chance = np.round(rng.uniform(0.05, 0.75, N), 2)
    return pd.DataFrame(
        {
            "target": "churn",
            "as_of_date": DATE,
            "model": "logistic",
            "customer_id": [f"c{number:04d}" for number in range(N)],
            "predicted": chance + np.where(np.arange(N) % 3 == 0, 0.2, 0),
            "actual": (rng.random(N) < chance).astype(float),
            "is_shipped": True,
        }
    )


@pytest.fixture(scope="module")
def traits(predictions) -> pd.DataFrame:
    """Every third customer is old, the last 20 young ones did not tell; regions by chance."""
    rng = np.random.default_rng(1)
    number = np.arange(N)
    age = np.where(number % 3 == 0, "old", "young").astype(object)
    age[(number >= N - 30) & (number % 3 != 0)] = None
    region = rng.choice(["north", "south"], N)
    return pd.DataFrame(
        {"customer_id": predictions["customer_id"], "age_band": age, "region": region}
    )


def audit(predictions, traits, **options) -> pd.DataFrame:
    settings = {"attributes": ["age_band", "region"], "probability_targets": ["churn"]}
    return audit_fairness(predictions, traits, **(settings | options))


def look_up(audited: pd.DataFrame, group: str, measure: str) -> pd.Series:
    rows = audited[(audited["attribute_value"] == group) & (audited["measure"] == measure)]
    assert len(rows) == 1
    return rows.iloc[0]


def selected(predictions: pd.DataFrame, share: float = 0.2) -> pd.Series:
    best = predictions.sort_values(["predicted", "customer_id"], ascending=[False, True])
    return predictions["customer_id"].isin(best["customer_id"][: int(np.ceil(share * N))])


def test_measures_are_those_of_fairlearn(predictions, traits):
    audited = audit(predictions, traits)
    actual = predictions["actual"].astype(int)
    for attribute in ("age_band", "region"):
        groups = traits[attribute].fillna(UNKNOWN).rename(attribute)
        rates = MetricFrame(
            metrics={
                "selection_rate": selection_rate,
                "true_positive_rate": true_positive_rate,
                "false_positive_rate": false_positive_rate,
            },
            y_true=actual,
            y_pred=selected(predictions).astype(int),
            sensitive_features=groups,
        )
        means = MetricFrame(
            metrics={"mean_predicted": mean_prediction},
            y_true=actual,
            y_pred=predictions["predicted"],
            sensitive_features=groups,
        )
        for frame in (rates, means):
            for measure in frame.by_group:
                for group, expected in frame.by_group[measure].items():
                    found = look_up(audited, group, measure)
                    assert found["value"] == pytest.approx(expected, abs=1e-6)
                    assert found["overall"] == pytest.approx(frame.overall[measure], abs=1e-6)


def test_a_model_that_is_wrong_about_a_group_is_found(predictions, traits):
    audited = audit(predictions, traits)
    old = look_up(audited, "old", "bias")
    assert old["verdict"] == DIFFERS
    assert old["difference_to_known_others"] > 0.1
    assert look_up(audited, "old", "false_positive_rate")["verdict"] == DIFFERS
    of_regions = audited[audited["attribute"] == "region"]
    assert set(of_regions["verdict"]) == {NO_DIFFERENCE}


def test_a_true_difference_is_no_bias(predictions, traits):
    """Where a group does it more often and the model knows, levels differ and errors do not."""
    fair = predictions.copy()
    rng = np.random.default_rng(3)
    fair["predicted"] = np.where(traits["age_band"] == "old", 0.7, 0.3)
    fair["actual"] = (rng.random(N) < fair["predicted"]).astype(float)
    audited = audit(fair, traits)
    assert look_up(audited, "old", "mean_actual")["verdict"] == DIFFERS
    assert look_up(audited, "old", "mean_predicted")["verdict"] == DIFFERS
    assert look_up(audited, "old", "bias")["verdict"] == NO_DIFFERENCE


@pytest.mark.parametrize("group", ["old", UNKNOWN])
def test_a_group_is_tested_against_its_known_others(predictions, traits, group):
    """The old against the young who told, who did not tell against old and young."""
    audited = audit(predictions, traits, min_customers=20)
    age = traits["age_band"].fillna(UNKNOWN).to_numpy()
    is_own, is_other = age == group, (age != group) & (age != UNKNOWN)
    bias = (predictions["predicted"] - predictions["actual"]).to_numpy()
    found = look_up(audited, group, "bias")
    expected = stats.ttest_ind(bias[is_own], bias[is_other], equal_var=False).pvalue
    assert found["p_value"] == pytest.approx(expected, abs=1e-6)
    assert found["known_others"] == pytest.approx(bias[is_other].mean(), abs=1e-6)
    difference = bias[is_own].mean() - bias[is_other].mean()
    assert found["difference_to_known_others"] == pytest.approx(difference, abs=1e-6)
    assert found["overall"] == pytest.approx(bias.mean(), abs=1e-6)
    assert found["customers"] == is_own.sum()
    assert found["known_other_customers"] == is_other.sum()
    chosen = selected(predictions).to_numpy()
    table = [[chosen[side].sum(), (~chosen[side]).sum()] for side in (is_own, is_other)]
    found = look_up(audited, group, "selection_rate")
    assert found["p_value"] == pytest.approx(stats.fisher_exact(table).pvalue, abs=1e-6)
    wilson = stats.binomtest(int(table[0][0]), int(is_own.sum())).proportion_ci(method="wilson")
    assert found["lower"] == pytest.approx(wilson.low, abs=1e-6)
    assert found["upper"] == pytest.approx(wilson.high, abs=1e-6)


def test_many_who_did_not_tell_make_no_group_differ(predictions):
    """Two thirds do not tell and seldom do it; of the others, whose groups are alike, each half."""
    number = np.arange(N)
    told = number % 3 == 0
    rare = predictions.assign(
        predicted=np.where(told, 0.5, 0.1) + number / 1e4,
        actual=np.where(told, number // 3 % 4 < 2, number % 10 == 1).astype(float),
    )
    group = np.where(told, np.where(number // 3 % 2 == 0, "north", "south"), None)
    regions = pd.DataFrame({"customer_id": rare["customer_id"], "region": group})
    audited = audit(rare, regions, attributes=["region"])
    for measure in ("mean_predicted", "mean_actual", "selection_rate"):
        assert look_up(audited, UNKNOWN, measure)["verdict"] == DIFFERS
        for known in ("north", "south"):
            found = look_up(audited, known, measure)
            assert found["verdict"] == NO_DIFFERENCE
            assert found["value"] - found["overall"] > 0.1


def test_what_came_true_of_a_probability_is_a_share(predictions, traits):
    """Its interval stays within 0 and 1, and is not a point where it happened to nobody."""
    is_old = (traits["age_band"] == "old").to_numpy()
    is_young = (traits["age_band"] == "young").to_numpy()
    lost = predictions.assign(actual=np.where(is_young & (np.arange(N) % 50 == 1), 1.0, 0.0))
    audited = audit(lost, traits)
    for group, members in (("old", is_old), ("young", is_young)):
        found = look_up(audited, group, "mean_actual")
        times, customers = int(lost.loc[members, "actual"].sum()), int(members.sum())
        wilson = stats.binomtest(times, customers).proportion_ci(method="wilson")
        assert found["lower"] == pytest.approx(wilson.low, abs=1e-6)
        assert found["upper"] == pytest.approx(wilson.high, abs=1e-6)
    assert look_up(audited, "old", "mean_actual")["upper"] > 0.01
    actual = lost["actual"].to_numpy()
    table = [[actual[side].sum(), (1 - actual[side]).sum()] for side in (is_old, is_young)]
    expected = stats.fisher_exact(np.array(table, dtype=int)).pvalue
    assert look_up(audited, "old", "mean_actual")["p_value"] == pytest.approx(expected, abs=1e-6)


def test_the_tests_of_a_target_are_one_family(predictions, traits):
    audited = audit(predictions, traits)
    # Those that cannot be made are left out.
    np.testing.assert_allclose(
        audited["adjusted_p_value"], holm(audited["p_value"].to_numpy()), atol=1e-4
    )
    assert audited["adjusted_p_value"].isna().equals(audited["verdict"] == TOO_FEW)


def test_who_did_not_tell_is_a_group_which_may_be_too_small(predictions, traits):
    audited = audit(predictions, traits)
    unknown = look_up(audited, UNKNOWN, "selection_rate")
    assert unknown["customers"] == 20
    assert unknown["verdict"] == TOO_FEW
    assert np.isfinite(unknown["value"])
    assert look_up(audit(predictions, traits, min_customers=20), UNKNOWN, "bias")["p_value"] >= 0
    nobody = audit(predictions, traits.iloc[:0], attributes=["age_band"])
    assert set(nobody["attribute_value"]) == {UNKNOWN}
    assert set(nobody["verdict"]) == {TOO_FEW}
    assert (nobody["value"] == nobody["overall"]).all()
    assert nobody["known_others"].isna().all()
    assert set(nobody["known_other_customers"]) == {0}


def test_rates_count_only_whom_they_are_about(predictions, traits):
    audited = audit(predictions, traits)
    happened = predictions["actual"] == 1
    is_old = traits["age_band"] == "old"
    tpr, fpr = (look_up(audited, "old", f"{kind}_positive_rate") for kind in ("true", "false"))
    assert tpr["customers"] == (happened & is_old).sum()
    assert fpr["customers"] == (~happened & is_old).sum()
    nobody = audit(predictions.assign(actual=0.0), traits)
    of_positives = nobody[nobody["measure"] == "true_positive_rate"]
    assert of_positives["value"].isna().all()
    assert set(of_positives["verdict"]) == {TOO_FEW}


def test_amounts_have_no_positives(predictions, traits):
    spend = predictions.assign(target="spend_28d", actual=predictions["actual"] * 30)
    audited = audit(spend, traits)
    assert set(audited["measure"]) == {"mean_predicted", "mean_actual", "bias", "selection_rate"}
    own = spend.loc[traits["age_band"] == "old", "actual"]
    student = stats.ttest_1samp(own, 0).confidence_interval(0.95)
    found = look_up(audited, "old", "mean_actual")
    assert found["lower"] == pytest.approx(student.low, abs=1e-6)
    assert found["upper"] == pytest.approx(student.high, abs=1e-6)


def test_only_the_shipped_model_of_the_latest_known_cutoff(predictions, traits):
    other = predictions.assign(model="svm", is_shipped=False, predicted=0.5)
    earlier = predictions.assign(as_of_date=DATE - pd.Timedelta(days=28), predicted=0.5)
    later = predictions.assign(as_of_date=DATE + pd.Timedelta(days=28), actual=np.nan)
    everything = pd.concat([other, earlier, later, predictions], ignore_index=True)
    expected = audit(predictions, traits)
    pd.testing.assert_frame_equal(audit(everything, traits), expected)
    shuffled = everything.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(audit(shuffled, traits.sample(frac=1)), expected)


def test_holm_by_hand():
    adjusted = holm(np.array([0.04, np.nan, 0.01, 0.03, 0.5]))
    np.testing.assert_allclose(adjusted, [0.09, np.nan, 0.04, 0.09, 0.5])
    assert holm(np.array([0.9, 0.8])).max() == 1
    assert holm(np.empty(0)).shape == (0,)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_hardly_any_customers(predictions, traits, n):
    few = audit(predictions[:n], traits, min_customers=2)
    assert few.empty == (n == 0)
    assert few.dtypes.equals(audit(predictions, traits).dtypes)


@pytest.mark.filterwarnings("error")
def test_where_all_are_alike_nothing_differs(predictions, traits):
    alike = audit(predictions.assign(predicted=0.5, actual=0.0), traits)
    rows = alike[alike["measure"].isin(["mean_predicted", "bias"]) & (alike["p_value"].notna())]
    assert set(rows["verdict"]) == {NO_DIFFERENCE}


@pytest.mark.parametrize(
    "options", [{"selected_share": 0}, {"selected_share": 1}, {"min_customers": 1}]
)
def test_settings_out_of_range(predictions, traits, options):
    with pytest.raises(ValueError, match=next(iter(options))):
        audit(predictions, traits, **options)
