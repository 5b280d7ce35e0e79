import numpy as np
import pandas as pd
import pytest
from customer_shop import NEWEST, simulated_orders

from personalization.predictions.ladders import Target, targets
from personalization.predictions.next_orders import LONGEST_DAYS
from personalization.predictions.propensity import LADDER
from personalization.predictions.rhythms import rhythm_features
from personalization.predictions.spending import bg_nbd_gamma_gamma, last_12_weeks


@pytest.fixture(scope="module")
def today() -> pd.DataFrame:
    return rhythm_features(simulated_orders(120), NEWEST)


def by_name(**options: int) -> dict[str, Target]:
    return {target.name: target for target in targets(**options)}


def test_what_is_predicted_by_what():
    ladders = {
        target.name: [candidate.name for candidate in target.candidates] for target in targets()
    }
    spend = ["last_12_weeks", "lifetime_rate", "blend", "bg_nbd_gamma_gamma"]
    assert ladders == {
        "purchase_28d": [rung.name for rung in LADDER],
        "churn": ["recency_rule", "rfm_logistic", "logistic", "gradient_boosting"],
        "spend_28d": [*spend, "gradient_boosting"],
        "spend_91d": [*spend, "gradient_boosting"],
        "lifetime_value": spend,
        "next_order": ["usual_gap", "gradient_boosting"],
    }


def test_every_outcome_is_known_when_its_period_is_over():
    days = {name: target.days for name, target in by_name().items()}
    expected = {"purchase_28d": 28, "churn": 56, "spend_28d": 28, "spend_91d": 91}
    assert days == expected | {"lifetime_value": 182, "next_order": LONGEST_DAYS}
    changed = by_name(churn_days=84, lifetime_days=364)
    assert (changed["churn"].days, changed["lifetime_value"].days) == (84, 364)
    assert changed["spend_28d"].days == 28
    for options in ({"churn_days": 0}, {"lifetime_days": 0}):
        with pytest.raises(ValueError, match="at least 1"):
            targets(**options)


def test_only_chances_of_something_are_probabilities():
    chances = {name for name, target in by_name().items() if target.is_probability}
    assert chances == {"purchase_28d", "churn"}


def test_losses_are_nats_of_a_chance_and_else_distances():
    predicted, actual = np.array([0.25, 0.25, 0.0]), np.array([1.0, 0.0, 0.0])
    assert by_name()["churn"].losses(predicted, actual) == pytest.approx(
        -np.log([0.25, 0.75, 1 - 1e-4])
    )
    assert by_name()["spend_28d"].losses(predicted, actual).tolist() == [0.75, 0.25, 0]


def test_what_does_not_learn_is_no_wiser_for_outcomes(today):
    """A lifetime value is told for longer than outcomes reach, so nothing may need them."""
    assert not any(candidate.learns for candidate in by_name()["lifetime_value"].candidates)
    rng = np.random.default_rng(0)
    seen, outcome = today.sample(50, random_state=0), rng.gamma(2.0, 50.0, 50)
    for target in targets():
        for candidate in target.candidates:
            if candidate.learns:
                continue
            predict = candidate.fit(seen, outcome, today)
            other = candidate.fit(seen.iloc[:0], outcome[:0], today)
            np.testing.assert_array_equal(predict(today), other(today))


def test_candidates_look_ahead_as_far_as_their_target(today):
    nobody, nothing = today.iloc[:0], np.empty(0)
    for days in (91, 364):
        target = by_name(lifetime_days=days)["lifetime_value"]
        fits = {candidate.name: candidate.fit for candidate in target.candidates}
        rule = fits["last_12_weeks"](nobody, nothing, today)
        np.testing.assert_array_equal(rule(today), last_12_weeks(days)(today))
        lifetimes = fits["bg_nbd_gamma_gamma"](nobody, nothing, today.iloc[:80])
        np.testing.assert_array_equal(
            lifetimes(today), bg_nbd_gamma_gamma(today.iloc[:80], days)(today)
        )


def test_classifiers_learn_whether_it_happened(today):
    rungs = {rung.name: rung for rung in LADDER}
    times = today["orders_28d"].to_numpy()
    assert times.max() > 1
    for candidate in by_name()["churn"].candidates:
        np.testing.assert_array_equal(
            candidate.fit(today, times, today)(today),
            rungs[candidate.name].fit(today, times > 0)(today),
        )
