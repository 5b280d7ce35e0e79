from collections.abc import Callable, Sequence
from typing import NamedTuple

import duckdb
import numpy as np
import pandas as pd
import pytest
from anomaly_shop import line_table, order_signals, product_signals, simulated_lines, usual
from hypothesis import given
from hypothesis import strategies as st

from personalization.anomalies import (
    ORDER_COLUMNS,
    PRODUCT_COLUMNS,
    Limits,
    MixForest,
    amount_scores,
    combined_z,
    find_anomalies,
    robust_z,
    rule_findings,
)

LIMITS = Limits()
N_INJECTED = 60
Inject = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    return simulated_lines()


@pytest.fixture(scope="module")
def orders(lines: pd.DataFrame) -> pd.DataFrame:
    return order_signals(lines)


@pytest.fixture(scope="module")
def products(lines: pd.DataFrame) -> pd.DataFrame:
    return product_signals(lines)


@pytest.fixture
def ordinary_order() -> pd.DataFrame:
    """One order that is usual in every respect, at exactly what is usual."""
    return pd.DataFrame(
        {
            "order_id": pd.array(["o"], dtype="str"),
            "ordered_at": pd.to_datetime(["2017-06-01"]),
            "order_hour": 12,
            "order_lines": 5,
            "units": 6.0,
            "amount_paid": 20.0,
            "discount_share": 0.1,
            "customer_usual_amount": 20.0,
            "customer_amount_spread": 0.5,
            "customer_earlier_orders": 50,
            "store_usual_amount": 20.0,
            "store_amount_spread": 0.5,
            "store_earlier_orders": 100,
            "coupon_amount_7d": 2.0,
            "usual_coupon_amount_7d": 2.0,
            "coupon_amount_spread": 0.5,
            "coupon_share": 0.04,
            "usual_coupon_share": 0.04,
            "coupon_share_spread": 0.5,
            "earlier_coupon_orders": 100,
            "customer_usual_coupon_amount_7d": np.nan,
        }
    )


@pytest.fixture
def ordinary_product() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "order_id": pd.array(["o"], dtype="str"),
            "product_id": pd.array(["p"], dtype="str"),
            "quantity": 1.0,
            "list_amount": 10.0,
            "unit_price": 10.0,
            "usual_unit_price": 10.0,
            "usual_price_deviation": 0.0,
            "price_spread": 0.0,
            "earlier_priced_sales": 100,
            "usual_quantity": 1.0,
            "quantity_spread": 0.0,
            "earlier_sales": 100,
            "customer_usual_quantity": np.nan,
        }
    )


def sold_at(prices: Sequence[float], *, customers: int | None = None) -> pd.DataFrame:
    """Orders of one piece of one product, a minute apart; of one customer each by default."""
    return line_table(
        [
            (
                f"o{n:05}",
                f"c{n % customers}" if customers else f"c{n}",
                "s",
                pd.Timestamp("2017-01-01") + pd.Timedelta(minutes=n),
                "p",
                1.0,
                price,
                price,
                0.0,
            )
            for n, price in enumerate(prices)
        ]
    )


# -- Scores --------------------------------------------------------------------


def test_robust_z_by_hand():
    observed = np.array([20.0, 5.0, 10.0, 0.0, 20.0, 20.0])
    usual_value = np.array([10.0, 10.0, 10.0, 10.0, np.nan, 10.0])
    spread = np.array([0.5, 0.5, 0.0, 0.0, 0.5, np.nan])
    z = robust_z(observed, usual_value, spread, floor=0.25)
    np.testing.assert_allclose(
        z, [np.log(2) / 0.5, -np.log(2) / 0.5, 0, np.log(0.01) / 0.25, np.nan, np.nan]
    )


@given(st.floats(0.001, 1e6), st.floats(0.001, 1e6), st.floats(0, 3), st.floats(0.01, 100))
def test_robust_z_does_not_depend_on_the_currency(observed, usual_value, spread, rate):
    def z(factor):
        return robust_z(
            np.array([observed * factor]),
            np.array([usual_value * factor]),
            np.array([spread]),
            floor=0.3,
        )

    np.testing.assert_allclose(z(rate), z(1.0), atol=1e-6)


