"""Raw files to events, RFM and segments in plain pandas: what `sql_core` is compared with.

The rules are those of the dbt models, written as a data scientist would write them in a notebook:
whole columns at a time, one frame after the other.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from warehouse.paths import REPO_ROOT
from warehouse.raw_files import read_sources

SHOP_TIMEZONE = "America/New_York"
FIRST_PLAUSIBLE = pd.Timestamp("1990-01-01")
EVENT_COLUMNS = [
    "event_id",
    "event_type",
    "occurred_at",
    "event_date",
    "known_date",
    "customer_id",
    "anonymous_id",
    "product_id",
    "order_id",
    "campaign_id",
    "coupon_id",
    "units",
    "amount_paid",
    "search_query",
    "dwell_seconds",
    "rating",
    "channel",
    "device",
    "source_system",
]


def read(name: str) -> pd.DataFrame:
    """Read a raw table; ids become text."""
    (source,) = read_sources()
    assert source.directory is not None
    frame = pd.read_parquet(source.directory / f"{name}.parquet")
    for column in frame.columns:
        if column.endswith("_id") or column == "coupon_upc":
            frame[column] = frame[column].astype("Int64").astype("str")
    return frame


def shop_date(timestamps: pd.Series) -> Any:
    """Return the day on the shop's clock of a UTC timestamp."""
    local = timestamps.dt.tz_localize("UTC").dt.tz_convert(SHOP_TIMEZONE)
    return local.dt.tz_localize(None).dt.normalize()


def shop_midnight(days: pd.Series) -> Any:
    """Return the start of a day on the shop's clock as a UTC timestamp."""
    return days.dt.tz_localize(SHOP_TIMEZONE).dt.tz_convert("UTC").dt.tz_localize(None)


