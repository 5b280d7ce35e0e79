"""What customers did after a cutoff, told from the demo's raw files alone.

No model of the warehouse is used, so that what it predicts is not judged by its own arithmetic.
"""

from collections.abc import Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection, DuckDBPyRelation

from benchmarks.past_shop import TIMEZONE

LONGEST_WAIT_DAYS = 91
"""Who does not order within so many days counts as ordering on the last of them."""


def order_days(connection: DuckDBPyConnection, source: Path) -> DuckDBPyRelation:
    """Read on which days of the shop's clock each household ordered, and for how much.

    Returns:
        One row per `customer_id` and `order_date` with `known_date` (the same day), `orders` and
        `amount_paid`.
    """
    return connection.sql(
        f"""
        select
            cast(household_id as varchar) as customer_id,
            cast(timezone('{TIMEZONE}', timezone('UTC', transaction_timestamp)) as date)
                as order_date,
            order_date as known_date,
            count(distinct basket_id) as orders,
            cast(sum(cast(sales_value as decimal(18, 2))) as double) as amount_paid
        from read_parquet('{source / "transactions.parquet"}')
        where household_id is not null
        group by all
        """
    )


def outcomes(days: DuckDBPyRelation, cutoffs: Sequence[str]) -> DuckDBPyRelation:
    """Tell what each customer did from each cutoff on.

    Args:
        days: `order_days`.
        cutoffs: Days.

    Returns:
        One row per `as_of_date` and `customer_id`: `days_since_order` (before the cutoff, 1 is the
        day before it; null for who had no order by then); and what came true, null where its
        period is not over by the last day of the data: `has_ordered_28d`, `has_churned` (no order
        within 56 days), `spend_28d`, `spend_91d`, `spend_lifetime` (182 days) and
        `days_until_next_order` (1 is the day of the cutoff).
    """
    dates = ", ".join(f"(date '{cutoff}')" for cutoff in cutoffs)
    return days.query(
        "days",
        f"""
        with ages as (
            select
                as_of_date,
                customer_id,
                -- Days of the cutoff's own count: 0 is the day of the cutoff.
                order_date - as_of_date as day,
                amount_paid,
                (select max(order_date) from days) - as_of_date + 1 as days_known
            from days, (values {dates}) as cutoffs (as_of_date)
        )

        select
            as_of_date,
            customer_id,
            -max(day) filter (day < 0) as days_since_order,
            case when any_value(days_known) >= 28
                then count(*) filter (day between 0 and 27) > 0 end as has_ordered_28d,
            case when any_value(days_known) >= 56
                then count(*) filter (day between 0 and 55) = 0 end as has_churned,
            case when any_value(days_known) >= 28
                then coalesce(sum(amount_paid) filter (day between 0 and 27), 0) end as spend_28d,
            case when any_value(days_known) >= 91
                then coalesce(sum(amount_paid) filter (day between 0 and 90), 0) end as spend_91d,
            case when any_value(days_known) >= 182
                then coalesce(sum(amount_paid) filter (day between 0 and 181), 0)
                end as spend_lifetime,
            case when any_value(days_known) >= {LONGEST_WAIT_DAYS}
                then least(
                    coalesce(min(day) filter (day >= 0) + 1, {LONGEST_WAIT_DAYS}),
                    {LONGEST_WAIT_DAYS}
                ) end as days_until_next_order
        from ages
        group by as_of_date, customer_id
        order by as_of_date, customer_id
        """,
    )


def next_categories(connection: DuckDBPyConnection, source: Path, cutoff: str) -> DuckDBPyRelation:
    """Read what was bought on the first day with an order within 28 days from a cutoff on.

    Returns:
        One row per `customer_id` and `category`.
    """
    return connection.sql(
        f"""
        with lines as (
            select
                cast(household_id as varchar) as customer_id,
                cast(timezone('{TIMEZONE}', timezone('UTC', transaction_timestamp)) as date)
                    as order_date,
                product_category as category,
                quantity > 0 or sales_value > 0 as is_bought
            from read_parquet('{source / "transactions.parquet"}')
            left join read_parquet('{source / "products.parquet"}') using (product_id)
            where
                household_id is not null
                and order_date between date '{cutoff}' and date '{cutoff}' + 27
        ),

        first_days as (
            select *
            from lines
            qualify order_date = min(order_date) over (partition by customer_id)
        )

        select distinct customer_id, category
        from first_days
        where is_bought and category is not null
        order by all
        """
    )