def test_scores_combine_as_far_as_they_are_known():
    first = np.array([3.0, 3.0, np.nan, np.nan, 4.0])
    second = np.array([1.0, np.nan, 2.0, np.nan, -4.0])
    np.testing.assert_allclose(
        combined_z(first, second), [4 / np.sqrt(2), 3, 2, np.nan, 0], equal_nan=True
    )


def test_too_few_earlier_orders_leave_the_store(ordinary_order):
    young = ordinary_order.assign(customer_earlier_orders=4, store_usual_amount=10.0)
    customer_z, store_z = amount_scores(young, LIMITS)
    assert np.isnan(customer_z).all()
    np.testing.assert_allclose(store_z, np.log(2) / 0.5)
    customer_z, _ = amount_scores(young.assign(customer_earlier_orders=5), LIMITS)
    np.testing.assert_allclose(customer_z, 0)


# -- Rules, one at a time ---------------------------------------------------------


def test_an_ordinary_order_is_not_found(ordinary_order, ordinary_product):
    assert rule_findings(ordinary_order, ordinary_product, LIMITS).empty


@pytest.mark.parametrize(
    ("price", "is_found"), [(40.01, True), (39.99, False), (2.49, True), (2.51, False), (0, True)]
)
def test_a_price_four_times_off_is_an_error(ordinary_order, ordinary_product, price, is_found):
    product = ordinary_product.assign(unit_price=price)
    found = rule_findings(ordinary_order, product, LIMITS)
    assert found["anomaly_type"].tolist() == ["price_error"] * is_found
    if is_found:
        row = found.iloc[0]
        assert (row["measure"], row["product_id"]) == ("unit_price", "p")
        assert (row["observed_value"], row["typical_value"]) == (price, 10.0)
        assert row["amount_at_stake"] == pytest.approx(abs(price - 10))


def test_what_varies_in_price_may_do_so(ordinary_order, ordinary_product):
    by_weight = ordinary_product.assign(unit_price=45.0, price_spread=0.6)
    assert rule_findings(ordinary_order, by_weight, LIMITS).empty


@pytest.mark.parametrize(("factor", "is_found"), [(1.099, True), (1.101, False)])
def test_without_a_price_none_is_wrong(ordinary_order, ordinary_product, factor, is_found):
    product = ordinary_product.assign(unit_price=0.07, usual_price_deviation=np.log(factor))
    assert len(rule_findings(ordinary_order, product, LIMITS)) == is_found


def test_a_price_that_comes_back_is_no_error(ordinary_order):
    # Four in a hundred cost a twentieth: an error only until three have done so.
    prices = [0.39 if n % 25 == 24 else 7.80 for n in range(500)]
    found = rule_findings(ordinary_order, product_signals(sold_at(prices)), LIMITS)
    assert found["order_id"].tolist() == ["o00024", "o00049", "o00074"]


def test_what_is_weighed_has_no_price(ordinary_order):
    amounts = 7 * np.exp(0.3 * np.random.default_rng(0).standard_t(3, size=1000))
    products = product_signals(sold_at(amounts.round(2)))
    far = np.abs(np.log(products["unit_price"] / products["usual_unit_price"])) > np.log(4)
    assert far.sum() > 10
    assert rule_findings(ordinary_order, products, LIMITS).empty


@pytest.mark.parametrize(("quantity", "is_found"), [(12, True), (11, False), (1, False)])
def test_twelve_where_one_is_usual_is_bulk(ordinary_order, ordinary_product, quantity, is_found):
    product = ordinary_product.assign(quantity=float(quantity), list_amount=10.0 * quantity)
    found = rule_findings(ordinary_order, product, LIMITS)
    assert found["anomaly_type"].tolist() == ["bulk_purchase"] * is_found
    if is_found:
        assert found["amount_at_stake"].tolist() == [110.0]


@pytest.mark.parametrize(("own", "is_found"), [(np.nan, True), (5.0, True), (7.0, False)])
def test_a_habit_is_no_bulk_purchase(ordinary_order, ordinary_product, own, is_found):
    product = ordinary_product.assign(quantity=20.0, list_amount=200.0, customer_usual_quantity=own)
    assert len(rule_findings(ordinary_order, product, LIMITS)) == is_found


