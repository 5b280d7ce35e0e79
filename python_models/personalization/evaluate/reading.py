"""Interactions, items and users from parquet or CSV files, whatever their columns are called."""

import csv
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pandas as pd

INTERACTION_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "user": ("user", "user_id", "customer", "customer_id"),
    "item": ("item", "item_id", "product", "product_id"),
    "time": ("time", "timestamp", "occurred_at", "ordered_at"),
    "order": ("order", "order_id", "basket", "basket_id"),
    "weight": ("weight",),
}
"""What a row of an interactions file may say, and the column names understood for it."""

ITEM_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "item": INTERACTION_COLUMNS["item"],
    "department": ("department",),
    "category": ("category",),
    "brand": ("brand",),
    "size": ("size",),
    "item_name": ("item_name", "product_name", "name"),
}
"""The same for an items file."""

USER_COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "user": INTERACTION_COLUMNS["user"],
    "segment": ("segment",),
}
"""The same for a users file."""

_TEST_ROLES: Final = ("user", "item", "time")
# Read as the file has them; everything else becomes text.
_NOT_TEXT: Final = ("time", "weight")
_PARQUET_MAGIC: Final = b"PAR1"
# Unix times from here on are milliseconds: in seconds, this is the year 5138.
_FIRST_MILLISECONDS: Final = 1e11
# What ISO 8601 and Python can write; the infinite times of parquet files lie beyond.
_FIRST_TIME: Final = pd.Timestamp("0001-01-01", tz="UTC")
_LAST_TIME: Final = pd.Timestamp("9999-12-31T23:59:59.999999", tz="UTC")
# Of one line of a longer message: it may quote the data.
_MESSAGE_WIDTH: Final = 100


class InputError(Exception):
    """What is wrong with the data or the options, in one line for the user."""


@dataclass(frozen=True, eq=False)
class Table:
    """The columns of a file that were understood, by role, and what to tell of them."""

    frame: pd.DataFrame
    notes: tuple[str, ...]


def read_interactions(path: Path, names: Mapping[str, str], *, is_test: bool = False) -> Table:
    """Read who interacted with what and, where the file says so, when, in which order, how much.

    Args:
        path: A parquet file, or a CSV file (UTF-8, with commas and a header).
        names: Names of columns by role, for those that the user named.
        is_test: The rows are only to be foreseen: orders and weights do not matter and are ignored.

    Returns:
        Columns `user` and `item` (text) and, if the file has them, `time` (UTC without zone),
        `order` (text) and `weight` (positive). Rows without user or item are left out.

    Raises:
        InputError: The file cannot be read or has no rows, a column is missing, ambiguous or has
            gaps, a time cannot be understood, a weight is not a positive number or their sum is
            not finite.
    """
    known = {
        role: aliases
        for role, aliases in INTERACTION_COLUMNS.items()
        if role in _TEST_ROLES or not is_test
    }
    table, columns = _read(path, known, names, required=("user", "item"))
    frame = table.frame
    for role in ("order", "weight"):
        if role in frame:
            _check_complete(frame[role], f"{path}: column {columns[role]}")
    if "time" in frame:
        frame["time"] = parse_times(frame["time"], f"{path}: column {columns['time']}")
    if "weight" in frame:
        weight = pd.to_numeric(frame["weight"], errors="coerce").to_numpy(np.float64)
        is_bad = ~(np.isfinite(weight) & (weight > 0))
        if is_bad.any():
            value = frame["weight"][is_bad].iloc[0]
            raise InputError(
                f"{path}: column {columns['weight']}: {value} is not a positive number"
            )
        with np.errstate(over="ignore"):
            is_too_large = np.isinf(weight.sum())
        if is_too_large:
            raise InputError(
                f"{path}: column {columns['weight']}: the sum of values such as {weight.max()}"
                " is infinite"
            )
        frame["weight"] = weight
    return table


