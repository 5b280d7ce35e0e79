from collections.abc import Iterator
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pytest

from personalization.generators.base import GeneratorInputs
from personalization.generators.registry import GENERATORS
from warehouse.shop import Shop

NEWEST, BEFORE = date(2026, 3, 1), date(2026, 2, 1)

# Customer ids say what is special: ann and bob buy, cat does so only after the older cutoff, dan
# last bought what is no longer sold, eve never ordered.
TABLES = f"""
    create table int_cutoffs_spined as from (values
        (date '{BEFORE}', 1, false), (date '{NEWEST}', 0, true)
    ) as t(as_of_date, step, is_newest);

    create table int_interactions_weighted as from (values
        (date '{BEFORE}', false, 'ann', 'milk', 5, 1, 2, 3, 4, 60, 1.5, 2.5),
        (date '{BEFORE}', false, 'bob', 'milk', 1, 0, 0, 0, 90, 90, 0.1, 0.2),
        (date '{BEFORE}', false, 'ann', 'kale', 2, 0, 0, 1, 70, 99, 0.3, 0.4),
        (date '{BEFORE}', false, 'dan', 'wool', 1, 0, 0, 0, 99, 99, 0.1, 0.1),
        (date '{NEWEST}', true, 'ann', 'milk', 7, 2, 3, 4, 1, 88, 2.5, 3.5),
        (date '{NEWEST}', true, 'bob', 'milk', 1, 0, 0, 0, 118, 118, 0.1, 0.2),
        (date '{NEWEST}', true, 'cat', 'jam', 1, 1, 1, 1, 3, 3, 0.9, 0.95),
        (date '{NEWEST}', true, 'ann', 'kale', 2, 0, 0, 0, 98, 127, 0.2, 0.3),
        (date '{NEWEST}', true, 'dan', 'wool', 1, 0, 0, 0, 127, 127, 0.1, 0.1)
    ) as t(
        as_of_date, is_newest, customer_id, product_id, purchase_count, purchase_count_7d,
        recent_purchase_count, purchase_count_84d, days_since_last_purchase,
        days_since_first_purchase, weight, slow_weight
    );

    create table int_next_purchases_collected as from (values
        (date '{BEFORE}', 'ann', 'milk'), (date '{BEFORE}', 'cat', 'jam'),
        (date '2026-01-04', 'bob', 'wool')
    ) as t(as_of_date, customer_id, product_id);

    create table int_customer_activity_totaled as from (values
        ('ann', date '{BEFORE}', 9, 3, 0.5), ('bob', date '{BEFORE}', 1, 0, 0.5),
        ('dan', date '{BEFORE}', 1, 0, 0.5), ('ann', date '{NEWEST}', 12, 4, 0.5),
        ('bob', date '{NEWEST}', 1, 0, 0.5), ('cat', date '{NEWEST}', 1, 1, 0.5),
        ('dan', date '{NEWEST}', 1, 0, 0.5)
    ) as t(customer_id, as_of_date, orders, orders_28d, something_else);

    create table segment_history as from (values
        ('ann', date '{BEFORE}', 'promising'), ('bob', date '{BEFORE}', 'lost'),
        ('ann', date '{NEWEST}', 'champions'), ('bob', date '{NEWEST}', 'lost'),
        ('cat', date '{NEWEST}', 'new')
    ) as t(customer_id, as_of_date, segment);

    create table int_customers_accepted as from (values
        ('eve', '25-34'), ('ann', '35-44'), ('bob', null), ('cat', null), ('dan', null)
    ) as t(customer_id, age_band);

    create table products as from (values
        ('milk', 'food', 'dairy', 'milk', 'own', '1 l', 'Milk'),
        ('kale', 'food', 'greens', 'cabbage', null, null, 'Kale'),
        ('jam', 'food', 'sweets', 'jam', 'b1', '200 g', 'Jam'),
        ('wool', 'home', 'crafts', 'wool', null, null, 'Wool'),
        ('oats', 'food', 'cereals', 'oats', 'own', '1 kg', 'Oats'),
        ('salt', 'food', 'spices', 'salt', 'own', '1 kg', 'Salt')
    ) as t(product_id, department, category, subcategory, brand, size, product_name);

    create table admitted_products as from (values
        ('milk', 'for_you', true, false), ('milk', 'trending', false, false),
        ('jam', 'for_you', false, false), ('jam', 'trending', false, false),
        ('oats', 'for_you', true, true), ('oats', 'trending', true, true),
        ('salt', 'for_you', false, false), ('wool', 'for_you', true, false)
    ) as t(product_id, surface, is_admitted, is_new_item);

    -- Order 3 became known on the day of the older cutoff, though it lies before, order 9 likewise.
    create table int_order_lines_enriched as from (values
        (1, 'ann', 'milk', '2026-01-03 09:00', '2026-01-03', 2, false),
        (1, 'ann', 'milk', '2026-01-03 09:00', '2026-01-03', 1, false),
        (1, 'ann', 'kale', '2026-01-03 09:00', '2026-01-03', 1, false),
        (2, 'bob', 'milk', '2026-01-02 09:00', '2026-01-02', 1, false),
        (3, 'ann', 'milk', '2026-01-30 09:00', '{BEFORE}', 1, false),
        (4, 'cat', 'jam', '2026-02-26 09:00', '2026-02-26', 1, false),
        (5, null, 'milk', '2026-01-05 09:00', '2026-01-05', 1, false),
        (6, 'bob', 'milk', '2026-01-06 09:00', '2026-01-06', -1, true),
        (7, 'bob', 'milk', '2026-01-07 09:00', '2026-01-07', 0, false),
        (8, 'dan', 'wool', '2025-10-25 09:00', '2025-10-25', 1, false),
        (9, 'ann', 'milk', '2026-02-02 09:00', '{NEWEST}', 1, false)
    ) as t(order_id, customer_id, product_id, ordered_at, known_date, units, is_return);
    alter table int_order_lines_enriched alter known_date type date;
    alter table int_order_lines_enriched alter ordered_at type timestamp;
    alter table int_order_lines_enriched add column order_date date;
    update int_order_lines_enriched set order_date = cast(ordered_at as date);
    alter table int_order_lines_enriched add column returned_date date;
    -- Bob's milk came back on the day of the older cutoff: only the newest knows of it.
    update int_order_lines_enriched set returned_date = '{BEFORE}' where order_id = 2;

    create table association_rules as from (values
        (date '{BEFORE}', 'milk', 'kale', 0.5, 2.0), (date '{NEWEST}', 'kale', 'milk', 0.8, 3.0)
    ) as t(as_of_date, product_id, consequent_product_id, confidence, lift);
"""
RELATIONS = [
    "int_cutoffs_spined",
    "int_interactions_weighted",
    "int_next_purchases_collected",
    "int_customer_activity_totaled",
    "segment_history",
    "int_customers_accepted",
    "products",
    "admitted_products",
    "int_order_lines_enriched",
    "association_rules",
]


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute(TABLES)
        yield connection


