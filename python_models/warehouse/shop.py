"""The state of the shop at each cutoff, read from relations of the warehouse."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from typing import Any, Final, Self

import numpy as np
import pandas as pd
from duckdb import DuckDBPyConnection, DuckDBPyRelation

from personalization.generators.base import Generator, GeneratorInputs
from personalization.generators.registry import FOR_REPEAT_PURCHASES
from personalization.generators.rules import rule_based
from personalization.interactions import BoolArray

# Left to `personalization evaluate`: they cost the most and say little that the others do not.
_LEFT_OUT: Final = ("gf_cf", "graph_blend")
# Where a built warehouse keeps the relations of a shop.
_RELATIONS: Final = {
    "cutoffs": "intermediate.int_cutoffs_spined",
    "interactions": "intermediate.int_interactions_weighted",
    "next_purchases": "intermediate.int_next_purchases_collected",
    "activity": "intermediate.int_customer_activity_totaled",
    "segments": "customers.segment_history",
    "customers": "intermediate.int_customers_accepted",
    "products": "behavior.products",
    "admitted": "recommendations.admitted_products",
    "order_lines": "intermediate.int_order_lines_enriched",
    "rules": "recommendations.association_rules",
}
_ITEM_COLUMNS = "department, category, subcategory, brand, size, product_name as item_name"


@dataclass(frozen=True)
class Shop:
    """Relations that hold all cutoffs, and what they say of one.

    dbt reads a model's refs from its own file, so the models that use a shop each spell them out.

    Attributes:
        cutoffs: `int_cutoffs_spined`.
        interactions: `int_interactions_weighted`.
        next_purchases: `int_next_purchases_collected`.
        activity: `int_customer_activity_totaled`.
        segments: `segment_history`.
        customers: `int_customers_accepted`; all of them are served at the newest cutoff.
        products: `products`.
        admitted: `admitted_products`; says what may be offered at the newest cutoff.
        order_lines: `int_order_lines_enriched`.
        rules: `association_rules`.
        recommendable_days: Items that nobody bought within so many days before a cutoff are not
            there: they neither sell nor say much about those that do.
    """

    cutoffs: DuckDBPyRelation
    interactions: DuckDBPyRelation
    next_purchases: DuckDBPyRelation
    activity: DuckDBPyRelation
    segments: DuckDBPyRelation
    customers: DuckDBPyRelation
    products: DuckDBPyRelation
    admitted: DuckDBPyRelation
    order_lines: DuckDBPyRelation
    rules: DuckDBPyRelation
    recommendable_days: int = 84

    @classmethod
    def read(cls, connection: DuckDBPyConnection) -> Self:
        """Find the relations in a built warehouse."""
        relations: dict[str, Any] = {
            field: connection.table(name) for field, name in _RELATIONS.items()
        }
        return cls(**relations)

    @cached_property
    def dates(self) -> Mapping[int, date]:
        """The cutoffs by how many intervals they lie before the newest."""
        rows = self.cutoffs.project("step, as_of_date").order("step").fetchall()
        return dict(rows)

    def inputs(self, step: int, *, with_baskets: bool = False) -> GeneratorInputs:
        """What generators may know at a cutoff.

        Items are those that somebody bought lately (`recommendable_days`). At the newest cutoff,
        items that are explicitly active and were never sold are there as well.

        Args:
            step: How many intervals the cutoff lies before the newest.
            with_baskets: Whether to read the orders too.
        """
        day = self.dates[step]
        at_cutoff = f"as_of_date = date '{day}'"
        known = self.interactions.filter(at_cutoff)
        is_recent = f"days_since_last_purchase <= {self.recommendable_days}"
        sold = known.filter(is_recent).project("product_id").distinct()
        interactions = (
            known.join(sold.set_alias("sold"), "product_id", how="semi")
            .project("* exclude (as_of_date, is_newest, product_id), product_id as item_id")
            .df()
        )

        customers = self.activity.filter(at_cutoff).project("customer_id, orders, orders_28d").df()
        segments = self.segments.filter(at_cutoff).project("customer_id, segment").df()
        customers = customers.merge(segments, on="customer_id", how="left")
        items = self.products.project(f"product_id as item_id, {_ITEM_COLUMNS}").df()
        is_item = items["item_id"].isin(interactions["item_id"].unique())
        if step == 0:
            customers = customers.merge(
                self.customers.project("customer_id").df(), on="customer_id", how="outer"
            )
            is_item |= items["item_id"].isin(self._offered("is_new_item"))
        baskets = None
        if with_baskets:
            lines = self.order_lines.filter(
                f"known_date < date '{day}' and customer_id is not null"
                " and units > 0 and not is_return"
                f" and (returned_date is null or returned_date >= date '{day}')"
            ).project(
                "dense_rank() over (order by ordered_at, order_id) as basket, customer_id,"
                f" product_id as item_id, date '{day}' - order_date as age_days"
            )
            baskets = lines.distinct().df()
        return GeneratorInputs.from_frames(
            interactions,
            customers=customers,
            items=items[is_item].reset_index(drop=True),
            baskets=baskets,
        )

    def is_offered(self, inputs: GeneratorInputs, step: int) -> BoolArray:
        """Which items may be recommended at a cutoff, shape (n_items,).

        What the shop excludes is known for the newest cutoff only; before, everything that sold.
        """
        item_ids = pd.Index(inputs.interactions.item_ids)
        if step > 0:
            return np.ones(len(item_ids), dtype=bool)
        offered: BoolArray = item_ids.isin(self._offered("is_admitted"))
        return offered

    def bought_next(self, step: int) -> pd.DataFrame:
        """Who bought what in the interval after a cutoff: `customer_id` and `item_id`."""
        purchases = self.next_purchases.filter(f"as_of_date = date '{self.dates[step]}'")
        return purchases.project("customer_id, product_id as item_id").df()

    def generators(self, step: int) -> dict[str, Generator]:
        """All generators, set up for a shop whose customers come again and again.

        `rule_based` is there at the newest cutoff and those back-tested, where there are rules.
        """
        chosen = {
            name: generator
            for name, generator in FOR_REPEAT_PURCHASES.items()
            if name not in _LEFT_OUT
        }
        rules = self.rules.filter(f"as_of_date = date '{self.dates[step]}'").project(
            "product_id as antecedent_item_id, consequent_product_id as consequent_item_id,"
            " confidence, lift"
        )
        if rules.limit(1).fetchone():
            chosen["rule_based"] = partial(rule_based, rules=rules.df())
        return chosen

    def _offered(self, condition: str) -> pd.Series:
        offered = self.admitted.filter(condition).project("product_id").distinct()
        return offered.df()["product_id"]
