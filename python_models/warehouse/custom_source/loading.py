"""The tables of the source `custom`, brought up to date with a shop's own files."""

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import duckdb

from warehouse.custom_source.casts import cast_text, present_text
from warehouse.custom_source.files import (
    SourceFile,
    UnusableFileError,
    check_columns,
    list_files,
    stage_file,
)
from warehouse.landing import E_MAIL, MAX_TEXT_LENGTH
from warehouse.paths import quote_literal
from warehouse.source_settings import CustomSettings, CustomTable

SCHEMA: Final = "raw_custom"

_READER_VERSION: Final = 1
"""Raise it when the same file would be read as something else."""


# A column beside the contract's: rows of a simulator tell it, all others leave it out.
_LABEL: Final = {"is_simulated": "boolean"}
_TOLD: Final = {"unreadable_text": "string", "source_file": "string"}

_KINDS_OF_SETTING: Final[Mapping[str, set[str]]] = {
    "format": {"timestamp", "date"},
    "timezone": {"timestamp"},
    "decimal": {"decimal", "double", "int"},
    "multiply_by": {"decimal", "double"},
}

_REQUIRED: Final[Mapping[str, Sequence[str]]] = {
    "customers": ["customer_id"],
    "products": ["product_id"],
    "events": ["event_id", "event_type", "occurred_at"],
    "orders": ["order_id", "ordered_at"],
    "order_lines": ["order_id", "product_id", "quantity", "amount_paid"],
    "campaigns": ["campaign_id", "starts_at"],
    "campaign_contacts": ["campaign_id", "customer_id", "contacted_at"],
    "promotions": ["product_id", "store_or_channel", "period_start"],
    "consents": ["customer_id", "purpose", "changed_at", "is_granted"],
    "erasure_requests": ["customer_id", "requested_at"],
}