@pytest.fixture
def shop(connection: duckdb.DuckDBPyConnection) -> Shop:
    return Shop(*(connection.table(name) for name in RELATIONS))


def weights(inputs: GeneratorInputs) -> dict[tuple[str, str], float]:
    ids, found = inputs.interactions, inputs.interactions.weights.tocoo()
    customer, item = found.coords
    pairs = zip(ids.customer_ids[customer], ids.item_ids[item], strict=True)
    return dict(zip(pairs, found.data.tolist(), strict=True))


def baskets(inputs: GeneratorInputs) -> set[tuple]:
    ids, rows = inputs.interactions, inputs.baskets
    assert not rows.duplicated().any()
    return set(
        zip(
            rows["basket"],
            ids.customer_ids[rows["customer"]],
            ids.item_ids[rows["item"]],
            rows["age_days"],
            strict=True,
        )
    )


def test_the_cutoffs_by_step(shop):
    assert dict(shop.dates) == {0: NEWEST, 1: BEFORE}


class TestAnEarlierCutoff:
    def test_items_sold_in_the_84_days_before(self, shop):
        inputs = shop.inputs(1)
        assert inputs.interactions.item_ids.tolist() == ["kale", "milk"]
        # Of what still sells, older purchases count as well.
        expected = {("ann", "kale"): 0.3, ("ann", "milk"): 1.5, ("bob", "milk"): 0.1}
        assert weights(inputs) == expected
        assert inputs.items["category"].tolist() == ["greens", "dairy"]
        assert inputs.items["item_name"].tolist() == ["Kale", "Milk"]
        known = ["department", "category", "subcategory", "brand", "size", "item_name"]
        assert inputs.items.columns.tolist() == known

    def test_customers_who_had_ordered(self, shop):
        inputs = shop.inputs(1)
        assert inputs.interactions.customer_ids.tolist() == ["ann", "bob", "dan"]
        assert inputs.customers["orders"].tolist() == [9, 1, 1]
        assert inputs.customers["orders_28d"].tolist() == [3, 0, 0]
        assert inputs.customers["segment"].tolist()[:2] == ["promising", "lost"]
        assert pd.isna(inputs.customers["segment"][2])
        assert inputs.bought[[2]].nnz == 0

    def test_history(self, shop):
        inputs = shop.inputs(1)
        rows = inputs.history.set_index(["customer", "item"])
        assert len(rows) == 3
        assert rows.loc[(0, 1)].to_dict() == {
            "purchase_count": 5,
            "purchase_count_7d": 1,
            "recent_purchase_count": 2,
            "purchase_count_84d": 3,
            "days_since_last_purchase": 4,
            "days_since_first_purchase": 60,
            "slow_weight": 2.5,
        }

    def test_baskets_known_by_then(self, shop):
        inputs = shop.inputs(1, with_baskets=True)
        # Basket 1 is Dan's wool, which is no item any more.
        assert baskets(inputs) == {
            (3, "ann", "milk", 29),
            (3, "ann", "kale", 29),
            (2, "bob", "milk", 30),
        }
        assert shop.inputs(1).baskets.empty

    def test_everything_that_sold_may_be_offered(self, shop):
        assert shop.is_offered(shop.inputs(1), 1).tolist() == [True, True]

    def test_what_was_bought_next(self, shop):
        rows = shop.bought_next(1)
        assert rows.columns.tolist() == ["customer_id", "item_id"]
        assert set(rows.itertuples(index=False, name=None)) == {("ann", "milk"), ("cat", "jam")}


