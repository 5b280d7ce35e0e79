"""A small shop made of a table of purchases, for the tests beside this file."""

from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
import pandas as pd

from personalization.generators.base import GeneratorInputs
from personalization.interactions import BoolArray

INTERVAL = 28
NEWEST_DAY = 280
ITEM_COLUMNS = ["item_id", "department", "category", "subcategory", "brand", "size", "item_name"]


@dataclass(frozen=True)
class PurchaseShop:
    """What `warehouse.shop.Shop` reads from the warehouse, computed from purchases.

    Attributes:
        purchases: One row per purchase: `customer_id`, `item_id`, `day`. A customer has one order
            a day.
        items: What is known of the items: `item_id` and any of `ITEM_COLUMNS`.
        not_offered: Items that must not be recommended.
        strangers: Customers without a purchase, to serve at the newest cutoff.
    """

    purchases: pd.DataFrame
    items: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=ITEM_COLUMNS))
    not_offered: tuple[str, ...] = ()
    strangers: tuple[str, ...] = ()

    def with_purchases(self, purchases: pd.DataFrame) -> Self:
        return replace(self, purchases=purchases)

    def before(self, step: int) -> pd.DataFrame:
        return self.purchases[self.purchases["day"] < cutoff(step)]

    def after(self, step: int) -> pd.DataFrame:
        return self.purchases[self.purchases["day"] >= cutoff(step)]

    def inputs(self, step: int, *, with_baskets: bool = False) -> GeneratorInputs:
        known = self.before(step).drop_duplicates()
        age = cutoff(step) - known["day"]
        known = known.assign(
            age=age,
            weight=0.95 ** (age / 7),
            slow_weight=0.98 ** (age / 7),
            purchase_count=1,
            purchase_count_7d=(age <= 7).astype("int64"),
            recent_purchase_count=(age <= 28).astype("int64"),
            purchase_count_84d=(age <= 84).astype("int64"),
        )
        pairs = known.groupby(["customer_id", "item_id"])
        interactions = pairs[[*known.columns[4:]]].sum().reset_index()
        interactions["days_since_last_purchase"] = pairs["age"].min().to_numpy()
        interactions["days_since_first_purchase"] = pairs["age"].max().to_numpy()
        orders = known[["customer_id", "day", "recent_purchase_count"]].drop_duplicates()
        customers = (
            orders.groupby("customer_id")
            .agg(orders=("day", "size"), orders_28d=("recent_purchase_count", "sum"))
            .reset_index()
        )
        customers["segment"] = np.where(customers["orders"] > 20, "many", "few")
        if step == 0:
            strangers = pd.DataFrame({"customer_id": pd.array(self.strangers, dtype="str")})
            customers = customers.merge(strangers, on="customer_id", how="outer")
        basket = known.groupby(["day", "customer_id"]).ngroup()
        baskets = known.assign(basket=basket, age_days=age)
        return GeneratorInputs.from_frames(
            interactions,
            customers=customers,
            items=self.items.reindex(columns=ITEM_COLUMNS),
            baskets=baskets if with_baskets else None,
        )

    def is_offered(self, inputs: GeneratorInputs, step: int) -> BoolArray:
        del step
        return ~pd.Index(inputs.interactions.item_ids).isin(self.not_offered)

    def bought_next(self, step: int) -> pd.DataFrame:
        is_next = self.purchases["day"].between(cutoff(step), cutoff(step - 1) - 1)
        return self.purchases.loc[is_next, ["customer_id", "item_id"]].drop_duplicates()


def cutoff(step: int) -> int:
    return NEWEST_DAY - step * INTERVAL


def purchase_table(rows) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["customer_id", "item_id", "day"])
    return frame.astype({"customer_id": "str", "item_id": "str", "day": "int64"})


def random_items(n_items: int, seed: int = 0) -> pd.DataFrame:
    """Items with groups of several sizes, some without."""
    rng = np.random.default_rng(seed)

    def groups(name: str, n_groups: int) -> list[str | None]:
        number = rng.integers(-1, n_groups, n_items)
        return [None if i < 0 else f"{name}{i}" for i in number]

    return pd.DataFrame(
        {
            "item_id": pd.array([f"i{i:02}" for i in range(n_items)], dtype="str"),
            "department": groups("department", 2),
            "category": groups("category", 4),
            "subcategory": groups("subcategory", 8),
            "brand": groups("brand", 5),
            "size": groups("size", 3),
            "item_name": groups("name", 9),
        }
    )


def random_shop(seed: int, *, n_customers: int = 60, n_items: int = 30) -> PurchaseShop:
    """Customers with favorites that they buy again, and now and then something else."""
    rng = np.random.default_rng(seed)
    rows = []
    popularity = rng.dirichlet(np.full(n_items, 0.5))
    for customer in range(n_customers):
        favorites = rng.choice(n_items, size=min(5, n_items), replace=False)
        for day in np.flatnonzero(rng.random(NEWEST_DAY) < rng.uniform(0.02, 0.15)):
            bought = favorites[rng.random(len(favorites)) < 0.5].tolist()
            bought += rng.choice(n_items, size=2, p=popularity).tolist()
            rows += [(f"c{customer:03}", f"i{item:02}", day) for item in set(bought)]
    return PurchaseShop(purchase_table(rows), random_items(n_items, seed))
