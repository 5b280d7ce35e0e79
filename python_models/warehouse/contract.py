"""The contract of the input layer as dbt reads it: tables, columns and the rules of the gate.

The YAML of the input layer and the macro of the rules stay the one place where it is written.
"""

import contextlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import duckdb
import yaml
from dbt.cli.main import dbtRunner

from warehouse.paths import REPO_ROOT, quote_literal

_INPUT_LAYER: Final = "input_layer__"
_FILLED_BY_THE_WAREHOUSE: Final = "source_system"
_GATE: Final = "{{ tojson({'rules': quality_rules(), 'keys': gated_tables()}) }}"
LOOKED_UP: Final = re.compile(r"\bis_known_(\w+)")
"""What a rule looks up elsewhere: `not is_known_customer` asks for the customer."""

Row = Mapping[str, str | None]
Rows = Mapping[str, Sequence[Row]]
"""Rows by input table, their values as text; a column that a row does not name is null."""


class ContractError(RuntimeError):
    """dbt cannot read the contract, or rows do not fit it; the message says why."""


@dataclass(frozen=True)
class Rule:
    """One rule of the quality gate.

    Attributes:
        rule_id: Its name, unique within the table.
        condition: SQL over a row that is true where the rule is broken.
        severity: `error` or `warn`.
        action: `reject` or `flag`.
        reason: Why such a row is bad, in a sentence.
    """

    rule_id: str
    condition: str
    severity: str
    action: str
    reason: str


@dataclass(frozen=True)
class InputColumn:
    """One column that a source fills.

    Attributes:
        name: Its name.
        data_type: Type in SQL.
        description: What it means.
    """

    name: str
    data_type: str
    description: str


@dataclass(frozen=True)
class InputTable:
    """One table of the input layer.

    Attributes:
        name: Its name.
        description: Purpose, grain and what to know, in markdown.
        is_required: Whether an empty table stops the build.
        key: The columns that name a row.
        columns: What a source fills; the warehouse adds source_system itself.
        rules: The rules of the gate, in the order in which they are tried.
    """

    name: str
    description: str
    is_required: bool
    key: Sequence[str]
    columns: Sequence[InputColumn]
    rules: Sequence[Rule]


def read_contract(variables: Mapping[str, Any] | None = None) -> list[InputTable]:
    """Read the contract of the project, without opening a warehouse.

    Args:
        variables: Vars that override those of the project.

    Returns:
        The input tables, in the order in which the gate lists them.

    Raises:
        ContractError: If dbt cannot parse the project.
    """
    overrides = ("--vars", yaml.safe_dump(dict(variables or {})))
    with contextlib.chdir(REPO_ROOT), contextlib.redirect_stdout(io.StringIO()):
        manifest = _invoke(dbtRunner(), "parse", *overrides)
        compiled = _invoke(
            dbtRunner(manifest=manifest),
            *("compile", "--inline", _GATE, "--no-populate-cache", "--no-introspect"),
            *overrides,
        )
    gate = json.loads(compiled.results[0].node.compiled_code)
    models = {
        node.name.removeprefix(_INPUT_LAYER): node
        for node in manifest.nodes.values()
        if node.resource_type == "model" and node.name.startswith(_INPUT_LAYER)
    }
    required = {
        node.attached_node
        for node in manifest.nodes.values()
        if getattr(node, "test_metadata", None) and node.test_metadata.name == "not_empty"
    }
    return [
        InputTable(
            name=name,
            description=models[name].description.strip(),
            is_required=models[name].unique_id in required,
            key=tuple(key),
            columns=tuple(
                InputColumn(column.name, column.data_type, " ".join(column.description.split()))
                for column in models[name].columns.values()
                if column.name != _FILLED_BY_THE_WAREHOUSE
            ),
            rules=tuple(
                Rule(**{field: rule[field] for field in Rule.__dataclass_fields__})
                for rule in gate["rules"]
                if rule["table_name"] == name
            ),
        )
        for name, key in gate["keys"].items()
    ]