class TestTheNewestCutoff:
    def test_items_sold_and_new_items(self, shop):
        inputs = shop.inputs(0)
        # Kale sells no more, oats are new, salt is neither.
        assert inputs.interactions.item_ids.tolist() == ["jam", "milk", "oats"]
        expected = {("ann", "milk"): 2.5, ("bob", "milk"): 0.1, ("cat", "jam"): 0.9}
        assert weights(inputs) == expected
        assert inputs.items["category"].tolist() == ["sweets", "dairy", "cereals"]

    def test_all_customers_are_served(self, shop):
        inputs = shop.inputs(0)
        assert inputs.interactions.customer_ids.tolist() == ["ann", "bob", "cat", "dan", "eve"]
        assert inputs.customers["orders"].tolist()[:4] == [12, 1, 1, 1]
        assert inputs.customers["segment"].tolist()[:3] == ["champions", "lost", "new"]
        assert inputs.customers.loc[4].isna().all()
        assert inputs.bought[[4]].nnz == 0

    def test_baskets(self, shop):
        found = baskets(shop.inputs(0, with_baskets=True))
        assert found == {
            (2, "ann", "milk", 57),
            (3, "ann", "milk", 30),
            (4, "cat", "jam", 3),
        }

    def test_what_some_surface_admits_may_be_offered(self, shop):
        assert shop.is_offered(shop.inputs(0), 0).tolist() == [False, True, True]


