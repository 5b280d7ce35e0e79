import duckdb
import pytest

from warehouse.lost_values import LostValues, find_lost_values


@pytest.fixture
def warehouse() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("""
        create table raw_orders as
        select * from (values
            ('1', '2026-03-01', 'a'),
            ('two', '01.03.2026', 'b'),
            (' ', null, 'c'),
            (null, '2026-03-02', 'c')
        ) as rows (quantity, day, note)
    """)
    return connection


def test_counts_what_a_model_turns_into_null(warehouse: duckdb.DuckDBPyConnection) -> None:
    sql = """
        with source as (select * from raw_orders),
        renamed as (
            select
                try_cast(quantity as int) as quantity,
                try_strptime(day, '%Y-%m-%d') as ordered_at,
                note
            from source
        ),
        final as (select * from renamed)
        select * from final
    """
    assert find_lost_values(warehouse, "stg_orders", sql) == [
        LostValues("stg_orders", "quantity", rows=4, lost=1, example="two"),
        LostValues("stg_orders", "ordered_at", rows=4, lost=1, example="01.03.2026"),
    ]


def test_a_value_is_not_lost_if_another_attempt_reads_it(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    sql = """
        select coalesce(try_cast(day as date), try_strptime(day, '%d.%m.%Y')) as day
        from raw_orders
    """
    assert find_lost_values(warehouse, "stg_orders", sql) == []


def test_rows_that_a_model_leaves_out_are_not_looked_at(
    warehouse: duckdb.DuckDBPyConnection,
) -> None:
    sql = "select try_cast(quantity as int) as quantity from raw_orders where note = 'a'"
    assert find_lost_values(warehouse, "stg_orders", sql) == []


def test_a_model_that_casts_nothing_is_not_read(warehouse: duckdb.DuckDBPyConnection) -> None:
    assert find_lost_values(warehouse, "stg_orders", "select note from nowhere") == []