@pytest.mark.parametrize(
    ("amount", "share", "own", "is_found"),
    [
        (20.0, 0.5, np.nan, True),  # (ln 10 + ln 12.5) / .5 / sqrt 2 = 6.8
        (4.0, 0.08, np.nan, False),
        (20.0, 0.5, 7.0, False),
        (4.99, 1.0, np.nan, False),
    ],
)
def test_coupons_far_beyond_everyone_are_abuse(
    ordinary_order, ordinary_product, amount, share, own, is_found
):
    order = ordinary_order.assign(
        coupon_amount_7d=amount, coupon_share=share, customer_usual_coupon_amount_7d=own
    )
    found = rule_findings(order, ordinary_product, LIMITS)
    assert found["anomaly_type"].tolist() == ["coupon_abuse"] * is_found


def test_an_amount_counts_against_customer_and_store_together(ordinary_order, ordinary_product):
    # For the customer alone it is 3.2 deviations, for both together (3.2 + 0) / sqrt 2.
    order = ordinary_order.assign(amount_paid=100.0, store_usual_amount=100.0)
    assert rule_findings(order, ordinary_product, LIMITS).empty
    order = ordinary_order.assign(amount_paid=100.0)
    found = rule_findings(order, ordinary_product, LIMITS)
    assert found["anomaly_type"].tolist() == ["unusual_amount"]
    assert found["score"].tolist() == [pytest.approx(2 * np.log(5) / 0.5 / np.sqrt(2) / 3)]


def test_less_than_usual_is_no_anomaly(ordinary_order, ordinary_product):
    order = ordinary_order.assign(amount_paid=0.1, coupon_amount_7d=0.01, coupon_share=0.0001)
    product = ordinary_product.assign(quantity=0.01)
    assert rule_findings(order, product, LIMITS).empty


@pytest.mark.parametrize(
    "column",
    ["earlier_priced_sales", "usual_unit_price", "usual_price_deviation", "price_spread"],
    ids=str,
)
def test_without_history_no_price_is_wrong(ordinary_order, ordinary_product, column):
    product = ordinary_product.assign(unit_price=100.0)
    missing = product.assign(**{column: 4 if column == "earlier_priced_sales" else np.nan})
    assert len(rule_findings(ordinary_order, product, LIMITS)) == 1
    assert rule_findings(ordinary_order, missing, LIMITS).empty


def test_too_little_at_stake_is_not_worth_a_look(ordinary_order, ordinary_product):
    product = ordinary_product.assign(unit_price=0.0, usual_unit_price=4.99)
    assert rule_findings(ordinary_order, product, LIMITS).empty
    assert len(rule_findings(ordinary_order, product, Limits(min_amount=4.99))) == 1


def test_the_worst_product_of_an_order_speaks_for_it(ordinary_order, ordinary_product):
    worse = ordinary_product.assign(product_id="worse", unit_price=900.0)
    product = ordinary_product.assign(unit_price=100.0)
    found = rule_findings(ordinary_order, pd.concat([product, worse]), LIMITS)
    assert found["product_id"].tolist() == ["worse"]


def test_the_highest_score_names_the_order(ordinary_order, ordinary_product):
    order = ordinary_order.assign(amount_paid=100.0)
    product = ordinary_product.assign(unit_price=1000.0)
    found = find_anomalies(order, product, LIMITS)
    assert found[["anomaly_type", "other_anomaly_types"]].to_numpy().tolist() == [
        ["price_error", "unusual_amount"]
    ]
    found = find_anomalies(order.assign(amount_paid=20000.0), product, LIMITS)
    assert found[["anomaly_type", "other_anomaly_types"]].to_numpy().tolist() == [
        ["unusual_amount", "price_error"]
    ]


# -- Isolation forest ----------------------------------------------------------------


