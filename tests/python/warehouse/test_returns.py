import pandas as pd
import pytest

from warehouse.returns import match_returns

MONDAY, TUESDAY, WEDNESDAY = pd.date_range("2011-01-03", periods=3)


def lines(*rows: tuple[str, pd.Timestamp, float, str, str, float]) -> pd.DataFrame:
    names = ["order_line_id", "invoiced_at", "quantity", "customer_id", "product_id", "unit_price"]
    frame = pd.DataFrame(list(rows), columns=names)
    return frame.astype({"invoiced_at": "datetime64[ns]"})


def matched(purchases: pd.DataFrame, returns: pd.DataFrame) -> dict[str, str]:
    same = ["customer_id", "product_id", "unit_price"]
    found = match_returns(purchases, returns, same)
    assert list(found.columns) == ["order_line_id", "returned_order_line_id"]
    assert found["order_line_id"].is_monotonic_increasing
    return dict(found.itertuples(index=False, name=None))


def test_the_latest_earlier_purchase_is_taken_back() -> None:
    purchases = lines(
        ("first", MONDAY, 5, "ann", "tea", 2.0),
        ("second", TUESDAY, 5, "ann", "tea", 2.0),
        ("later", WEDNESDAY, 5, "ann", "tea", 2.0),
    )
    returns = lines(("r", TUESDAY, -5, "ann", "tea", 2.0))
    assert matched(purchases, returns) == {"r": "second"}


def test_parts_come_back_until_none_is_left() -> None:
    purchases = lines(
        ("first", MONDAY, 5, "ann", "tea", 2.0), ("second", TUESDAY, 5, "ann", "tea", 2.0)
    )
    returns = lines(
        ("r4", WEDNESDAY, -3, "ann", "tea", 2.0),
        ("r1", WEDNESDAY, -3, "ann", "tea", 2.0),
        ("r2", WEDNESDAY, -3, "ann", "tea", 2.0),
        ("r3", WEDNESDAY, -2, "ann", "tea", 2.0),
    )
    assert matched(purchases, returns) == {"r1": "second", "r2": "first", "r3": "second"}


@pytest.mark.parametrize(
    "purchase",
    [
        ("p", MONDAY, 5, "bob", "tea", 2.0),
        ("p", MONDAY, 5, "ann", "jam", 2.0),
        ("p", MONDAY, 5, "ann", "tea", 2.5),
        ("p", MONDAY, 4, "ann", "tea", 2.0),
        ("p", WEDNESDAY, 5, "ann", "tea", 2.0),
    ],
    ids=["another customer", "another product", "another price", "too few units", "too late"],
)
def test_what_is_no_match(purchase: tuple[str, pd.Timestamp, float, str, str, float]) -> None:
    assert matched(lines(purchase), lines(("r", TUESDAY, -5, "ann", "tea", 2.0))) == {}


def test_a_return_is_not_split() -> None:
    purchases = lines(
        ("first", MONDAY, 3, "ann", "tea", 2.0), ("second", MONDAY, 3, "ann", "tea", 2.0)
    )
    assert matched(purchases, lines(("r", TUESDAY, -4, "ann", "tea", 2.0))) == {}


def test_fractions_add_up() -> None:
    returns = lines(
        *((f"r{tenth}", TUESDAY, -0.1, "ann", "tea", 2.0) for tenth in range(4)),
    )
    found = matched(lines(("p", MONDAY, 0.3, "ann", "tea", 2.0)), returns)
    assert found == {"r0": "p", "r1": "p", "r2": "p"}


def test_the_order_of_the_rows_does_not_matter() -> None:
    purchases = lines(*((f"p{i}", MONDAY, i + 1, "ann", "tea", 2.0) for i in range(9)))
    returns = lines(*((f"r{i}", TUESDAY, -(i % 4) - 1, "ann", "tea", 2.0) for i in range(9)))
    found = matched(purchases, returns)
    assert found
    assert matched(purchases[::-1], returns[::-1]) == found


def test_nothing_came_back() -> None:
    assert matched(lines(), lines()) == {}
