"""Try the data of a source against the contract, without building the warehouse.

    python -m warehouse.validate <source> [--vars '{sources: {custom: {...}}}'] [--json]

The source's part of the input layer and the quality gate are built into a scratch warehouse, and
what they found is told. Nothing is left behind.
"""

import argparse
import dataclasses
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import duckdb
import sqlglot.errors
import yaml

from warehouse.contract import (
    LOOKED_UP,
    ContractError,
    InputTable,
    read_contract,
    required_columns,
)
from warehouse.contract_document import read_examples
from warehouse.lost_values import LostValues, find_lost_values
from warehouse.paths import REPO_ROOT, connect_read_only, quote_identifier
from warehouse.raw_inventory import RawFile, take_inventory
from warehouse.source_settings import SourceSettings, SourceSettingsError, parse_source_settings

FINE: Final = 0
WOULD_STOP: Final = 1
CANNOT_BE_READ: Final = 2

_SELECTION: Final = ("+int_quality_counted", "quality_rules")
_WORD: Final = re.compile(r"\w+")
_LOG_TIME: Final = re.compile(r"^\d\d:\d\d:\d\d\s+", re.MULTILINE)
_MAX_VALUE_WIDTH: Final = 40


@dataclass(frozen=True)
class TableProfile:
    """What a source puts into one input table.

    Attributes:
        table: The input table.
        rows: Rows of the source.
        accepted: Those that the gate lets through.
        quarantined: Those that it does not.
        copies: Those that equal another in every column.
        first_at: First moment of the first column of times; None if there is none.
        last_at: Last moment of it.
        filled: Share of rows with a value, by column.
        required: The columns that the gate asks for in every row.
    """

    table: str
    rows: int
    accepted: int
    quarantined: int
    copies: int
    first_at: str | None
    last_at: str | None
    filled: Mapping[str, float]
    required: Sequence[str]


@dataclass(frozen=True)
class BrokenRule:
    """A rule of the quality gate that rows of the source break.

    Attributes:
        table: The input table.
        rule_id: The rule.
        action: `reject` or `flag`.
        severity: `error` or `warn`.
        reason: Why such rows are bad.
        rows: Rows that break it.
        rejected: Rows that are quarantined for it, since it is the first that they break.
        share: Share of the table's rows that break it.
        example: One of the rows: its first column, and those that the rule looks at.
    """

    table: str
    rule_id: str
    action: str
    severity: str
    reason: str
    rows: int
    rejected: int
    share: float
    example: Mapping[str, str | None]


@dataclass(frozen=True)
class Report:
    """What is to say of the data of a source.

    Attributes:
        source: The source.
        exit_code: 0 fine, 1 would stop the build, 2 cannot be read.
        problems: Why the build would stop, one line each.
        files: The raw files.
        tables: The input tables that the source fills.
        lost_values: Values that could not be read, by column.
        unprobed: Models in which such values could not be looked for.
        broken_rules: Rules that rows break.
        unknown_event_types: Event types that the shop does not know, with their rows.
    """

    source: str
    exit_code: int = FINE
    problems: Sequence[str] = ()
    files: Sequence[RawFile] = ()
    tables: Sequence[TableProfile] = ()
    lost_values: Sequence[LostValues] = ()
    unprobed: Sequence[str] = ()
    broken_rules: Sequence[BrokenRule] = ()
    unknown_event_types: Mapping[str, int] = dataclasses.field(default_factory=dict)


def validate(source: str, variables: Mapping[str, Any]) -> Report:
    """Try the data of a source.

    Args:
        source: Name of the source.
        variables: Vars that override those of the project.

    Returns:
        What was found, up to where it could be looked at.

    Raises:
        ContractError: If dbt cannot parse the project.
    """
    project = yaml.safe_load((REPO_ROOT / "dbt_project.yml").read_text(encoding="utf-8"))
    merged = {**project["vars"], **variables}
    try:
        sources = sources_of_shop(merged.get("sources"), source)
        settings = parse_source_settings(sources).enabled()[source]
    except SourceSettingsError as error:
        return Report(source, CANNOT_BE_READ, (str(error),))

    inventory = take_inventory(source, settings)
    problems = (*inventory.problems, *inventory.column_problems)
    if problems:
        exit_code = CANNOT_BE_READ if inventory.problems else WOULD_STOP
        return Report(source, exit_code, problems, inventory.files)

    variables = {**variables, "sources": sources}
    contract = read_contract(variables)
    with tempfile.TemporaryDirectory(prefix="validate-") as scratch:
        build = _build(Path(scratch), variables)
        if build.returncode:
            problem = _LOG_TIME.sub("", build.stdout).strip()
            return Report(source, CANNOT_BE_READ, (problem,), inventory.files)
        manifest = json.loads((Path(scratch) / "target" / "manifest.json").read_text("utf-8"))
        with connect_read_only(Path(scratch) / "warehouse.duckdb") as warehouse:
            return _read_report(
                warehouse,
                Report(source, files=inventory.files),
                contract,
                [node for node in manifest["nodes"].values() if _is_built_of(node, source)],
                float(merged["max_rejected_share"]),
            )