def check_custom_source(
    settings: CustomSettings, contract: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """Check that the settings fit the contract and that the files have the columns they name.

    Args:
        settings: Settings of the source.
        contract: By input table, the type of each column.

    Returns:
        One line for each problem; none if the source can be loaded.
    """
    problems = [
        f"tables.{table}: orders and order_lines are needed to build anything"
        for table in ("orders", "order_lines")
        if table not in settings.tables
    ]
    for name, table in settings.tables.items():
        if name not in contract:
            problems.append(f"tables.{name}: no input table, expected one of {_listed(contract)}")
            continue
        problems.extend(
            f"tables.{name}{problem}" for problem in _misfits(name, table, contract[name])
        )
        problems.extend(
            f"tables.{name}.columns: {column} is missing; map it or give it a value"
            for column in _REQUIRED[name]
            if column not in table.columns
        )
        try:
            for file in list_files(table, settings.databases):
                check_columns(table, file, settings.databases)
        except UnusableFileError as error:
            problems.append(f"tables.{name}: {error}")
    return problems


def load_custom_source(
    connection: duckdb.DuckDBPyConnection,
    settings: CustomSettings,
    contract: Mapping[str, Mapping[str, str]],
) -> list[str]:
    """Bring the tables of the source up to date with its files.

    Every table has the columns of the contract and `source_file`. A line that is no row is one with
    the key unreadable:<file>:<line>, which the quality gate knows. One transaction: a reader sees
    the tables of before or those of after.

    Args:
        connection: The warehouse, open for writing.
        settings: Settings in which `check_custom_source` found no problem.
        contract: By input table, the type of each column.

    Returns:
        What a person should know, one line each: lines and values that could not be read.

    Raises:
        RuntimeError: If a file cannot be read after all.
    """
    messages: list[str] = []
    with connection.cursor() as cursor:
        cursor.execute("set TimeZone = 'UTC'")
        cursor.begin()
        _create_tables(cursor, contract)
        for name in contract:
            table = settings.tables.get(name)
            try:
                files = [] if table is None else list_files(table, settings.databases)
            except UnusableFileError as error:
                raise RuntimeError(f"Source custom: {error}") from error
            known = dict(
                cursor.execute(
                    f"select source_file, state from {SCHEMA}.loaded_files where input_table = ?",
                    [name],
                ).fetchall()
            )
            current = {file.name: _state(file, table, contract[name]) for file in files}
            lasting = {file.name for file in files if file.state is not None}
            for stale in sorted(
                file for file in known if file not in lasting or known[file] != current[file]
            ):
                cursor.execute(f"delete from {SCHEMA}.{name} where source_file = ?", [stale])
                cursor.execute(
                    f"delete from {SCHEMA}.loaded_files where input_table = ? and source_file = ?",
                    [name, stale],
                )
            for file in files:
                is_known = file.state is not None and known.get(file.name) == current[file.name]
                if table is not None and not is_known:
                    messages.extend(_load(cursor, name, table, file, contract[name], settings))
                    cursor.execute(
                        f"insert into {SCHEMA}.loaded_files values (?, ?, ?)",
                        [name, file.name, current[file.name]],
                    )
        cursor.commit()
    return messages


def _state(file: SourceFile, table: CustomTable | None, types: Mapping[str, str]) -> str:
    """Return what a file was read as: another content, mapping or contract is another state."""
    told = f"{file.state} {table!r} {dict(types)!r} {_READER_VERSION}"
    return hashlib.sha256(told.encode()).hexdigest()


def _misfits(name: str, table: CustomTable, types: Mapping[str, str]) -> Iterator[str]:
    known = {**types, **_LABEL}
    if table.distinct and name == "order_lines":
        yield ".distinct: equal lines of an order are that many lines, so none can be left out"
    for column, origin in table.columns.items():
        if column not in known:
            yield f".columns.{column}: no column of this table, expected one of {_listed(known)}"
            continue
        kind = known[column].partition("(")[0]
        for setting in sorted(origin.model_fields_set & _KINDS_OF_SETTING.keys()):
            if kind not in _KINDS_OF_SETTING[setting]:
                yield f".columns.{column}.{setting}: does nothing, since the column is a {kind}"


def _listed(names: Mapping[str, object]) -> str:
    return ", ".join(names)


def _create_tables(
    cursor: duckdb.DuckDBPyConnection, contract: Mapping[str, Mapping[str, str]]
) -> None:
    cursor.execute(f"create schema if not exists {SCHEMA}")
    for name, types in contract.items():
        columns = {**types, **_LABEL, **_TOLD}
        declared = ", ".join(f"{column} {type_}" for column, type_ in columns.items())
        present = cursor.execute(
            "select string_agg(column_name, ',' order by column_index) from duckdb_columns() "
            "where schema_name = ? and table_name = ? and database_name = current_database()",
            [SCHEMA, name],
        ).fetchall()[0][0]
        if present is not None and present != ",".join(columns):
            # The contract has changed since: everything is read anew.
            cursor.execute(f"drop table {SCHEMA}.{name}")
            cursor.execute(f"delete from {SCHEMA}.loaded_files where input_table = ?", [name])
        cursor.execute(f"create table if not exists {SCHEMA}.{name} ({declared})")
    cursor.execute(
        f"create table if not exists {SCHEMA}.loaded_files "
        "(input_table string, source_file string, state string)"
    )


def _load(
    cursor: duckdb.DuckDBPyConnection,
    name: str,
    table: CustomTable,
    file: SourceFile,
    types: Mapping[str, str],
    settings: CustomSettings,
) -> list[str]:
    """Read one file into the table; return what a person should know of it."""
    source_file = f"{quote_literal(file.name)} as source_file"
    casts = {
        column: cast_text(table.columns[column], type_)
        for column, type_ in {**types, **_LABEL}.items()
        if column in table.columns
    }
    # Of a product, the factor is told where it is a column itself.
    lost = {
        column: f"{present_text(origin.column)} is not null "
        f"and {cast_text(origin.model_copy(update={'multiply_by': None}), type_)} is null"
        for column, type_ in {**types, **_LABEL}.items()
        if (origin := table.columns.get(column)) is not None and origin.column is not None
    }
    lost_values = ", ".join(
        f"case when {condition} then {quote_literal(f'{column}: ')} "
        f"|| {present_text(str(table.columns[column].column))} end"
        for column, condition in lost.items()
    )
    values = ", ".join(f"{cast} as {column}" for column, cast in casts.items())
    unread_values = _kept_text(f"nullif(concat_ws('; ', {lost_values or 'null'}), '')")
    unread_line = _kept_text("problem || ': ' || coalesce(raw_line, '')")
    key = next(iter(types))
    try:
        stage_file(cursor, table, file, settings.databases)
        cursor.execute(
            f"insert into {SCHEMA}.{name} by name "
            f"select {values}, {unread_values} as unreadable_text, {source_file} from staged"
        )
        cursor.execute(
            f"insert into {SCHEMA}.{name} by name "
            f"select {quote_literal(f'unreadable:{file.name}:')} || line_number as {key}, "
            f"{unread_line} as unreadable_text, {source_file} from rejected"
        )
        messages = _losses(cursor, file, lost)
    except (duckdb.Error, sqlite3.Error, OSError) as error:
        raise RuntimeError(
            f"Source custom: {file.name} cannot be read: {str(error).splitlines()[0]}"
        ) from error
    return messages


def _kept_text(text: str) -> str:
    """Return the SQL of the start of a text, without the e-mail addresses in it."""
    return (
        f"left(regexp_replace({text}, {quote_literal(E_MAIL)}, '<e-mail>', 'g'), {MAX_TEXT_LENGTH})"
    )


def _losses(
    cursor: duckdb.DuckDBPyConnection, file: SourceFile, lost: Mapping[str, str]
) -> list[str]:
    """Tell how many lines are no rows and which columns have values that could not be read."""
    counts = [f"count(*) filter (where {condition})" for condition in lost.values()]
    (values,) = cursor.execute(f"select {', '.join(counts) or '0'} from staged").fetchall()
    ((lines,),) = cursor.execute("select count(*) from rejected").fetchall()
    messages = [
        f"{file.name}: {count} values cannot be read as {column}"
        for column, count in zip(lost, values, strict=False)
        if count
    ]
    if lines:
        messages.append(f"{file.name}: {lines} lines are no rows")
    return messages