class TestNothingLaterIsKnown:
    @pytest.mark.parametrize(
        ("table", "condition"),
        [
            ("int_interactions_weighted", f"as_of_date > date '{BEFORE}'"),
            ("int_customer_activity_totaled", f"as_of_date > date '{BEFORE}'"),
            ("segment_history", f"as_of_date > date '{BEFORE}'"),
            ("int_order_lines_enriched", f"known_date >= date '{BEFORE}'"),
            ("association_rules", f"as_of_date > date '{BEFORE}'"),
            ("admitted_products", "true"),
            ("int_customers_accepted", "true"),
            ("int_next_purchases_collected", "true"),
        ],
    )
    def test_an_earlier_cutoff_is_the_same_without_later_rows(
        self, connection, shop, table, condition
    ):
        before = shop.inputs(1, with_baskets=True)
        [deleted] = connection.execute(f"delete from {table} where {condition}").fetchone()
        assert deleted > 0
        after = shop.inputs(1, with_baskets=True)
        assert weights(after) == weights(before)
        assert baskets(after) == baskets(before)
        pd.testing.assert_frame_equal(after.customers, before.customers)
        pd.testing.assert_frame_equal(after.items, before.items)
        keys = ["customer", "item"]
        pd.testing.assert_frame_equal(
            after.history.sort_values(keys, ignore_index=True),
            before.history.sort_values(keys, ignore_index=True),
        )
        np.testing.assert_array_equal(shop.is_offered(after, 1), shop.is_offered(before, 1))


class TestGenerators:
    def test_are_those_of_the_package_and_the_rules(self, shop):
        generators = shop.generators(0)
        assert set(generators) <= {*GENERATORS, "rule_based"}
        assert {"popular", "buy_again", "ease", "rp3_beta", "rule_based"} <= set(generators)

    def test_all_run_on_what_the_warehouse_knows(self, shop):
        inputs = shop.inputs(0, with_baskets=True)
        for name, generator in shop.generators(0).items():
            block = generator(inputs)(slice(0, 5))
            assert block.shape == (5, 3), name
            assert (block >= 0).all(), name
            assert np.isfinite(block).all(), name

    def test_rules_are_those_of_the_cutoff(self, shop):
        """At the older cutoff milk leads to kale, at the newest kale, which sells no more."""
        found = []
        for step in (1, 0):
            inputs = shop.inputs(step)
            block = shop.generators(step)["rule_based"](inputs)(slice(0, None))
            customer, item = np.nonzero(block)
            ids = inputs.interactions
            found.append(set(zip(ids.customer_ids[customer], ids.item_ids[item], strict=True)))
        assert found == [{("ann", "kale"), ("bob", "kale")}, set()]


def test_an_empty_warehouse(connection):
    for name in RELATIONS[1:]:
        connection.execute(f"delete from {name}")
    shop = Shop(*(connection.table(name) for name in RELATIONS))
    for step in (0, 1):
        inputs = shop.inputs(step, with_baskets=True)
        assert inputs.bought.shape == (0, 0)
        assert shop.is_offered(inputs, step).shape == (0,)
    assert shop.bought_next(1).empty


def test_customers_before_the_first_sale(connection):
    """A shop that has customers and new items but has sold nothing yet."""
    for name in ("int_interactions_weighted", "int_customer_activity_totaled", "segment_history"):
        connection.execute(f"delete from {name}")
    shop = Shop(*(connection.table(name) for name in RELATIONS))
    inputs = shop.inputs(0)
    assert inputs.interactions.customer_ids.tolist() == ["ann", "bob", "cat", "dan", "eve"]
    assert inputs.interactions.item_ids.tolist() == ["oats"]
    assert inputs.bought.nnz == 0
