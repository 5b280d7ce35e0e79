"""A small shop of customers who order, pause and leave, for the tests beside this file."""

from datetime import date, timedelta

import numpy as np
import pandas as pd

from personalization.predictions.predicting import History
from personalization.predictions.rhythms import rhythm_table

NEWEST = date(2018, 1, 1)
INTERVAL = 28


def cutoffs(n: int) -> list[date]:
    """So many cutoffs, the newest first."""
    return [NEWEST - timedelta(INTERVAL * step) for step in range(n)]


def orders(*rows: tuple) -> pd.DataFrame:
    """Customer, days before the newest cutoff, orders and amount; known the same day."""
    table = pd.DataFrame(rows, columns=["customer_id", "age", "orders", "amount_paid"])
    day = [NEWEST - timedelta(int(age)) for age in table.pop("age")]
    return table.assign(order_date=day, known_date=day).astype(
        {
            "customer_id": "str",
            "order_date": "datetime64[us]",
            "known_date": "datetime64[us]",
            "amount_paid": "float64",
        }
    )


def simulated_orders(n_customers: int, *, n_days: int = 400, seed: int = 0) -> pd.DataFrame:
    """Customers with their own rate, basket and, for many, a day on which they leave."""
    rng = np.random.default_rng(seed)
    rows = []
    for customer in range(n_customers):
        rate = min(rng.gamma(0.8, 0.12), 0.9)
        basket = rng.gamma(3.0, 12.0)
        first = int(rng.integers(30, n_days))
        stays = int(rng.exponential(300))
        ages = np.arange(first, max(first - stays, 0), -1)
        is_order = rng.random(len(ages)) < rate
        is_order[:1] = True
        rows += [
            (f"c{customer:04d}", age, 1, round(basket * rng.gamma(4.0, 0.25), 2))
            for age in ages[is_order]
        ]
    return orders(*rows)


def outcomes(order_days: pd.DataFrame, days: list[date], *, end: date = NEWEST) -> pd.DataFrame:
    """What `int_customer_outcomes_observed` holds, looked up order by order."""
    rows = []
    for customer, own in order_days.groupby("customer_id"):
        for cutoff in days:
            ahead = (own["order_date"] - pd.Timestamp(cutoff)).dt.days.to_numpy()
            paid = own["amount_paid"].to_numpy()

            def within(length: int, cutoff=cutoff, ahead=ahead):
                is_over = cutoff + timedelta(length) <= end
                return ((ahead >= 0) & (ahead < length)) if is_over else None

            week_4, week_8, week_13, half = (within(length) for length in (28, 56, 91, 182))
            rows.append(
                {
                    "customer_id": customer,
                    "as_of_date": cutoff,
                    "has_ordered_28d": None if week_4 is None else float(week_4.any()),
                    "has_churned": None if week_8 is None else float(not week_8.any()),
                    "spend_28d": None if week_4 is None else paid[week_4].sum(),
                    "spend_91d": None if week_13 is None else paid[week_13].sum(),
                    "spend_lifetime": None if half is None else paid[half].sum(),
                    "days_until_next_order": None
                    if week_13 is None
                    else float(ahead[week_13].min(initial=90) + 1),
                }
            )
    columns = ["has_ordered_28d", "has_churned", "spend_28d", "spend_91d", "spend_lifetime"]
    columns = ["customer_id", "as_of_date", *columns, "days_until_next_order"]
    return pd.DataFrame(rows, columns=columns).astype(
        {"customer_id": "str", "as_of_date": "datetime64[us]"}
        | dict.fromkeys(columns[2:], "float64")
    )


def history(order_days: pd.DataFrame, days: list[date], *, end: date = NEWEST) -> History:
    """Customers with their features at some cutoffs, and the outcomes known at the end."""
    features = rhythm_table(order_days, days)
    table = features.merge(
        outcomes(order_days, days, end=end), on=["customer_id", "as_of_date"], how="left"
    )
    return History(table, features.columns[2:])
