"""Values that a source has but that its models cannot read.

Staging uses try_cast: what cannot be read becomes null, for the quality gate to judge. The gate
sees the null but no longer the value, so here the same expressions are asked again for both.
"""

from dataclasses import dataclass
from typing import Final

import duckdb
import sqlglot
from sqlglot import exp

_ATTEMPTS: Final = {"try_strptime", "try_to_timestamp"}


@dataclass(frozen=True)
class LostValues:
    """The values of one column that a model could not read.

    Attributes:
        model: The model.
        column: Its column.
        rows: Rows that it read.
        lost: Rows that have a value there, but not one that can be read.
        example: One of these values.
    """

    model: str
    column: str
    rows: int
    lost: int
    example: str


def find_lost_values(
    warehouse: duckdb.DuckDBPyConnection, model: str, sql: str
) -> list[LostValues]:
    """Count the values that a model turns into null because they cannot be read.

    Args:
        warehouse: Where the tables that the model reads are.
        model: Name of the model.
        sql: Its compiled query.

    Returns:
        The columns that lose values, in the order of the query.

    Raises:
        sqlglot.errors.ParseError: If the query cannot be understood.
        duckdb.Error: If a table that it reads is not there.
    """
    found = []
    for columns, probe in _probes(sql):
        rows, *counts = warehouse.sql(probe).fetchall()[0]
        for column, lost, example in zip(columns, counts[::2], counts[1::2], strict=True):
            if lost:
                found.append(LostValues(model, column, int(rows), int(lost), str(example)))
    return found


def _probes(sql: str) -> list[tuple[list[str], str]]:
    """Make a query of each select that tries to read values: its columns, and what to ask."""
    root = sqlglot.parse_one(sql, dialect="duckdb")
    selects = list(root.find_all(exp.Select))
    probes = []
    for place, select in enumerate(selects):
        tries = {
            projection.alias_or_name: inputs
            for projection in select.expressions
            if (inputs := _tried_inputs(projection))
        }
        if tries and not select.args.get("group"):
            probes.append((list(tries), _probe(root, place, tries)))
    return probes


def _probe(root: exp.Expr, place: int, tries: dict[str, list[str]]) -> str:
    """Turn one select of a query into counts, and read it after the selects that it reads."""
    copy = root.copy()
    select = list(copy.find_all(exp.Select))[place]
    values = {
        projection.alias_or_name: projection.unalias().sql("duckdb")
        for projection in select.expressions
    }
    asked = ["count(*)"]
    for column, inputs in tries.items():
        given = "coalesce(" + ", ".join(f"nullif(trim({text}), '')" for text in inputs) + ")"
        lost = f"({values[column]}) is null and {given} is not null"
        asked += [f"count(case when {lost} then 1 end)", f"min(case when {lost} then {given} end)"]
    counts = select.copy()
    for clause in ("with_", "with", "distinct", "order", "limit"):
        counts.set(clause, None)
    counts.set("expressions", [sqlglot.parse_one(item, dialect="duckdb") for item in asked])
    common = next(iter(copy.find_all(exp.With)), None)
    enclosing = select.find_ancestor(exp.CTE)
    earlier = []
    for table in common.expressions if common else ():
        if table is enclosing:
            break
        earlier.append(table.sql("duckdb"))
    return (f"with {', '.join(earlier)} " if earlier else "") + counts.sql("duckdb")


def _tried_inputs(projection: exp.Expr) -> list[str]:
    """Return what an expression tries to read, as SQL of text."""
    tried = [
        *(node.this for node in projection.find_all(exp.TryCast)),
        *(
            node.expressions[0]
            for node in projection.find_all(exp.Anonymous)
            if node.name.lower() in _ATTEMPTS
        ),
    ]
    return list(dict.fromkeys(f"cast({node.sql('duckdb')} as varchar)" for node in tried))
