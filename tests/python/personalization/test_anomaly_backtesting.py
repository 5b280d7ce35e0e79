import duckdb
import numpy as np
import pandas as pd
import pytest
from anomaly_shop import order_signals, product_signals, simulated_lines

from personalization.anomalies import Limits, find_anomalies
from personalization.anomaly_backtesting import INJECTIONS, backtest_anomalies, ordinary_orders

LIMITS = Limits()


@pytest.fixture(scope="module")
def shop() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Orders, products and anomalies."""
    lines = simulated_lines(seed=1)
    orders, products = order_signals(lines), product_signals(lines)
    return orders, products, find_anomalies(orders, products, LIMITS)


@pytest.fixture(scope="module")
def backtest(shop) -> pd.DataFrame:
    orders, products, anomalies = shop
    sample = ordinary_orders(orders, anomalies["order_id"], n_orders=400)
    return backtest_anomalies(sample, products, LIMITS, orders=orders, anomalies=anomalies)


def test_the_rules_find_what_is_injected_and_the_baseline_does_not(backtest):
    assert backtest["injection"].tolist() == [injection.name for injection in INJECTIONS]
    assert (backtest["injected"] > 100).all()
    assert (backtest["recall_as_type"] >= 0.75).all()
    assert (backtest["recall"] > backtest["baseline_recall"]).all()
    assert (backtest["precision_as_type"] > 0.99).all()
    assert (backtest["precision_as_type"] >= backtest["baseline_precision"].fillna(0)).all()
    assert (backtest["flagged_share"] < 0.005).all()


def test_figures_agree(backtest):
    assert (backtest["found_as_type"] <= backtest["found"]).all()
    assert (backtest["found"] <= backtest["injected"]).all()
    np.testing.assert_allclose(
        backtest["recall"], backtest["found"] / backtest["injected"], atol=1e-6
    )
    # As many orders again are searched, of which the shop's usual share is found.
    untouched = backtest["injected"] * backtest["flagged_share"]
    np.testing.assert_allclose(
        backtest["precision_as_type"],
        backtest["found_as_type"] / (backtest["found_as_type"] + untouched),
        atol=1e-6,
    )


def test_only_what_is_worth_a_look_is_injected(shop):
    orders, products, anomalies = shop
    sample = ordinary_orders(orders, anomalies["order_id"], n_orders=400)
    dear = Limits(min_amount=1e6)
    result = backtest_anomalies(sample, products, dear, orders=orders, anomalies=anomalies)
    assert (result["injected"] == 0).all()
    shares = ["recall", "recall_as_type", "baseline_recall"]
    shares += ["precision_as_type", "baseline_precision"]
    assert result[shares].isna().all(axis=None)


def test_each_injection_changes_what_its_name_says(shop):
    orders, products, anomalies = shop
    sample = ordinary_orders(orders, anomalies["order_id"], n_orders=50)
    lines = products.drop_duplicates("order_id").set_index("order_id")
    lines = lines.loc[sample["order_id"]].reset_index()
    changed = {injection.name: injection.apply(sample, lines) for injection in INJECTIONS}
    bulk_orders, bulk_lines = changed["bulk_20_times"]
    np.testing.assert_allclose(bulk_lines["quantity"], 20 * lines["quantity"])
    np.testing.assert_allclose(bulk_lines["unit_price"], lines["unit_price"])
    np.testing.assert_allclose(
        bulk_orders["amount_paid"], sample["amount_paid"] + 19 * lines["amount_paid"]
    )
    cheap_orders, cheap_lines = changed["price_a_twentieth"]
    np.testing.assert_allclose(cheap_lines["unit_price"], lines["unit_price"] / 20)
    np.testing.assert_allclose(cheap_lines["quantity"], lines["quantity"])
    assert (cheap_orders["amount_paid"] < sample["amount_paid"]).all()
    coupon_orders, _ = changed["coupons_for_80_percent"]
    np.testing.assert_allclose(coupon_orders["coupon_amount_7d"], 0.8 * sample["amount_paid"])
    np.testing.assert_allclose(coupon_orders["amount_paid"], sample["amount_paid"])
    amount_orders, _ = changed["amount_20_times_usual"]
    np.testing.assert_allclose(
        amount_orders["amount_paid"], 20 * sample["customer_usual_amount"], equal_nan=True
    )


def test_the_sample_is_ordinary_and_spread_over_time(shop):
    orders, _, anomalies = shop
    sample = ordinary_orders(orders, anomalies["order_id"], n_orders=100)
    assert not set(sample["order_id"]) & set(anomalies["order_id"])
    assert 90 <= len(sample) <= 100
    assert sample["ordered_at"].is_monotonic_increasing
    months = sample["ordered_at"].dt.month.value_counts()
    assert len(months) == 12
    # An order without a coupon is compared with what was usual before it.
    assert sample["usual_coupon_amount_7d"].iloc[10:].notna().all()
    shuffled = orders.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(
        ordinary_orders(shuffled, anomalies["order_id"], n_orders=100), sample
    )


def test_a_shop_without_orders_has_no_figures(shop, backtest):
    orders, products, anomalies = (frame.iloc[:0] for frame in shop)
    sample = ordinary_orders(orders, anomalies["order_id"], n_orders=10)
    result = backtest_anomalies(sample, products, LIMITS, orders=orders, anomalies=anomalies)
    assert (result["injected"] == 0).all()
    assert result["flagged_share"].isna().all()
    assert result.dtypes.equals(backtest.dtypes)


def test_too_small_a_sample_is_refused(shop):
    orders, _, anomalies = shop
    with pytest.raises(ValueError, match="n_orders"):
        ordinary_orders(orders, anomalies["order_id"], n_orders=0)


@pytest.mark.warehouse
def test_recall_on_the_real_orders(warehouse: duckdb.DuckDBPyConnection) -> None:
    backtest = warehouse.execute("select * from evaluation.anomaly_backtests").df()
    recall = backtest.set_index("injection")["recall_as_type"]
    baseline = backtest.set_index("injection")["baseline_recall"]
    least = {
        "bulk_20_times": 0.9,
        # One in six of the dearest products is sold by amount: it has no price that can be wrong.
        "price_a_twentieth": 0.78,
        "price_10_times": 0.82,
        "coupons_for_80_percent": 0.75,
        "amount_20_times_usual": 0.72,
    }
    assert all(recall[name] >= share for name, share in least.items()), recall
    assert (recall > baseline).all()
    flagged, orders = warehouse.execute(
        "select (select count(*) from predictions.order_anomalies), count(*) from behavior.orders"
    ).fetchone()
    assert 0.003 <= flagged / orders <= 0.02
