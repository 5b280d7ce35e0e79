from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalization.predictions import rhythms
from personalization.predictions.rhythms import rhythm_features, rhythm_table

CUTOFF = date(2017, 6, 1)
COLUMNS = ["customer_id", "order_date", "known_date", "orders", "amount_paid"]


def table(*rows: tuple) -> pd.DataFrame:
    """Customer, days before the cutoff of the order and of its arrival, orders and amount."""
    return pd.DataFrame(
        [
            (customer, CUTOFF - timedelta(ordered), CUTOFF - timedelta(known), orders, amount)
            for customer, ordered, known, orders, amount in rows
        ],
        columns=COLUMNS,
    ).astype({"customer_id": "str"})


def slow_features(rows: pd.DataFrame) -> dict[str, float]:
    """Go through the days of one customer with an order."""
    days = {}
    for row in rows.itertuples():
        age = (CUTOFF - row.order_date).days
        orders, amount = days.get(age, (0, 0.0))
        days[age] = (orders + row.orders, amount + row.amount_paid)
    ages = sorted(days)
    gaps = [older - newer for newer, older in pairwise(ages)]
    ordered = sorted(gaps)
    features = {
        "recency_days": ages[0],
        "tenure_days": ages[-1],
        "order_days": len(ages),
        "order_day_rate": len(ages) / ages[-1],
        "orders_28d": sum(orders for age, (orders, _) in days.items() if age <= 28),
        "amount_84d": sum(amount for age, (_, amount) in days.items() if age <= 84),
        "week_0": float(any(age <= 7 for age in ages)),
        "week_3": float(any(21 < age <= 28 for age in ages)),
        "decayed_orders_14d": sum(o * 0.5 ** ((age - 1) / 14) for age, (o, _) in days.items()),
        "decayed_amount_56d": sum(
            np.log1p(a) * 0.5 ** ((age - 1) / 56) for age, (_, a) in days.items()
        ),
    }
    if not gaps:
        return features | dict.fromkeys(["median_gap_days", "latest_gap_days"], np.nan)
    return features | {
        "median_gap_days": ordered[int(np.ceil(0.5 * len(gaps))) - 1],
        "long_gap_days": ordered[int(np.ceil(0.9 * len(gaps))) - 1],
        "longest_gap_days": max(gaps),
        "latest_gap_days": np.mean(gaps[:10]),
        "longest_latest_gap_days": max(gaps[:10]),
        "shorter_gap_share": np.mean([gap < ages[0] for gap in gaps]),
    }


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 400))
def test_equals_its_definition(seed, n_customers, n_days):
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(n_customers):
        ages = 1 + np.flatnonzero(rng.random(n_days) < rng.random() ** 3)
        rows += [
            (
                f"c{customer}",
                int(age),
                int(age),
                int(rng.integers(1, 4)),
                rng.integers(0, 9999) / 100,
            )
            for age in ages
        ]
    frame = table(*rows)
    features = rhythm_features(frame.sample(frac=1, random_state=0), CUTOFF)
    assert features.index.tolist() == sorted(set(frame["customer_id"]))
    for customer, of_customer in frame.groupby("customer_id"):
        for name, expected in slow_features(of_customer).items():
            actual = features.loc[customer, name]
            assert actual == pytest.approx(expected, abs=1e-8, nan_ok=True), name


def test_shares_of_active_periods_look_as_far_as_the_data_reach():
    features = rhythm_features(
        table(*(("weekly", age, age, 1, 1.0) for age in range(1, 57, 7)), ("once", 40, 40, 1, 1.0)),
        CUTOFF,
    )
    assert features["active_week_share"].to_dict() == {"weekly": 1.0, "once": 1 / 7}
    assert features["active_month_share"].to_dict() == {"weekly": 1.0, "once": 0.0}


def test_nothing_counts_that_occurred_or_came_in_later():
    known = table(("a", 3, 3, 1, 5.0), ("a", 9, 9, 2, 7.0), ("b", 2, 2, 1, 1.0))
    later = table(
        ("a", 0, 0, 9, 99.0), ("a", -5, -5, 9, 99.0), ("a", 1, 0, 9, 99.0), ("c", 4, -1, 9, 99.0)
    )
    expected = rhythm_features(known, CUTOFF)
    pd.testing.assert_frame_equal(rhythm_features(pd.concat([known, later]), CUTOFF), expected)
    assert rhythm_features(later, CUTOFF).empty