def test_the_forest_finds_a_rare_mix_and_says_why(orders):
    ordinary = orders.sort_values(["ordered_at", "order_id"], ignore_index=True)
    odd = ordinary.copy()
    odd.loc[7, "order_hour"] = 3
    forest = MixForest(odd, seed=0)
    scores = forest.score(odd)
    assert scores[7] > forest.score(ordinary)[7]
    assert scores.min() > 0
    assert scores.max() < 1
    reason = forest.reasons(odd.iloc[[7]]).iloc[0]
    assert reason["measure"] == "order_hour"
    assert reason["observed_value"] == 3
    assert reason["typical_value"] == np.median(odd["order_hour"])
    # The reason is faithful: at the middle hour the order is less rare.
    calmed = odd.iloc[[7]].assign(order_hour=np.median(odd["order_hour"]))
    assert forest.score(calmed)[0] < scores[7]


def test_contamination_bounds_the_unusual_orders(orders, products):
    for contamination, most in ((0.0, 0), (0.001, 2), (0.01, 24)):
        found = find_anomalies(orders, products.iloc[:0], Limits(contamination=contamination))
        named = found["anomaly_type"].eq("unusual_order") | found[
            "other_anomaly_types"
        ].str.contains("unusual_order", na=False)
        assert named.sum() <= most
        assert bool(named.sum()) == bool(most)


# -- Injected into a simulated shop -----------------------------------------------------


def scale_first_line(lines: pd.DataFrame, *, quantity: float = 1, price: float = 1) -> pd.DataFrame:
    """Change the dearest line of each order."""
    dearest = lines.sort_values("list_amount", ascending=False).drop_duplicates("order_id").index
    changed = lines.copy()
    changed.loc[dearest, "quantity"] *= quantity
    changed.loc[dearest, ["list_amount", "amount_paid"]] *= quantity * price
    return changed


# The type, how orders become anomalous, and the least recall and precision.
INJECTIONS: dict[str, tuple[str, Inject, float, float]] = {
    "bulk": ("bulk_purchase", lambda lines: scale_first_line(lines, quantity=20), 0.95, 0.9),
    # A third wrong price of one of the few dearest products is a price that comes back.
    "too cheap": ("price_error", lambda lines: scale_first_line(lines, price=0.05), 0.8, 0.9),
    "too dear": ("price_error", lambda lines: scale_first_line(lines, price=10), 0.8, 0.9),
    "coupons": (
        "coupon_abuse",
        lambda lines: lines.assign(coupon_amount=(0.8 * lines["amount_paid"]).round(2)),
        0.9,
        # Other orders of the customer's week are found with it.
        0.8,
    ),
    "amount": (
        "unusual_amount",
        # Nothing is dear or bought in bulk, but there is ten times as much of everything.
        lambda lines: pd.concat(
            [lines.assign(product_id=lines["product_id"] + f"-{copy}") for copy in range(10)]
        ),
        0.8,
        0.9,
    ),
}


class Case(NamedTuple):
    """What is found in a shop in which some orders were made anomalous."""

    name: str
    chosen: set[str]
    found: pd.DataFrame
    orders: pd.DataFrame


def chosen_orders(lines: pd.DataFrame, seed: int) -> np.ndarray:
    """Orders from April on, worth at least 10, chosen at random."""
    late = lines[lines["ordered_at"] >= pd.Timestamp("2017-04-01")]
    worth = late.groupby("order_id")["amount_paid"].sum()
    dearest = late.groupby("order_id")["list_amount"].max()
    candidates = worth.index[(worth >= 10) & (dearest >= 6)].to_numpy()
    return np.random.default_rng(seed).choice(candidates, N_INJECTED, replace=False)


@pytest.fixture(scope="module", params=INJECTIONS)
def case(request, lines: pd.DataFrame) -> Case:
    name = request.param
    _, inject, _, _ = INJECTIONS[name]
    chosen = chosen_orders(lines, seed=len(name))
    is_chosen = lines["order_id"].isin(chosen)
    changed = pd.concat([lines[~is_chosen], inject(lines[is_chosen])], ignore_index=True)
    orders = order_signals(changed)
    found = find_anomalies(orders, product_signals(changed), LIMITS)
    return Case(name, set(chosen), found, orders)


def test_injected_anomalies_are_found_and_little_else(case):
    anomaly_type, _, least_recall, least_precision = INJECTIONS[case.name]
    types = case.found["anomaly_type"] + "," + case.found["other_anomaly_types"].fillna("")
    of_type = set(case.found.loc[types.str.contains(anomaly_type), "order_id"])
    assert len(of_type & case.chosen) / len(case.chosen) >= least_recall
    assert len(set(case.found["order_id"]) & case.chosen) / len(case.found) >= least_precision