def read_items(path: Path, names: Mapping[str, str]) -> Table:
    """Read what is known of the items.

    Args:
        path: As in `read_interactions`.
        names: Names of columns by role, for those that the user named.

    Returns:
        Column `item` and those of `ITEM_COLUMNS` that the file has, all text. Rows without item
        are left out.

    Raises:
        InputError: The file cannot be read or has no rows, a column is missing or ambiguous, or
            an item occurs twice.
    """
    table, columns = _read(path, ITEM_COLUMNS, names, required=("item",))
    _check_unique(table.frame["item"], f"{path}: column {columns['item']}")
    return table


def read_users(path: Path, names: Mapping[str, str]) -> Table:
    """Read what is known of the users.

    Args:
        path: As in `read_interactions`.
        names: Names of columns by role, for those that the user named.

    Returns:
        Columns `user` and `segment`, text; the segment may be null. Rows without user are left out.

    Raises:
        InputError: The file cannot be read or has no rows, a column is missing or ambiguous, or
            a user occurs twice.
    """
    table, columns = _read(path, USER_COLUMNS, names, required=("user", "segment"))
    _check_unique(table.frame["user"], f"{path}: column {columns['user']}")
    return table


def parse_times(values: "pd.Series[Any]", where: str) -> "pd.Series[pd.Timestamp]":
    """Understand ISO 8601 (UTC if without offset), or Unix seconds or milliseconds.

    Args:
        values: Text, numbers or timestamps.
        where: What to call these values in an error message.

    Returns:
        Times in UTC, without time zone.

    Raises:
        InputError: A value is none of these or not in the years 1 to 9999, or some are ISO 8601
            and others Unix times.
    """
    _check_complete(values, where)
    is_number = pd.api.types.is_numeric_dtype(values)
    times = _from_unix_time(values) if is_number else _from_iso_time(values)
    is_bad = times.isna()
    if is_bad.any() and pd.api.types.is_string_dtype(values):
        unix_times = _from_unix_time(pd.to_numeric(values, errors="coerce"))
        is_bad &= unix_times.isna()
        if unix_times.notna().all():
            times = unix_times
        elif not is_bad.any():
            iso, unix = values[unix_times.isna()].iloc[0], values[times.isna()].iloc[0]
            raise InputError(f"{where}: ISO 8601 and Unix times are mixed: {iso} and {unix}")
    if is_bad.any():
        value = values[is_bad].iloc[0]
        raise InputError(f"{where}: {value} is neither an ISO 8601 nor a Unix time")
    return times.dt.tz_convert(None)


def _check_complete(values: "pd.Series[Any]", where: str) -> None:
    """Raise an InputError if a value is missing."""
    if values.isna().any():
        raise InputError(f"{where}: a row has no value")


def _check_unique(values: "pd.Series[Any]", where: str) -> None:
    """Raise an InputError if a value occurs twice."""
    is_again = values.duplicated()
    if is_again.any():
        raise InputError(f"{where}: {values[is_again].iloc[0]} occurs twice")