def judge(
    rows: pd.DataFrame, key: str, rejects: dict[str, pd.Series], flags: dict[str, pd.Series]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Try every rule on every row.

    Returns the accepted rows, and the verdicts on the exceptions: the rows that break a rule or
    share their key.
    """
    is_copy = rows.duplicated()
    breaks_any_reject = pd.concat(rejects.values(), axis=1).any(axis=1)
    ordered = rows[~is_copy].assign(is_faulty=breaks_any_reject).sort_values(["is_faulty", key])
    is_version = ordered.duplicated(key).reindex(rows.index, fill_value=False)
    rejected_by = pd.Series(pd.NA, index=rows.index, dtype="str")
    for rule, breaks in {"duplicate_key": is_version, **rejects}.items():
        rejected_by = rejected_by.mask(breaks & rejected_by.isna() & ~is_copy, rule)
    quality_flags = pd.Series("", index=rows.index, dtype="str")
    for rule, breaks in flags.items():
        quality_flags = quality_flags.mask(breaks, quality_flags + f",{rule}")
    quality_flags = quality_flags.str.removeprefix(",")
    quality_flags = quality_flags.mask(quality_flags == "")
    is_accepted = ~is_copy & rejected_by.isna()
    is_exception = ~is_accepted | quality_flags.notna() | rows.duplicated(key, keep=False)
    verdicts = pd.DataFrame(
        {
            key: rows[key],
            "rejected_by": rejected_by,
            "quality_flags": quality_flags,
            "row_status": np.select(
                [is_copy, rejected_by.notna()], ["exact_duplicate", "quarantined"], "accepted"
            ),
        }
    )
    return rows[is_accepted], verdicts[is_exception]


def build_events() -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.Timestamp]:
    """Build the events, the verdicts on order lines, the accepted lines and the newest cutoff."""
    transactions = read("transactions")
    lines = pd.DataFrame(
        {
            "order_line_id": transactions["basket_id"] + "-" + transactions["product_id"],
            "order_id": transactions["basket_id"],
            "product_id": transactions["product_id"],
            "quantity": transactions["quantity"],
            "amount_paid": transactions["sales_value"].round(2),
            "loyalty_discount": transactions["retail_disc"].round(2),
            "coupon_discount": transactions["coupon_disc"].round(2),
            "coupon_match_discount": transactions["coupon_match_disc"].round(2),
        }
    )
    orders = transactions[
        ["basket_id", "household_id", "transaction_timestamp", "store_id"]
    ].drop_duplicates()
    orders.columns = pd.Index(["order_id", "customer_id", "ordered_at", "store_or_channel"])
    households = set(transactions["household_id"]) | set(read("demographics")["household_id"])
    del transactions

    orders["order_date"] = shop_date(orders["ordered_at"])
    cutoff = orders["order_date"].max() + pd.Timedelta(days=1)
    orders, _ = judge(
        orders,
        "order_id",
        {
            "missing_key": orders["order_id"].isna(),
            "bad_timestamp": ~(orders["ordered_at"] >= FIRST_PLAUSIBLE),
            "future_timestamp": orders["order_date"] >= cutoff,
            "unknown_customer": ~orders["customer_id"].isin(households),
        },
        {},
    )
    lines, verdicts = judge(
        lines,
        "order_line_id",
        {
            "missing_key": lines[["order_id", "product_id"]].isna().any(axis=1),
            "unknown_order": ~lines["order_id"].isin(orders["order_id"]),
            "impossible_quantity": ~(lines["quantity"] >= 0),
            "impossible_price": ~lines["amount_paid"].between(0, 100_000),
            "impossible_discount": (lines["loyalty_discount"] < 0)
            | (lines["coupon_discount"] < 0)
            | (lines["coupon_match_discount"] < 0),
        },
        {
            "unknown_product": ~lines["product_id"].isin(read("products")["product_id"]),
            "zero_quantity": lines["quantity"] == 0,
            "measured_quantity": lines["quantity"].abs() > 100,
            "coupon_exceeds_amount": (lines["amount_paid"] > 0)
            & (lines["coupon_discount"] > lines["amount_paid"]),
        },
    )
    lines["units"] = np.where(
        (lines["quantity"] > 100) | ((lines["quantity"] == 0) & (lines["amount_paid"] > 0)),
        1,
        lines["quantity"],
    )
    lines = lines.merge(orders, on="order_id")
    bought = lines[lines["units"] > 0]
    purchases = pd.DataFrame(
        {
            "event_id": "purchase:" + bought["order_line_id"],
            "event_type": "purchase",
            "occurred_at": bought["ordered_at"],
            "customer_id": bought["customer_id"],
            "product_id": bought["product_id"],
            "order_id": bought["order_id"],
            "units": bought["units"],
            "amount_paid": bought["amount_paid"],
            "channel": bought["store_or_channel"],
        }
    )

    campaigns = read("campaigns").merge(read("campaign_descriptions"), on="campaign_id")
    receipts = pd.DataFrame(
        {
            "event_id": "campaign_receive:"
            + campaigns["campaign_id"]
            + ":"
            + campaigns["household_id"],
            "event_type": "campaign_receive",
            "occurred_at": shop_midnight(campaigns["start_date"]),
            "customer_id": campaigns["household_id"],
            "campaign_id": campaigns["campaign_id"],
            "channel": "mail",
        }
    )
    redeemed = read("coupon_redemptions")
    redemptions = pd.DataFrame(
        {
            "event_id": "coupon_redeem:"
            + redeemed["campaign_id"]
            + ":"
            + redeemed["coupon_upc"]
            + ":"
            + redeemed["household_id"]
            + ":"
            + redeemed["redemption_date"].dt.strftime("%Y-%m-%d"),
            "event_type": "coupon_redeem",
            "occurred_at": shop_midnight(redeemed["redemption_date"]),
            "customer_id": redeemed["household_id"],
            "campaign_id": redeemed["campaign_id"],
            "coupon_id": redeemed["coupon_upc"],
            "channel": "store",
        }
    )
    others = pd.concat([receipts, redemptions], ignore_index=True)
    others, _ = judge(
        others,
        "event_id",
        {
            "missing_key": others["event_id"].isna(),
            "bad_timestamp": ~(others["occurred_at"] >= FIRST_PLAUSIBLE),
            "future_timestamp": shop_date(others["occurred_at"]) >= cutoff,
            "unknown_customer": ~others["customer_id"].isin(households),
        },
        {},
    )
    events = pd.concat([others, purchases], ignore_index=True)
    events["event_date"] = shop_date(events["occurred_at"])
    events["known_date"] = events["event_date"]
    events["source_system"] = "completejourney"
    return events.reindex(columns=EVENT_COLUMNS), verdicts, lines, cutoff


def build_rfm(lines: pd.DataFrame, cutoff: pd.Timestamp) -> pd.DataFrame:
    """Score recency, frequency and monetary value of every customer at every cutoff."""
    first_date = lines["order_date"].min()
    cutoffs: list[pd.Timestamp] = []
    while not cutoffs or cutoff >= first_date + pd.Timedelta(days=28):
        cutoffs.append(cutoff)
        cutoff -= pd.Timedelta(days=28)

    tables = []
    for as_of_date in cutoffs:
        known = lines[lines["order_date"] < as_of_date]
        recent = known[known["order_date"] >= as_of_date - pd.Timedelta(days=364)]
        table = pd.DataFrame(
            {
                "recency_days": (
                    as_of_date - known.groupby("customer_id")["order_date"].max()
                ).dt.days,
                "frequency": recent.groupby("customer_id")["order_id"].nunique(),
                "monetary": recent.groupby("customer_id")["amount_paid"].sum().round(2),
            }
        ).reset_index()
        table = table.fillna({"frequency": 0, "monetary": 0})
        table["as_of_date"] = as_of_date
        for name, column, ascending in (
            ("recency", "recency_days", False),
            ("frequency", "frequency", True),
            ("monetary", "monetary", True),
        ):
            rank = table[column].rank(method="min", ascending=ascending) - 1
            table[f"{name}_score"] = (1 + 5 * rank.astype(int) // len(table)).astype(int)
        tables.append(table)
    rfm = pd.concat(tables, ignore_index=True)
    scores = [rfm[f"{name}_score"] for name in ("recency", "frequency", "monetary")]
    rfm["rfm_score"] = scores[0] + scores[1] + scores[2]
    rfm["rfm_cell"] = scores[0].astype(str) + scores[1].astype(str) + scores[2].astype(str)
    return rfm


def build_segments(rfm: pd.DataFrame) -> Any:
    """Name the segment of every customer at the newest cutoff, and since when it holds."""
    rules = pd.read_csv(REPO_ROOT / "models" / "seeds" / "rfm_segment_rules.csv")
    value = (rfm["frequency_score"] + rfm["monetary_score"] + 1) // 2
    history = rfm.assign(value_score=value).merge(rules, how="cross")
    history = history[
        history["recency_score"].between(history["recency_score_min"], history["recency_score_max"])
        & history["value_score"].between(history["value_score_min"], history["value_score_max"])
    ]
    history = history[["customer_id", "as_of_date", "rfm_cell", "segment"]]
    history = history.sort_values(["customer_id", "as_of_date"])
    history["previous_segment"] = history.groupby("customer_id")["segment"].shift()
    changed = history[history["segment"] != history["previous_segment"]]
    since = changed.groupby("customer_id")["as_of_date"].max().rename("segment_since_date")
    newest = history[history["as_of_date"] == history["as_of_date"].max()]
    return newest.merge(since.reset_index(), on="customer_id")


def main() -> None:
    """Write events, RFM and segments to the folder given."""
    output = Path(sys.argv[1])
    events, verdicts, lines, cutoff = build_events()
    verdicts.to_parquet(output / "int_order_lines_checked.parquet", index=False)
    events.to_parquet(output / "events.parquet", index=False)
    rfm = build_rfm(lines, cutoff)
    newest = rfm[rfm["as_of_date"] == rfm["as_of_date"].max()]
    newest.to_parquet(output / "customer_rfm.parquet", index=False)
    build_segments(rfm).to_parquet(output / "customer_segments.parquet", index=False)


if __name__ == "__main__":
    main()