def test_a_global_z_score_does_worse(case):
    amount = case.orders["amount_paid"]
    is_flagged = ((amount - amount.mean()) / amount.std()).abs() > 3
    baseline = set(case.orders.loc[is_flagged, "order_id"])

    def f1(flagged: set[str]) -> float:
        return 2 * len(flagged & case.chosen) / (len(flagged) + len(case.chosen))

    assert f1(set(case.found["order_id"])) > f1(baseline) + 0.2


def test_an_ordinary_shop_has_few_anomalies(orders, products):
    found = find_anomalies(orders, products, LIMITS)
    assert len(found) / len(orders) < 0.005


# -- Properties of the whole -------------------------------------------------------------


def test_what_comes_later_changes_no_rule(lines):
    until = pd.Timestamp("2017-09-01")
    early = lines[lines["ordered_at"] < until]
    whole = rule_findings(order_signals(lines), product_signals(lines), Limits(threshold=1.5))
    part = rule_findings(order_signals(early), product_signals(early), Limits(threshold=1.5))
    assert len(part) > 20
    expected = whole[whole["order_id"].isin(early["order_id"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(part, expected)


def test_the_order_of_rows_does_not_matter(orders, products):
    limits = Limits(threshold=1.5, contamination=0.01)
    expected = find_anomalies(orders, products, limits)
    shuffled = find_anomalies(
        orders.sample(frac=1, random_state=1), products.sample(frac=1, random_state=2), limits
    )
    assert len(expected) > 20
    pd.testing.assert_frame_equal(shuffled, expected, check_exact=True)


def test_no_other_column_is_read(orders, products):
    limits = Limits(threshold=1.5)
    expected = find_anomalies(orders, products, limits)
    read = find_anomalies(orders[[*ORDER_COLUMNS]], products[[*PRODUCT_COLUMNS]], limits)
    assert len(expected) > 20
    pd.testing.assert_frame_equal(read, expected, check_exact=True)


# -- Shops of hardly anything ------------------------------------------------------------


def simple_lines(n_orders: int, *, customers: int | None, amount: float = 10.0) -> pd.DataFrame:
    return sold_at([amount] * n_orders, customers=customers)


@pytest.mark.parametrize(
    "small",
    [
        simple_lines(1, customers=1),
        simple_lines(50, customers=None),
        simple_lines(500, customers=1),
        simple_lines(60, customers=3, amount=0.0),
        simple_lines(0, customers=1),
    ],
    ids=["one order", "one order each", "one customer", "nothing paid", "no orders"],
)
def test_shops_of_hardly_anything_have_no_anomalies(small, orders, products):
    found = find_anomalies(order_signals(small), product_signals(small), LIMITS)
    assert found.empty
    assert found.dtypes.equals(find_anomalies(orders, products, LIMITS).dtypes)


def test_one_customer_with_ten_thousand_orders(ordinary_order, ordinary_product):
    many = pd.concat([ordinary_order] * 10_000, ignore_index=True)
    many["order_id"] = pd.array([f"o{n:05}" for n in range(len(many))], dtype="str")
    many["ordered_at"] += pd.to_timedelta(np.arange(len(many)), unit="min")
    many.loc[5000, "amount_paid"] = 400.0
    found = find_anomalies(many, ordinary_product.iloc[:0], LIMITS)
    assert found["order_id"].tolist() == ["o05000"]


def test_an_anonymous_order_is_compared_with_the_store(ordinary_order, ordinary_product):
    anonymous = ordinary_order.assign(
        amount_paid=100.0,
        customer_usual_amount=np.nan,
        customer_amount_spread=np.nan,
        customer_earlier_orders=0,
    )
    found = find_anomalies(anonymous, ordinary_product, LIMITS)
    assert found["anomaly_type"].tolist() == ["unusual_amount"]
    assert found["typical_value"].tolist() == [20.0]
    assert found["customer_z"].isna().all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda orders: orders.drop(columns="store_usual_amount"), "store_usual_amount"),
        (lambda orders: pd.concat([orders, orders]), "duplicate rows"),
        (lambda orders: orders.assign(order_id=None), "null ids"),
        (lambda orders: orders.assign(amount_paid=np.nan), "amount_paid"),
    ],
)
def test_bad_orders_are_refused(ordinary_order, ordinary_product, change, message):
    with pytest.raises(ValueError, match=message):
        find_anomalies(change(ordinary_order), ordinary_product, LIMITS)