def _from_iso_time(values: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    """Times of ISO 8601 text, or of timestamps; null for what is neither."""
    return _in_calendar(pd.to_datetime(values, format="ISO8601", utc=True, errors="coerce"))


def _from_unix_time(values: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    """Times of Unix seconds or milliseconds; null for what no calendar holds."""
    numbers = values.astype(np.float64)
    seconds = numbers.where(numbers.abs() < _FIRST_MILLISECONDS, numbers / 1000)
    return _in_calendar(pd.to_datetime(seconds, unit="s", utc=True, errors="coerce"))


def _in_calendar(times: "pd.Series[pd.Timestamp]") -> "pd.Series[pd.Timestamp]":
    """Microseconds, null beyond the years 1 to 9999."""
    times = times.astype("datetime64[us, UTC]")
    return times.where(times.between(_FIRST_TIME, _LAST_TIME))


def _read(
    path: Path,
    known: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    *,
    required: Collection[str],
) -> tuple[Table, dict[str, str]]:
    """Read the columns of known roles; return them and the name of each in the file."""
    try:
        with duckdb.connect() as connection:
            source = _open(path, connection)
            types = dict(zip(source.columns, map(str, source.dtypes), strict=True))
            columns = _columns_by_role(path, list(types), known, names, required)
            selection = [
                f"{_expression(role, column, types[column])} as {_quoted(role)}"
                for role, column in columns.items()
            ]
            frame = source.project(", ".join(selection)).df()
    except duckdb.Error as error:
        raise InputError(f"{path}: cannot be read: {in_one_line(error)}") from error
    ids = [role for role in ("user", "item") if role in columns]
    has_ids = frame[ids].notna().all(axis=1)
    if not has_ids.any():
        raise InputError(f"{path}: no rows")
    notes = [
        f"{path.name}: {len(frame):,} rows; "
        + ", ".join(f"{role}: {column.strip()}" for role, column in columns.items())
    ]
    ignored = [column.strip() for column in types if column not in columns.values()]
    if ignored:
        notes.append(f"{path.name}: ignored columns: {', '.join(ignored)}")
    if not has_ids.all():
        notes.append(f"{path.name}: {(~has_ids).sum():,} rows without {' or '.join(ids)}, left out")
    return Table(frame[has_ids].reset_index(drop=True), tuple(notes)), columns


def _open(path: Path, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
    """Tell a parquet file by how it begins; anything else is CSV."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_PARQUET_MAGIC))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    if not head:
        raise InputError(f"{path}: empty file")
    pattern = escape(str(path))
    if head == _PARQUET_MAGIC:
        return connection.read_parquet(pattern)
    # No guessing: every column is text, so that 007 remains 007.
    return connection.read_csv(
        pattern,
        columns=dict.fromkeys(_csv_header(path), "VARCHAR"),
        header=True,
        sep=",",
        quotechar='"',
        escapechar='"',
        auto_detect=False,
    )


def _csv_header(path: Path) -> list[str]:
    """The names of the columns of a CSV file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next(csv.reader(file), [])
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read: neither parquet nor UTF-8 text") from error
    names = [column.strip() for column in header]
    if not any(names):
        raise InputError(f"{path}: no header: the first line is blank")
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"{path}: column {name} occurs twice")
    return header


def _columns_by_role(
    path: Path,
    columns: Sequence[str],
    known: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
    required: Collection[str],
) -> dict[str, str]:
    """Find the column of each role, by the name the user gave or else by the known ones."""
    found = {}
    for role, aliases in known.items():
        if role in names:
            candidates = [column for column in columns if column.strip() == names[role].strip()]
        else:
            candidates = [column for column in columns if column.strip().lower() in aliases]
        if len(candidates) > 1:
            raise InputError(
                f"{path}: {' and '.join(candidates)} could both be the {role}:"
                f" choose with --{role}-column"
            )
        if candidates:
            found[role] = candidates[0]
        elif role in names or role in required:
            wanted = names.get(role) or f"{' or '.join(aliases)} (or --{role}-column)"
            # A quote that is never closed makes a name of many lines.
            listed = ", ".join(" ".join(column.split()) for column in columns)
            raise InputError(f"{path}: no column {wanted}; its columns: {listed}")
    return found


def _expression(role: str, column: str, column_type: str) -> str:
    """SQL that reads a column: ids as text, of whatever type they are."""
    name = _quoted(column)
    if role in _NOT_TEXT and column_type == "TIMESTAMP WITH TIME ZONE":
        return f"timezone('UTC', {name})"
    if role in _NOT_TEXT:
        return name
    if column_type in ("DOUBLE", "FLOAT"):
        # What pandas makes of whole numbers with gaps: 12.0 is the id 12.
        is_whole = f"abs({name}) < 1e15 and {name} = trunc({name})"
        return (
            f"case when {is_whole} then cast(cast({name} as bigint) as varchar)"
            f" else cast({name} as varchar) end"
        )
    return f"cast({name} as varchar)"


def _quoted(name: str) -> str:
    """The name as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def in_one_line(error: Exception) -> str:
    """What a message says, without the advice and the settings that DuckDB adds to it."""
    explanation, _, _ = str(error).partition("Possible fixes:")
    lines = [line.strip() for line in explanation.splitlines()]
    return "; ".join(line[:_MESSAGE_WIDTH] for line in lines if line)
