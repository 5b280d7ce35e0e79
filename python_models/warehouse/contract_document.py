"""The contract of the input layer as a page to read, docs/input-layer.md.

    python -m warehouse.contract_document update
    python -m warehouse.contract_document check

Written from the contract itself and from example rows, which must pass the quality gate.
"""

import argparse
import difflib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from warehouse.contract import (
    ContractError,
    InputTable,
    Row,
    Rows,
    check_rows,
    read_contract,
    required_columns,
)
from warehouse.paths import REPO_ROOT

DOCUMENT: Final = REPO_ROOT / "docs" / "input-layer.md"
EXAMPLES: Final = REPO_ROOT / "docs" / "input-layer-examples.yml"

_HEAD: Final = """\
<!-- Written by `make contract` from models/input_layer, models/docs, macros/quality_rules.sql and
     docs/input-layer-examples.yml: change those. -->
# The input layer

What a shop's data must look like before the warehouse can use them: {count} tables, each with its
columns, example rows, and what happens to rows that are wrong. How the files of a source become
these tables is in [sources.md](sources.md); `make validate SOURCE=<source>` tries them without
building the warehouse.

- **Times** are UTC, **amounts** are in the shop's currency, **ids** are text. Unknown is null.
- A table that a source does not fill is empty, and all else still works; the build stops only where
  one of the required tables is empty.
- Rows that are equal in all but `received_at` are counted once. No other row is dropped: it is
  accepted, or it is in `quality.quarantined_rows` with the first rule that it breaks.
- The warehouse itself adds the column `source_system`.

| Table | Grain | Required |
| --- | --- | --- |
"""
_RULES_HEAD: Final = """
| Bad row | What happens | Severity | Why |
| --- | --- | --- | --- |
"""
_ACTIONS: Final = {"reject": "quarantined", "flag": "passes, flagged"}
_FOOT: Final = """
## Severity

The build stops before a table is used when one rule of severity **error** quarantines a larger
share of it than the var `max_rejected_share`; rules of severity **warn** only warn. The var
`quality_rule_overrides` changes actions and severities.
"""


def read_examples(path: Path = EXAMPLES) -> Rows:
    """Read the example rows.

    Args:
        path: YAML of rows by input table.
    """
    examples: Rows = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    return examples


def render(tables: Sequence[InputTable], examples: Rows, required: Mapping[str, set[str]]) -> str:
    """Write the page.

    Args:
        tables: The contract.
        examples: Example rows by table.
        required: The columns that must be filled, by table.

    Returns:
        Markdown.
    """
    contents = [
        f"| [{table.name}](#{table.name}) | {', '.join(table.key)} "
        f"| {'yes' if table.is_required else 'no'} |\n"
        for table in tables
    ]
    sections = [
        _render_table(table, examples[table.name], required[table.name]) for table in tables
    ]
    return "".join([_HEAD.format(count=len(tables)), *contents, *sections, _FOOT])


def make_document() -> str:
    """Write the page from the project as it is.

    Raises:
        ContractError: If the contract cannot be read or an example row does not fit it.
    """
    tables = read_contract()
    examples = read_examples()
    problems = check_rows(tables, examples)
    problems += [
        f"{table.name}: no example row" for table in tables if not examples.get(table.name)
    ]
    if problems:
        raise ContractError(
            "\n".join(
                ["The example rows do not fit the contract:", *(f"  - {p}" for p in problems)]
            )
        )
    return render(tables, examples, required_columns(tables, examples))


def main(arguments: Sequence[str] | None = None) -> int:
    """Renew the page, or tell whether it is current.

    Args:
        arguments: The command line; None for that of the process.

    Returns:
        0; 1 if the page is not current; 2 if the contract or the examples cannot be used.
    """
    parser = argparse.ArgumentParser(
        prog="python -m warehouse.contract_document",
        description="Write the contract of the input layer as a page.",
    )
    parser.add_argument("command", choices=["update", "check"])
    parser.add_argument("--document", type=Path, default=DOCUMENT)
    options = parser.parse_args(arguments)
    try:
        document = make_document()
    except (ContractError, OSError, yaml.YAMLError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if options.command == "update":
        options.document.write_text(document, encoding="utf-8")
        return 0
    present = options.document.read_text(encoding="utf-8") if options.document.exists() else ""
    difference = list(
        difflib.unified_diff(
            present.splitlines(),
            document.splitlines(),
            options.document.name,
            "contract",
            "",
            "",
            1,
            "",
        )
    )
    if difference:
        sys.stdout.write("\n".join([*difference, "Run `make contract` to renew it.", ""]))
    return 1 if difference else 0


def _render_table(table: InputTable, rows: Sequence[Row], required: set[str]) -> str:
    numbers = range(1, len(rows) + 1)
    heads = ["Column", "Type", "Required", "Meaning", *(f"Example {number}" for number in numbers)]
    columns = [
        [
            f"`{column.name}`",
            column.data_type,
            "yes" if column.name in required else "",
            column.description,
            *(row.get(column.name) or "" for row in rows),
        ]
        for column in table.columns
    ]
    rules = [
        [f"`{rule.rule_id}`", _ACTIONS[rule.action], rule.severity, rule.reason]
        for rule in table.rules
    ]
    return "".join(
        [
            f"\n## {table.name}\n\n{_without_rules(table.description)}\n\n",
            _line(heads),
            _line(["---"] * len(heads)),
            *map(_line, columns),
            _RULES_HEAD,
            *map(_line, rules),
        ]
    )


def _without_rules(description: str) -> str:
    """Return the description without its summary of bad rows, which a table tells in full."""
    lines = description.splitlines()
    return "\n".join(line for line in lines if not line.startswith("- **Bad rows**"))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    raise SystemExit(main())
