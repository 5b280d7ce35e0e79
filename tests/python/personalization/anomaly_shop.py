"""A simulated shop, and what is usual in it, for the tests beside this file.

`order_signals` and `product_signals` say in pandas what `int_order_signals_measured` and
`int_order_products_compared` say in SQL.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

HISTORY = 100
START = pd.Timestamp("2017-01-01")
LINE_COLUMNS = [
    "order_id",
    "customer_id",
    "store_or_channel",
    "ordered_at",
    "product_id",
    "quantity",
    "list_amount",
    "amount_paid",
    "coupon_amount",
]


def simulated_lines(seed: int = 0, *, n_customers: int = 60, n_products: int = 60) -> pd.DataFrame:
    """Lines of ordinary orders: customers spend alike, products cost alike, coupons are small."""
    rng = np.random.default_rng(seed)
    prices = rng.lognormal(1.5, 0.6, n_products).round(2)
    rows = []
    for customer in range(n_customers):
        size = rng.lognormal(1.5, 0.8)
        store = f"s{customer % 3}"
        days = np.sort(rng.choice(364, size=40, replace=False))
        for number, day in enumerate(days):
            ordered_at = START + pd.Timedelta(days=int(day), hours=int(rng.integers(8, 21)))
            has_coupon = rng.random() < 0.5
            products = rng.choice(
                n_products, size=min(n_products, 1 + rng.poisson(size)), replace=False
            )
            for place, product in enumerate(products):
                quantity = 1 + rng.poisson(0.3)
                price = prices[product] * rng.choice([1.0, 1.0, 1.0, 0.9, 1.1])
                list_amount = round(quantity * price, 2)
                discount = rng.choice([0.0, 0.0, 0.2, 0.4])
                coupon = round(rng.lognormal(0, 0.4), 2) if has_coupon and place == 0 else 0.0
                rows.append(
                    (
                        f"o{customer:02}-{number:02}",
                        f"c{customer:02}",
                        store,
                        ordered_at,
                        f"p{product:02}",
                        float(quantity),
                        list_amount,
                        round(list_amount * (1 - discount), 2),
                        coupon,
                    )
                )
    return line_table(rows)


def line_table(rows: Sequence[tuple]) -> pd.DataFrame:
    texts = ["order_id", "customer_id", "store_or_channel", "product_id"]
    return pd.DataFrame(list(rows), columns=LINE_COLUMNS).astype(
        dict.fromkeys(texts, "str") | {"ordered_at": "datetime64[ns]"}
    )


def usual(rows: pd.DataFrame, keys: Sequence[str], value: str) -> pd.DataFrame:
    """What the logarithms of earlier rows with the same keys were like; `rows` is in order of time.

    Median, median deviation, robust spread, spread by the outer deviations, and number.
    """
    logs = pd.Series(log(rows[value]), index=rows.index)
    parts = [_usual(logs.iloc[places]) for places in rows.groupby(list(keys)).indices.values()] or [
        _usual(logs)
    ]
    return pd.concat(parts).reindex(rows.index)


def _usual(logs: pd.Series) -> pd.DataFrame:
    before = logs.shift().rolling(HISTORY, min_periods=1)
    middle = before.median()
    deviations = (logs - middle).abs().shift().rolling(HISTORY, min_periods=1)
    half = deviations.quantile(0.5)
    return pd.DataFrame(
        {
            "middle": np.exp(middle),
            "deviation": half,
            "spread": np.fmax(half / 0.6745, deviations.quantile(0.9) / 1.6449),
            "outer_spread": deviations.quantile(0.98) / 2.3263,
            "earlier": before.count().fillna(0).astype("int64"),
        }
    )


def order_signals(lines: pd.DataFrame) -> pd.DataFrame:
    """The rows of `int_order_signals_measured`."""
    keys = ["order_id", "customer_id", "store_or_channel", "ordered_at"]
    by_order = lines.groupby(keys, as_index=False)
    orders = by_order.agg(
        order_lines=("product_id", "size"),
        units=("quantity", "sum"),
        amount_paid=("amount_paid", "sum"),
        list_amount=("list_amount", "sum"),
        coupon_amount=("coupon_amount", "sum"),
    ).sort_values(["ordered_at", "order_id"], ignore_index=True)
    orders["order_hour"] = orders["ordered_at"].dt.hour
    before_discounts = orders["list_amount"] + orders["coupon_amount"]
    orders["discount_share"] = 1 - orders["amount_paid"] / before_discounts
    for whose, key in (("customer", "customer_id"), ("store", "store_or_channel")):
        of = usual(orders, [key], "amount_paid")
        orders[f"{whose}_usual_amount"] = of["middle"]
        orders[f"{whose}_amount_spread"] = of["spread"]
        orders[f"{whose}_earlier_orders"] = of["earlier"]
    with_coupons = orders[orders["coupon_amount"] > 0].assign(everyone="everyone")
    with_coupons["coupon_share"] = with_coupons["coupon_amount"] / before_discounts
    day = with_coupons["ordered_at"].dt.normalize()
    with_coupons["coupon_amount_7d"] = [
        with_coupons.loc[
            (with_coupons["customer_id"] == customer)
            & (day > today - pd.Timedelta(days=7))
            & (with_coupons.index <= row),
            "coupon_amount",
        ].sum()
        for row, customer, today in zip(
            with_coupons.index, with_coupons["customer_id"], day, strict=True
        )
    ]
    amounts = usual(with_coupons, ["everyone"], "coupon_amount_7d")
    shares = usual(with_coupons, ["everyone"], "coupon_share")
    own = usual(with_coupons, ["customer_id"], "coupon_amount_7d")
    coupons = pd.DataFrame(
        {
            "coupon_amount_7d": with_coupons["coupon_amount_7d"],
            "usual_coupon_amount_7d": amounts["middle"],
            "coupon_amount_spread": amounts["spread"],
            "coupon_share": with_coupons["coupon_share"],
            "usual_coupon_share": shares["middle"],
            "coupon_share_spread": shares["spread"],
            "earlier_coupon_orders": amounts["earlier"],
            "customer_usual_coupon_amount_7d": own["middle"],
        }
    )
    return orders.join(coupons)


def product_signals(lines: pd.DataFrame) -> pd.DataFrame:
    """The rows of `int_order_products_compared`."""
    products = lines.sort_values(["ordered_at", "order_id", "product_id"], ignore_index=True)
    products["unit_price"] = products["list_amount"] / products["quantity"]
    prices = usual(products, ["product_id"], "unit_price")
    quantities = usual(products, ["product_id"], "quantity")
    products["usual_unit_price"] = prices["middle"]
    products["usual_price_deviation"] = prices["deviation"]
    products["price_spread"] = prices["outer_spread"]
    products["earlier_priced_sales"] = prices["earlier"]
    products["usual_quantity"] = quantities["middle"]
    products["quantity_spread"] = quantities["spread"]
    products["earlier_sales"] = quantities["earlier"]
    own = ["customer_id", "product_id"]
    until_now = products.groupby(own)["quantity"].expanding().median().droplevel(own)
    products["customer_usual_quantity"] = until_now.groupby(
        [products["customer_id"], products["product_id"]]
    ).shift()
    return products


def log(values: pd.Series) -> np.ndarray:
    """Logarithms of what is positive, NaN of the rest."""
    numbers = values.to_numpy(np.float64)
    return np.log(np.where(numbers > 0, numbers, np.nan))
