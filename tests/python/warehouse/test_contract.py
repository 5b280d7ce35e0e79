import pytest

from warehouse.contract import InputColumn, InputTable, Rows, Rule, check_rows, required_columns


def column(name: str, data_type: str = "string") -> InputColumn:
    return InputColumn(name, data_type, f"What {name} means.")


def rule(rule_id: str, condition: str, action: str = "reject") -> Rule:
    return Rule(rule_id, condition, "error", action, "It is wrong.")


TABLES = [
    InputTable(
        name="products",
        description="One row per product.",
        is_required=True,
        key=("product_id",),
        columns=(column("product_id"), column("list_price", "decimal(18,2)")),
        rules=(
            rule("missing_key", "product_id is null"),
            rule("impossible_price", "list_price < 0"),
            rule("duplicate_key", "version_number > 1"),
        ),
    ),
    InputTable(
        name="orders",
        description="One row per order.",
        is_required=True,
        key=("order_id",),
        columns=(
            column("order_id"),
            column("product_id"),
            column("ordered_at", "timestamp"),
            column("note"),
            column("is_return", "boolean"),
            column("quantity", "int"),
        ),
        rules=(
            rule("missing_key", "order_id is null"),
            rule("future_timestamp", "cast(ordered_at as date) >= as_of_date"),
            rule("bad_timestamp", "ordered_at is null"),
            rule("unknown_product", "product_id is not null and not is_known_product"),
            rule("unknown_planet", "not is_known_planet"),
            rule("impossible_quantity", "quantity < 0 and not coalesce(is_return, false)"),
            rule("missing_note", "note is null", action="flag"),
        ),
    ),
]
GOOD: Rows = {
    "products": [{"product_id": "P-1", "list_price": "2.29"}, {"product_id": "P-2"}],
    "orders": [
        {"order_id": "O-1", "product_id": "P-1", "ordered_at": "2026-03-02 23:59:59", "note": "a"},
        {
            "order_id": "O-2",
            "ordered_at": "2026-03-01 08:00:00",
            "note": "back",
            "is_return": "true",
            "quantity": "-1",
        },
    ],
}


def test_good_rows_have_no_problem() -> None:
    assert check_rows(TABLES, GOOD) == []


@pytest.mark.parametrize(
    ("table", "row", "problem"),
    [
        ("orders", {"order_no": "1"}, "orders, row 3: order_no is no column of the contract"),
        ("orders", {"quantity": "many"}, "orders, row 3: quantity is many, expected int"),
        ("products", {"product_id": "P-2"}, "products, row 3: its key is that of an earlier row"),
        ("products", {"list_price": "-1"}, "products, row 3: breaks impossible_price"),
        ("orders", {"product_id": "P-3"}, "orders, row 3: breaks unknown_product"),
        ("orders", {"note": None}, "orders, row 3: breaks missing_note"),
        ("moons", {"moon_id": "Io"}, "moons: there is no such input table"),
    ],
)
def test_says_which_row_is_wrong_and_why(
    table: str, row: dict[str, str | None], problem: str
) -> None:
    good = {"product_id": "P-9"} if table == "products" else {**GOOD["orders"][0], "order_id": "O"}
    rows = {**GOOD, table: [*GOOD.get(table, []), {**good, **row}]}
    (found,) = check_rows(TABLES, rows)
    assert found.startswith(problem)


def test_a_column_is_required_if_the_gate_rejects_every_row_without_it() -> None:
    # note only flags; is_return saves the returns alone.
    assert required_columns(TABLES, GOOD) == {
        "products": {"product_id"},
        "orders": {"order_id", "ordered_at"},
    }
