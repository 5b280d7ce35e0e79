"""From the text of a file to the types of the contract, in one way for every format."""

from typing import Final

from warehouse.paths import quote_identifier, quote_literal
from warehouse.source_settings import CustomColumn

# A time of day, then how far its clock is from UTC.
_HAS_OFFSET: Final = r"(?i)[0-9]:[0-9]{2}(\.[0-9]+)?\s*(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?)$"
_COMMA_NUMBER: Final = r"^[+-]?([0-9]+|[0-9]{1,3}(\.[0-9]{3})+)(,[0-9]*)?$"


def present_text(column: str) -> str:
    """Return the SQL of a column's text, null where it is blank."""
    return f"nullif(trim({quote_identifier(column)}), '')"


def cast_text(column: CustomColumn, type_: str) -> str:
    """Return the SQL that makes a value of the contract's type from the text of a file.

    Args:
        column: Where the value comes from and how it is written.
        type_: Type of the column in the contract.

    Returns:
        An expression on the columns of the file as text; null where the text is no such value.
    """
    text = (
        quote_literal(str(column.value)) if column.column is None else present_text(column.column)
    )
    kind = type_.partition("(")[0]
    if kind in ("timestamp", "date"):
        return _cast_time(column, text, kind)
    if kind == "boolean":
        return (
            f"case when lower({text}) in ('true', 't', 'yes', 'y', '1') then true "
            f"when lower({text}) in ('false', 'f', 'no', 'n', '0') then false end"
        )
    if kind == "string":
        return text
    number = _number(text, column.decimal)
    if column.multiply_by is not None:
        factor = _number(present_text(column.multiply_by), column.decimal)
        number = f"try_cast({number} as decimal(18, 6)) * try_cast({factor} as decimal(18, 6))"
    return f"try_cast({number} as {type_})"


def _number(text: str, decimal: str) -> str:
    if decimal == ".":
        return text
    return (
        f"case when regexp_matches({text}, {quote_literal(_COMMA_NUMBER)}) "
        f"then replace(replace({text}, '.', ''), ',', '.') end"
    )


def _cast_time(column: CustomColumn, text: str, kind: str) -> str:
    if column.format:
        moment = f"try_strptime({text}, {quote_literal(column.format)})"
    else:
        moment = f"try_cast({text} as timestamp)"
    if kind == "date":
        return f"cast({moment} as date)"
    zone = quote_literal(column.timezone or "UTC")
    local = f"timezone('UTC', timezone({zone}, cast({moment} as timestamp)))"
    if column.format:
        return local
    return (
        f"case when regexp_matches({text}, {quote_literal(_HAS_OFFSET)}) "
        f"then timezone('UTC', try_cast({_plain_offset(text)} as timestamptz)) else {local} end"
    )


def _plain_offset(text: str) -> str:
    """Return the SQL of a moment with its offset as DuckDB reads it: at its end, UTC as Z."""
    return f"regexp_replace(replace(upper({text}), 'UTC', 'Z'), '\\s*(Z|[+-][0-9:]+)$', '\\1')"