def test_orders_of_a_day_that_come_in_on_two_days_add_up():
    features = rhythm_features(table(("a", 5, 5, 1, 2.5), ("a", 5, 3, 2, 4.0)), CUTOFF)
    assert features.loc["a", ["order_days", "orders_7d", "amount_7d"]].tolist() == [1, 3, 6.5]


def test_the_order_of_rows_does_not_matter():
    rng = np.random.default_rng(1)
    frame = table(*((f"c{i % 7}", 1 + i // 2, 1 + i // 2, 1, rng.random()) for i in range(300)))
    shuffled = frame.sample(frac=1, random_state=2)
    pd.testing.assert_frame_equal(
        rhythm_features(frame, CUTOFF), rhythm_features(shuffled, CUTOFF), check_exact=True
    )


def test_nobody():
    nobody = rhythm_features(table(), CUTOFF)
    one = rhythm_features(table(("a", 5, 5, 1, 2.5)), CUTOFF)
    assert nobody.empty
    assert nobody.columns.tolist() == one.columns.tolist()
    assert nobody.index.name == "customer_id"


class TestBlocks:
    @pytest.fixture
    def frame(self):
        rng = np.random.default_rng(3)
        ages = rng.integers(1, 300, 400)
        known = np.maximum(ages - rng.integers(0, 3, 400), 1)
        frame = table(
            *(
                (f"c{i % 23:02d}", int(age), int(known_age), 1, round(50 * rng.random(), 2))
                for i, (age, known_age) in enumerate(zip(ages, known, strict=True))
            )
        )
        return frame.drop_duplicates(COLUMNS[:3])

    @pytest.mark.parametrize("block", [1, 299, 1000, 2300, 6900])
    def test_do_not_change_a_feature(self, frame, block, monkeypatch):
        whole = rhythm_features(frame, CUTOFF)
        assert len(whole) == 23
        sizes = []
        describe = rhythms._describe
        monkeypatch.setattr(
            rhythms, "_describe", lambda *args: sizes.append(len(args[0])) or describe(*args)
        )
        monkeypatch.setattr(rhythms, "_BLOCK", block)
        pd.testing.assert_frame_equal(rhythm_features(frame, CUTOFF), whole, check_exact=True)
        assert sum(sizes) == 23
        n_days = int(whole["tenure_days"].max())
        assert max(sizes) == min(max(block // n_days, 1), 23)

    def test_of_a_long_history_are_small(self, monkeypatch):
        monkeypatch.setattr(rhythms, "_BLOCK", 10)
        features = rhythm_features(table(("a", 9000, 9000, 1, 1.0), ("b", 2, 2, 1, 4.0)), CUTOFF)
        assert features["tenure_days"].tolist() == [9000, 2]
        assert features["amount_paid"].tolist() == [1, 4]


class TestTable:
    def test_has_the_features_of_each_cutoff(self):
        frame = table(("a", 40, 40, 1, 5.0), ("a", 3, 3, 2, 7.0), ("b", 31, 29, 1, 1.0))
        days = [CUTOFF, CUTOFF - timedelta(28), CUTOFF - timedelta(30), CUTOFF - timedelta(100)]
        whole = rhythm_table(frame, days)
        assert whole.columns[:2].tolist() == ["customer_id", "as_of_date"]
        keys = list(zip(whole["customer_id"], whole["as_of_date"].dt.date, strict=True))
        # What came in on the third day before the cutoff was known to the second.
        a, b = "a", "b"
        assert keys == [(a, days[2]), (a, days[1]), (b, days[1]), (a, CUTOFF), (b, CUTOFF)]
        for day, of_day in whole.groupby("as_of_date"):
            features = of_day.drop(columns="as_of_date").set_index("customer_id")
            pd.testing.assert_frame_equal(features, rhythm_features(frame, day.date()))

    def test_has_the_same_columns_without_rows(self):
        full = rhythm_table(table(("a", 5, 5, 1, 2.5)), [CUTOFF])
        for empty in (
            rhythm_table(table(), [CUTOFF]),
            rhythm_table(table(), []),
            rhythm_table(table(("a", 5, 5, 1, 2.5)), []),
        ):
            assert empty.empty
            pd.testing.assert_series_equal(empty.dtypes, full.dtypes)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda frame: frame.drop(columns="known_date"), "known_date"),
        (lambda frame: pd.concat([frame, frame]), "duplicate rows"),
        (lambda frame: frame.assign(amount_paid=-1.0), "amount_paid"),
        (lambda frame: frame.assign(customer_id=None), "null ids"),
    ],
)
def test_bad_input_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        rhythm_features(change(table(("a", 5, 5, 1, 2.5))), CUTOFF)