def sources_of_shop(sources: object, source: str) -> dict[str, object]:
    """Return a source and those beside it that speak of the same shop.

    Events refer to customers and orders that another source may bring. A source that is not
    switched on is tried alone, with its defaults.

    Args:
        sources: The var `sources`.
        source: Name of the source.

    Raises:
        SourceSettingsError: If the var cannot be used.
    """
    parse_source_settings(sources)
    if not isinstance(sources, Mapping) or source not in sources:
        return {source: {}}
    others = [name for name in sources if name != "web_events"]

    def shop(name: str) -> str:
        named = (sources[name] or {}).get("shop")
        if not named and name == "web_events" and len(others) == 1:
            return shop(others[0])
        return str(named or name)

    return {name: sources[name] or {} for name in sources if shop(name) == shop(source)}


def render(report: Report) -> str:
    """Write a report for a terminal.

    Args:
        report: The report.
    """
    sections = [f"Source {report.source}"]
    if report.files:
        sections.append(_render_files(report.files))
    if report.tables:
        sections.append(_render_tables(report.tables))
        sections.append(_render_columns(report.tables))
    if report.lost_values:
        sections.append(_render_lost_values(report.lost_values))
    if report.unprobed:
        sections.append("Not looked for unreadable values: " + ", ".join(report.unprobed))
    if report.broken_rules:
        sections.append(_render_rules(report.broken_rules))
    if report.unknown_event_types:
        rows = [(name, f"{count:,}") for name, count in report.unknown_event_types.items()]
        sections.append(_table(("Unknown event types", "Rows"), rows, right={1}))
    verdict = {
        FINE: "The build would take these data.",
        WOULD_STOP: "The build would stop:",
        CANNOT_BE_READ: "The data cannot be read:",
    }[report.exit_code]
    sections.append("\n".join([verdict, *(f"  - {problem}" for problem in report.problems)]))
    return "\n\n".join(sections) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Try the data of a source and print what was found.

    Args:
        arguments: The command line; None for that of the process.

    Returns:
        0 if the build would take the data, 1 if it would stop, 2 if they cannot be read.
    """
    parser = argparse.ArgumentParser(
        prog="python -m warehouse.validate",
        description="Try the data of a source, without building the warehouse.",
    )
    parser.add_argument("source", choices=sorted(SourceSettings.model_fields))
    parser.add_argument("--vars", default="{}", help="YAML of vars that override the project's")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    try:
        variables = yaml.safe_load(options.vars) or {}
        if not isinstance(variables, Mapping):
            raise ContractError(f"--vars is no mapping of vars to their values, but: {variables}")
        report = validate(options.source, variables)
    except (ContractError, yaml.YAMLError) as error:
        report = Report(options.source, CANNOT_BE_READ, (str(error),))
    sys.stdout.write(
        json.dumps(dataclasses.asdict(report), indent=2) + "\n" if options.json else render(report)
    )
    return report.exit_code


def _build(scratch: Path, variables: Mapping[str, Any]) -> "subprocess.CompletedProcess[str]":
    target = str(scratch / "target")
    return subprocess.run(  # noqa: S603
        [
            *(sys.executable, "-m", "dbt.cli.main", "--quiet", "--no-use-colors", "build"),
            *("--exclude-resource-type", "test", "unit_test"),
            *("--select", *_SELECTION, "--vars", yaml.safe_dump(dict(variables))),
        ],
        cwd=REPO_ROOT,
        env={
            **os.environ,
            "WAREHOUSE_PATH": str(scratch / "warehouse.duckdb"),
            "DBT_TARGET_PATH": target,
            "DBT_LOG_PATH": target,
            "PYTHONWARNINGS": "ignore",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def _is_built_of(node: Mapping[str, Any], source: str) -> bool:
    folders = tuple(f"models/{layer}/{source}/" for layer in ("staging", "input_layer"))
    path = str(node["original_file_path"])
    return "compiled_code" in node and path.startswith(folders)


def _read_report(
    warehouse: duckdb.DuckDBPyConnection,
    report: Report,
    contract: Sequence[InputTable],
    models: Sequence[Mapping[str, Any]],
    max_rejected_share: float,
) -> Report:
    filled = {model["name"].removeprefix(f"{report.source}__") for model in models}
    required = required_columns(contract, read_examples())
    tables = []
    broken_rules: list[BrokenRule] = []
    problems = []
    for table in contract:
        rows_of_all = _count(warehouse, f"input_layer.{table.name}")
        if table.is_required and not rows_of_all:
            problems.append(f"{table.name}: the table is empty")
        if table.name not in filled:
            continue
        tables.append(_profile(warehouse, report.source, table, sorted(required[table.name])))
        broken = _broken_rules(warehouse, report.source, table, tables[-1].rows)
        broken_rules += broken
        problems += [
            f"{table.name}: {rule.rule_id} rejects {_percent(rule.rejected / rows_of_all)} of the "
            f"rows, more than {_percent(max_rejected_share)}"
            for rule in broken
            if rule.severity == "error" and rule.rejected > max_rejected_share * rows_of_all
        ]
    lost_values: list[LostValues] = []
    unprobed = []
    for model in sorted(models, key=lambda model: str(model["name"])):
        try:
            lost_values += find_lost_values(warehouse, model["name"], model["compiled_code"])
        except (sqlglot.errors.ParseError, duckdb.Error):
            unprobed.append(model["name"])
    return dataclasses.replace(
        report,
        exit_code=WOULD_STOP if problems else FINE,
        problems=problems,
        tables=tables,
        lost_values=lost_values,
        unprobed=unprobed,
        broken_rules=broken_rules,
        unknown_event_types=_unknown_event_types(warehouse, report.source),
    )


def _profile(
    warehouse: duckdb.DuckDBPyConnection, source: str, table: InputTable, required: Sequence[str]
) -> TableProfile:
    times = [c.name for c in table.columns if c.data_type in ("timestamp", "date")]
    span = f"min({times[0]})::varchar, max({times[0]})::varchar" if times else "null, null"
    counts = ", ".join(f"count({quote_identifier(column.name)})" for column in table.columns)
    ((rows, first_at, last_at, *values),) = (
        _rows_of(warehouse, f"input_layer.{table.name}", source)
        .aggregate(f"count(*), {span}, {counts}")
        .fetchall()
    )
    ((quarantined, copies),) = (
        _rows_of(warehouse, f"intermediate.int_{table.name}_checked", source)
        .aggregate(
            "count(*) filter (row_status = 'quarantined'), "
            "count(*) filter (row_status = 'exact_duplicate')"
        )
        .fetchall()
    )
    return TableProfile(
        table=table.name,
        rows=rows,
        accepted=rows - quarantined - copies,
        quarantined=quarantined,
        copies=copies,
        first_at=first_at,
        last_at=last_at,
        filled={
            column.name: value / rows if rows else 0.0
            for column, value in zip(table.columns, values, strict=True)
        },
        required=required,
    )


def _broken_rules(
    warehouse: duckdb.DuckDBPyConnection, source: str, table: InputTable, rows: int
) -> list[BrokenRule]:
    checked = _rows_of(warehouse, f"intermediate.int_{table.name}_checked", source)
    first_column = table.columns[0].name
    broken = []
    for rule in table.rules:
        breaking = checked.filter(f"row_status != 'exact_duplicate' and breaks_{rule.rule_id}")
        words = {
            *_WORD.findall(rule.condition),
            *(f"{entity}_id" for entity in LOOKED_UP.findall(rule.condition)),
        }
        shown = [c.name for c in table.columns if c.name == first_column or c.name in words]
        if rule.rule_id == "duplicate_key":
            shown = list(table.key)
        ((count, rejected),) = breaking.aggregate(
            f"count(*), count(*) filter (rejected_by = '{rule.rule_id}')"
        ).fetchall()
        if not count:
            continue
        text = ", ".join(f"cast({column} as varchar) as {column}" for column in shown)
        (example,) = breaking.project(text).order(", ".join(shown)).limit(1).fetchall()
        broken.append(
            BrokenRule(
                table=table.name,
                rule_id=rule.rule_id,
                action=rule.action,
                severity=rule.severity,
                reason=rule.reason,
                rows=count,
                rejected=rejected,
                share=count / rows,
                example=dict(zip(shown, example, strict=True)),
            )
        )
    return broken


def _unknown_event_types(warehouse: duckdb.DuckDBPyConnection, source: str) -> dict[str, int]:
    unknown = (
        _rows_of(warehouse, "intermediate.int_events_checked", source)
        .filter("row_status != 'exact_duplicate' and breaks_unknown_event_type")
        .aggregate("coalesce(event_type, '(none)') as event_type, count(*) as event_count")
        .order("event_count desc, event_type")
        .limit(20)
    )
    return dict(unknown.fetchall())


def _rows_of(
    warehouse: duckdb.DuckDBPyConnection, table: str, source: str
) -> duckdb.DuckDBPyRelation:
    """Return the rows of a source, the simulated among them too."""
    return warehouse.sql(f"from {table}").filter(f"source_system in ('{source}', 'simulated')")


def _count(warehouse: duckdb.DuckDBPyConnection, table: str) -> int:
    ((rows,),) = warehouse.sql(f"from {table}").aggregate("count(*)").fetchall()
    return int(rows)


def _render_files(files: Sequence[RawFile]) -> str:
    rows = [
        (
            file.name,
            "" if file.rows is None else f"{file.rows:,}",
            file.note or _list(file.unused_columns, 50),
        )
        for file in files
    ]
    return _table(("Files", "Rows", "Columns that nothing reads"), rows, right={1})


def _render_tables(tables: Sequence[TableProfile]) -> str:
    rows = [
        (
            table.table,
            *(
                f"{number:,}"
                for number in (table.rows, table.accepted, table.quarantined, table.copies)
            ),
            (table.first_at or "")[:10],
            (table.last_at or "")[:10],
        )
        for table in tables
    ]
    head = ("Input tables", "Rows", "Accepted", "Quarantined", "Copies", "From", "To")
    return _table(head, rows, right={1, 2, 3, 4})


def _render_columns(tables: Sequence[TableProfile]) -> str:
    lines = []
    for table in tables:
        if not table.rows:
            continue
        gaps = [
            (f"{column}{' (required)' if column in table.required else ''}", share)
            for column, share in table.filled.items()
            if share < 1
        ]
        partly = [f"{column} {_percent(1 - share)}" for column, share in gaps if share]
        empty = [column for column, share in gaps if not share]
        if partly:
            lines.append((table.table, "null in", _list(partly, 60)))
        if empty:
            lines.append((table.table if not partly else "", "not filled", _list(empty, 60)))
    return _table(("Columns", "", ""), lines) if lines else "Every column is filled in every row."


def _render_lost_values(lost_values: Sequence[LostValues]) -> str:
    rows = [
        (
            f"{lost.model}.{lost.column}",
            f"{lost.lost:,}",
            _percent(lost.lost / lost.rows),
            _shorten(lost.example),
        )
        for lost in lost_values
    ]
    return _table(("Values that cannot be read", "Rows", "Share", "Such as"), rows, right={1, 2})


def _render_rules(rules: Sequence[BrokenRule]) -> str:
    lines = []
    for table in dict.fromkeys(rule.table for rule in rules):
        lines.append(f"Bad rows of {table}")
        for rule in (rule for rule in rules if rule.table == table):
            action = "quarantined" if rule.action == "reject" else "flagged"
            example = ", ".join(
                f"{column} {_shorten(value)}" for column, value in rule.example.items()
            )
            lines += [
                f"  {rule.rule_id:<26}{rule.rows:>10,} {_percent(rule.share):>7}  {action}",
                _indent(rule.reason),
                _indent(f"such as {example}"),
            ]
    return "\n".join(lines)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> str:
    """Align cells under their heads; a cell of several lines goes on below itself."""
    cells = [
        [f"  {first}".split("\n"), *(cell.split("\n") for cell in rest)] for first, *rest in rows
    ]
    widths = [
        max([len(head[place]), *(len(line) for row in cells for line in row[place])])
        for place in range(len(head))
    ]

    def align(line: Sequence[str]) -> str:
        return "  ".join(
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()

    lines = [align(head)]
    for row in cells:
        lines += map(align, itertools.zip_longest(*row, fillvalue=""))
    return "\n".join(lines)


def _list(names: Sequence[str], width: int) -> str:
    return textwrap.fill(", ".join(names), width, break_long_words=False)


def _indent(text: str) -> str:
    return textwrap.fill(text, 98, initial_indent=" " * 4, subsequent_indent=" " * 6)


def _percent(share: float) -> str:
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{100 * share:.1f}%"


def _shorten(value: str | None) -> str:
    if value is None:
        return "null"
    return value if len(value) <= _MAX_VALUE_WIDTH else value[: _MAX_VALUE_WIDTH - 1] + "…"


if __name__ == "__main__":
    raise SystemExit(main())