def check_rows(tables: Sequence[InputTable], rows: Rows) -> list[str]:
    """Hold rows against the contract: their columns, types and keys, and the rules of the gate.

    Args:
        tables: The contract.
        rows: Rows of one shop, by input table; what they refer to is looked up among them.

    Returns:
        One line for each problem; none if the gate would let all rows through without a flag.
    """
    names = {table.name for table in tables}
    problems = [f"{name}: there is no such input table" for name in rows if name not in names]
    with duckdb.connect() as scratch:
        for table in tables:
            keys = set()
            for place, row in enumerate(rows.get(table.name, ()), start=1):
                at = f"{table.name}, row {place}"
                misfits = _misfits(scratch, table, row)
                problems.extend(f"{at}: {misfit}" for misfit in misfits)
                if misfits:
                    continue
                key = tuple(row.get(column) for column in table.key)
                if key in keys:
                    problems.append(f"{at}: its key is that of an earlier row")
                keys.add(key)
                problems.extend(
                    f"{at}: breaks {rule.rule_id} ({rule.reason})"
                    for rule in _broken_rules(scratch, table, row, rows)
                )
    return problems


def required_columns(tables: Sequence[InputTable], rows: Rows) -> dict[str, set[str]]:
    """Find the columns that must be filled, by asking the gate: it rejects every row without them.

    Args:
        tables: The contract.
        rows: Good rows, at least one of each table.

    Returns:
        The columns, by input table.
    """
    with duckdb.connect() as scratch:
        return {
            table.name: {
                column.name
                for column in table.columns
                if all(
                    any(
                        rule.action == "reject"
                        for rule in _broken_rules(scratch, table, {**row, column.name: None}, rows)
                    )
                    for row in rows[table.name]
                )
            }
            for table in tables
        }


def _invoke(runner: dbtRunner, *arguments: str) -> Any:
    result = runner.invoke(["--quiet", *arguments])
    if not result.success:
        raise ContractError(f"dbt {arguments[0]} failed: {result.exception or result.result}")
    return result.result


def _misfits(scratch: duckdb.DuckDBPyConnection, table: InputTable, row: Row) -> list[str]:
    types = {column.name: column.data_type for column in table.columns}
    misfits = [f"{name} is no column of the contract" for name in row if name not in types]
    for name, value in row.items():
        if name in types and value is not None:
            relation = scratch.sql(f"select try_cast({_literal(value)} as {types[name]}) is null")
            if relation.fetchall() == [(True,)]:
                misfits.append(f"{name} is {value}, expected {types[name]}")
    return misfits


def _broken_rules(
    scratch: duckdb.DuckDBPyConnection, table: InputTable, row: Row, rows: Rows
) -> list[Rule]:
    """Return the rules that a row breaks by itself; what cannot be looked up breaks none."""
    values = {
        column.name: f"cast({_literal(row.get(column.name))} as {column.data_type})"
        for column in table.columns
    }
    for rule in table.rules:
        for entity in LOOKED_UP.findall(rule.condition):
            values[f"is_known_{entity}"] = _literal(_is_known(entity, row, rows))
    days = sorted(str(order["ordered_at"])[:10] for order in rows.get("orders", ()))
    first_day, last_day = (_literal(day) for day in ((days[0], days[-1]) if days else (None, None)))
    values["first_order_date"] = f"cast({first_day} as date)"
    values["as_of_date"] = f"cast({last_day} as date) + 1"
    values["version_number"] = "1"

    looked_up = scratch.sql(
        "select " + ", ".join(f"{value} as {name}" for name, value in values.items())
    )
    verdicts = looked_up.project(
        ", ".join(f"coalesce({rule.condition}, false)" for rule in table.rules)
    ).fetchall()[0]
    return [rule for rule, is_broken in zip(table.rules, verdicts, strict=True) if is_broken]


def _is_known(entity: str, row: Row, rows: Rows) -> bool | None:
    """Tell whether what a row names is among the rows; None if there is no table of it."""
    key = f"{entity}_id"
    if f"{entity}s" not in rows:
        return None
    return row.get(key) in {other.get(key) for other in rows[f"{entity}s"]}


def _literal(value: object) -> str:
    return "null" if value is None else quote_literal(str(value))