@pytest.mark.parametrize(
    "limits", [{"threshold": 0}, {"min_history": 0}, {"min_amount": -1}, {"contamination": -0.1}]
)
def test_bad_limits_are_refused(limits):
    with pytest.raises(ValueError, match=next(iter(limits))):
        Limits(**limits)


# -- Against the built warehouse -----------------------------------------------------------


@pytest.mark.warehouse
@pytest.mark.parametrize(
    ("whose", "key"), [("customer", "customer_id"), ("store", "store_or_channel")]
)
def test_usual_amounts_are_as_defined(
    warehouse: duckdb.DuckDBPyConnection, whose: str, key: str
) -> None:
    rows = warehouse.execute(
        f"""
        with chosen as (
            select {key} from intermediate.int_order_signals_measured
            group by {key} having count(*) between 90 and 160 order by {key} limit 3
        )
        select * from intermediate.int_order_signals_measured
        where {key} in (select {key} from chosen) order by ordered_at, order_id
        """
    ).df()
    assert len(rows) > 200
    expected = usual(rows, [key], "amount_paid")
    columns = {"middle": "usual_amount", "spread": "amount_spread", "earlier": "earlier_orders"}
    for name, column in columns.items():
        np.testing.assert_allclose(
            rows[f"{whose}_{column}"].to_numpy(float),
            expected[name].to_numpy(float),
            atol=0.0051,
            err_msg=column,
        )


@pytest.mark.warehouse
def test_usual_prices_are_as_defined(warehouse: duckdb.DuckDBPyConnection) -> None:
    rows = warehouse.execute(
        """
        with chosen as (
            select product_id from intermediate.int_order_products_compared
            group by product_id having count(*) between 90 and 160 order by product_id limit 3
        )
        select products.*, orders.ordered_at
        from intermediate.int_order_products_compared as products
        inner join intermediate.int_orders_enriched as orders using (order_id)
        where product_id in (select product_id from chosen) order by ordered_at, order_id
        """
    ).df()
    assert len(rows) > 200
    columns = {
        "unit_price": {
            "usual_unit_price": "middle",
            "usual_price_deviation": "deviation",
            "price_spread": "outer_spread",
            "earlier_priced_sales": "earlier",
        },
        "quantity": {
            "usual_quantity": "middle",
            "quantity_spread": "spread",
            "earlier_sales": "earlier",
        },
    }
    for value, names in columns.items():
        expected = usual(rows, ["product_id"], value)
        for column, name in names.items():
            np.testing.assert_allclose(
                rows[column].to_numpy(float),
                expected[name].to_numpy(float),
                atol=0.0006,
                err_msg=column,
            )


@pytest.mark.warehouse
def test_no_price_error_is_a_price_that_comes_back(warehouse: duckdb.DuckDBPyConnection) -> None:
    errors = warehouse.execute(
        """
        select order_id, product_id, observed_value from predictions.order_anomalies
        where anomaly_type = 'price_error'
        """
    ).df()
    sales = warehouse.execute(
        """
        select products.*, orders.ordered_at
        from intermediate.int_order_products_compared as products
        inner join intermediate.int_orders_enriched as orders using (order_id)
        where product_id in (
            select product_id from predictions.order_anomalies where anomaly_type = 'price_error'
        )
        order by ordered_at, order_id
        """
    ).df()
    assert len(errors) > 10
    for error in errors.itertuples():
        of_product = sales[sales["product_id"] == error.product_id].reset_index(drop=True)
        place = of_product.index[of_product["order_id"] == error.order_id][0]
        latest = of_product["unit_price"].iloc[max(0, place - 100) : place]
        assert (latest == error.observed_value).sum() < 3
        # Half of its prices are much alike.
        assert latest.quantile(0.7) / latest.quantile(0.3) < 1.3
