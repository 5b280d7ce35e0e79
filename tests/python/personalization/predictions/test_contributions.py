from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from customer_shop import cutoffs, history, orders, simulated_orders

from personalization.predictions import next_orders, propensity
from personalization.predictions.contributions import (
    CAUSES,
    contributions,
    reference_customer,
    strongest,
    telling_features,
)
from personalization.predictions.predicting import History
from personalization.predictions.rhythms import rhythm_features

THREE = {"one": ["a", "b"], "two": ["c"], "three": ["d"]}


def four_columns(n: int = 30, seed: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(0, 2, (n, 4)).round(2)
    index = pd.Index([f"c{customer:02d}" for customer in range(n)], name="customer_id")
    return pd.DataFrame(values, index=index, columns=list("abcd"))


def tangled(rows: pd.DataFrame) -> np.ndarray:
    """A model in which everything depends on everything else."""
    a, b, c, d = rows[list("abcd")].to_numpy().T
    return a * c + np.maximum(b, d) + np.exp(-c * c) * d + 3.0


def slow_contributions(predict, features, reference, causes) -> pd.DataFrame:
    """The mean, over all orders of the causes, of what each changes when its turn comes."""
    orders_of_causes = list(permutations(causes))
    total = pd.DataFrame(0.0, index=features.index, columns=list(causes))
    for order in orders_of_causes:
        rows = pd.DataFrame([reference] * len(features), index=features.index)
        before = predict(rows)
        for cause in order:
            rows = rows.assign(**{column: features[column] for column in causes[cause]})
            after = predict(rows)
            total[cause] += after - before
            before = after
    return total / len(orders_of_causes)


class TestContributions:
    def test_equal_their_definition(self):
        features = four_columns()
        reference = reference_customer(features)
        pd.testing.assert_frame_equal(
            contributions(tangled, features, reference, THREE),
            slow_contributions(tangled, features, reference, THREE),
        )

    def test_add_up_to_the_distance_from_the_reference(self):
        features = four_columns()
        reference = reference_customer(features)
        table = contributions(tangled, features, reference, THREE)
        distance = tangled(features) - tangled(reference.to_frame().T)
        np.testing.assert_allclose(table.sum(axis=1), distance, atol=1e-9)
        assert np.abs(distance).max() > 1

    def test_of_a_linear_model_are_coefficient_times_distance(self):
        features = four_columns()
        reference = reference_customer(features)
        weight = pd.Series({"a": 2.0, "b": -1.0, "c": 0.5, "d": 0.0})
        table = contributions(lambda rows: rows @ weight + 7, features, reference, THREE)
        part = (features - reference) * weight
        np.testing.assert_allclose(table["one"], part["a"] + part["b"], atol=1e-9)
        np.testing.assert_allclose(table["two"], part["c"], atol=1e-9)
        np.testing.assert_allclose(table["three"], 0, atol=1e-12)

    def test_a_cause_that_the_model_ignores_has_none(self):
        features = four_columns()
        table = contributions(
            lambda rows: tangled(rows.assign(d=1.0)), features, reference_customer(features), THREE
        )
        assert (table["three"] == 0).all()
        assert (table[["one", "two"]].abs().max() > 1).all()

    def test_causes_that_do_the_same_share_alike(self):
        features = four_columns()
        features["c"] = features["d"]
        table = contributions(
            lambda rows: rows["a"] + np.maximum(rows["c"] * rows["d"], 0).to_numpy() ** 0.5,
            features,
            reference_customer(features),
            THREE,
        )
        np.testing.assert_allclose(table["two"], table["three"], atol=1e-12)
        assert table["two"].abs().max() > 0.1

    def test_the_reference_customer_has_none(self):
        features = four_columns()
        reference = reference_customer(features)
        same = pd.DataFrame([reference], index=["middle"])
        assert (contributions(tangled, same, reference, THREE) == 0).all(axis=None)

    def test_the_model_is_asked_once_per_set_of_causes(self):
        asked = []

        def predict(rows):
            asked.append(rows)
            return tangled(rows)

        features = four_columns()
        contributions(predict, features, reference_customer(features), THREE)
        assert len(asked) == 2**3
        assert all(rows.columns.equals(features.columns) for rows in asked)

    def test_nobody_has_none(self):
        features = four_columns()
        table = contributions(tangled, features.iloc[:0], reference_customer(features), THREE)
        assert table.shape == (0, 3)
        assert strongest(table).empty

    def test_every_column_has_one_cause(self):
        features = four_columns()
        reference = reference_customer(features)
        with pytest.raises(ValueError, match=r"without a cause: \{'d'\}"):
            contributions(tangled, features, reference, {"one": ["a", "b"], "two": ["c"]})
        with pytest.raises(ValueError, match="d"):
            contributions(tangled, features.drop(columns="d"), reference, THREE)


def test_every_feature_of_predictions_has_one_cause():
    features = rhythm_features(orders(("a", 5, 1, 2.5)), cutoffs(1)[0])
    told = [column for columns in CAUSES.values() for column in columns]
    assert len(told) == len(set(told))
    assert set(told) == set(features.columns)


class TestReferenceCustomer:
    def test_is_the_middle_of_each_feature(self):
        features = pd.DataFrame({"x": [5.0, 1.0, 100.0], "y": [np.nan, 3.0, np.nan]})
        assert reference_customer(features).to_dict() == {"x": 5.0, "y": 3.0}

    def test_has_values_that_a_customer_can_have(self):
        features = pd.DataFrame({"order_days": [1.0, 4.0, 2.0, 9.0], "median_gap_days": np.nan})
        reference = reference_customer(features)
        assert reference["order_days"] == 2
        assert np.isnan(reference["median_gap_days"])


class TestStrongest:
    def table(self, *rows) -> pd.DataFrame:
        index = pd.Index([f"c{place}" for place in range(len(rows))], name="customer_id")
        return pd.DataFrame(rows, index=index, columns=["one", "two", "three", "four"], dtype=float)

    def test_are_ranked_by_size_in_either_direction(self):
        found = strongest(self.table([1, -5, 0.5, 2], [-1, 0.25, 3, -2]))
        assert found.to_dict("list") == {
            "customer_id": ["c0"] * 3 + ["c1"] * 3,
            "reason_rank": [1, 2, 3] * 2,
            "cause": ["two", "four", "one", "three", "four", "one"],
            "contribution": [-5, 2, 1, 3, -2, -1],
        }

    def test_ties_go_to_the_cause_named_first(self):
        found = strongest(self.table([2, -2, 2, -2], [1, 1.0000004, 0, 0]))
        assert found["cause"].tolist() == ["one", "two", "three", "one", "two"]

    def test_what_moves_nothing_is_left_out(self):
        found = strongest(self.table([0, 0, 0, 0], [0, 3, 0, 4e-7], [-0.0, 0, 1e-6, 0]))
        assert found.to_numpy().tolist() == [["c1", 1, "two", 3.0], ["c2", 1, "three", 1e-6]]

    def test_as_many_as_asked_for(self):
        table = self.table([1, 2, 3, 4])
        assert strongest(table, 1)["cause"].tolist() == ["four"]
        assert strongest(table, 9)["reason_rank"].tolist() == [1, 2, 3, 4]


class TestTellingFeatures:
    CAUSES = {"one": ["a", "b"], "two": ["c", "d"]}  # noqa: RUF012

    def told(self, predict, features: pd.DataFrame, reference: pd.Series) -> pd.DataFrame:
        reasons = strongest(contributions(predict, features, reference, self.CAUSES))
        return telling_features(predict, features, reference, reasons, self.CAUSES)

    def test_name_the_column_that_takes_most_of_the_contribution_away(self):
        features = pd.DataFrame(
            [[1.0, 5.0, 2.0, 0.0], [9.0, 5.0, -2.0, 7.0]], index=["x", "y"], columns=list("abcd")
        )
        reference = pd.Series(0.0, index=list("abcd"))
        # Of x, b says most of what raises; of y, d would, but c is what lowers.
        weights = np.array([1, 1, 4, 1])
        told = self.told(lambda rows: rows.to_numpy() @ weights, features, reference)
        found = told.set_index(["customer_id", "cause"])[["feature", "value"]]
        assert found.loc[("x", "one")].tolist() == ["b", 5.0]
        assert found.loc[("y", "one")].tolist() == ["a", 9.0]
        assert found.loc[("x", "two")].tolist() == ["c", 2.0]
        assert found.loc[("y", "two")].tolist() == ["c", -2.0]
        assert (told["reference_value"] == 0).all()

    def test_never_name_a_column_that_the_model_does_not_look_at(self):
        features = four_columns()
        told = self.told(
            lambda rows: (rows["b"] * rows["c"]).to_numpy(), features, reference_customer(features)
        )
        assert set(told["feature"]) == {"b", "c"}

    def test_nulls_are_told_as_such(self):
        features = pd.DataFrame({"a": [np.nan], "b": [1.0], "c": [0.0], "d": [0.0]}, index=["x"])
        reference = pd.Series([2.0, 1.0, 0.0, 0.0], index=list("abcd"))
        told = self.told(lambda rows: rows["a"].isna().to_numpy(float), features, reference)
        assert told["feature"].tolist() == ["a"]
        assert told["value"].isna().all()
        assert told["reference_value"].tolist() == [2.0]


@pytest.fixture(scope="module")
def shop() -> History:
    return history(simulated_orders(500, seed=3), cutoffs(8))


@pytest.fixture(scope="module", params=["purchase_28d", "next_order"])
def explained(request, shop):
    """A model, today's customers, the middle one, and the least contribution worth a word."""
    is_purchase = request.param == "purchase_28d"
    outcome = "has_ordered_28d" if is_purchase else "days_until_next_order"
    today = shop.at(shop.cutoffs[0])[[*shop.features]]
    past = shop.table[shop.table[outcome].notna()]
    features, happened = past[[*shop.features]], past[outcome].to_numpy()
    if is_purchase:
        rungs = {rung.name: rung for rung in propensity.LADDER}
        predict = rungs["gradient_boosting"].fit(features, happened > 0)
    else:
        predict = next_orders.gradient_boosting(features, happened)
    return predict, today, reference_customer(today), 0.02 if is_purchase else 1.0


def change_without(explained, cause_by_customer: pd.Series) -> pd.Series:
    """How predictions change when a cause of each customer is as in the middle one."""
    predict, today, reference, _ = explained
    without = today.copy()
    for cause, columns in CAUSES.items():
        rows = cause_by_customer.index[cause_by_customer == cause]
        without.loc[rows, [*columns]] = reference[[*columns]].to_numpy()
    change = pd.Series(predict(without) - predict(today), index=today.index)
    return change[cause_by_customer.index]


class TestFaithfulness:
    """The cause named first is one: without it the prediction moves back, and most of all."""

    def test_contributions_add_up(self, explained):
        predict, today, reference, _ = explained
        table = contributions(predict, today, reference)
        distance = predict(today) - predict(reference.to_frame().T)
        np.testing.assert_allclose(table.sum(axis=1), distance, atol=1e-6)

    def test_without_the_strongest_cause_the_prediction_moves_back(self, explained):
        predict, today, reference, least = explained
        first = strongest(contributions(predict, today, reference), 1).set_index("customer_id")
        first = first[first["contribution"].abs() >= least]
        assert len(first) > 0.8 * len(today)
        change = change_without(explained, first["cause"])
        direction = np.sign(change) * -np.sign(first["contribution"])
        assert (direction < 0).mean() <= 0.02
        # At the longest wait that can be predicted, other causes alone may be enough for it.
        is_longest = pd.Series(predict(today) > next_orders.LONGEST_DAYS - 2, index=today.index)
        assert is_longest.mean() < 0.5
        assert (direction > 0)[~is_longest[first.index]].mean() >= 0.97

    def test_the_figure_quoted_moves_it_back_too(self, explained):
        predict, today, reference, least = explained
        reasons = strongest(contributions(predict, today, reference), 1)
        told = telling_features(predict, today, reference, reasons).set_index("customer_id")
        told = told[told["contribution"].abs() >= least]
        without = today.copy()
        for customer, feature in told["feature"].items():
            without.loc[customer, feature] = reference[feature]
        change = pd.Series(predict(without) - predict(today), index=today.index)[told.index]
        is_back = np.sign(change) == -np.sign(told["contribution"])
        assert is_back.mean() >= 0.8

    def test_other_causes_move_it_less(self, explained):
        predict, today, reference, _ = explained
        first = strongest(contributions(predict, today, reference), 1).set_index("customer_id")
        rng = np.random.default_rng(0)
        others = [[name for name in CAUSES if name != cause] for cause in first["cause"]]
        other = pd.Series([rng.choice(names) for names in others], index=first.index)
        strong = change_without(explained, first["cause"]).abs().mean()
        assert strong > 2 * change_without(explained, other).abs().mean()
