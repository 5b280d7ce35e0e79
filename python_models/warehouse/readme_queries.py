"""The queries of the README and their answers, which are run rather than believed.

    python -m warehouse.readme_queries show [--first 3]
    python -m warehouse.readme_queries check
    python -m warehouse.readme_queries update

A query is a fenced `sql` block directly followed by a fenced `text` block, its answer.
"""

import argparse
import datetime as dt
import difflib
import math
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import duckdb

from warehouse.paths import REPO_ROOT, connect_read_only, default_warehouse_path, quote_identifier

README: Final = REPO_ROOT / "README.md"

_FENCE: Final = re.compile(r"(?P<ticks>`{3,}|~{3,})\s*(?P<language>\w*)")
_HEADING: Final = re.compile(r"#{1,6}\s+")
_MAX_DECIMALS: Final = 4


@dataclass(frozen=True)
class ReadmeQuery:
    """One query of the README.

    Attributes:
        title: The heading or paragraph above it.
        sql: The query.
        answer: What the README gives as its answer.
        answer_lines: First and end index of the lines of the answer in the README.
    """

    title: str
    sql: str
    answer: str
    answer_lines: tuple[int, int]


@dataclass(frozen=True)
class _Block:
    """A stretch of markdown: a fenced block, or else a paragraph, whose language is None."""

    language: str | None
    start: int
    end: int


def parse_queries(markdown: str) -> list[ReadmeQuery]:
    """Find the queries that have an answer.

    Args:
        markdown: The text of the README.

    Returns:
        The queries in their order.

    Raises:
        ValueError: If a fenced block is not closed.
    """
    lines = markdown.splitlines()
    blocks = list(_read_blocks(lines))
    queries = []
    title = ""
    for block, following in zip(blocks, [*blocks[1:], None], strict=True):
        if block.language is None:
            text = " ".join(line.strip() for line in lines[block.start : block.end])
            title = _HEADING.sub("", text).rstrip(":")
        elif block.language == "sql" and following is not None and following.language == "text":
            queries.append(
                ReadmeQuery(
                    title=title,
                    sql="\n".join(lines[block.start : block.end]),
                    answer="\n".join(lines[following.start : following.end]),
                    answer_lines=(following.start, following.end),
                )
            )
    return queries


def run_query(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """Run a query and render its answer.

    Args:
        connection: The warehouse.
        sql: One query.

    Returns:
        The answer as an aligned table.

    Raises:
        duckdb.Error: If the query fails.
    """
    relation = connection.sql(sql)
    types = [str(data_type) for data_type in relation.types]
    if "TIMESTAMP WITH TIME ZONE" in types:
        # Fetched as it is, it would need a time zone library; the connection's clock is UTC.
        relation = relation.project(
            ", ".join(
                f"cast({column} as timestamp) as {column}" if "ZONE" in data_type else column
                for column, data_type in zip(
                    map(quote_identifier, relation.columns), types, strict=True
                )
            )
        )
    return render_table(relation.columns, relation.fetchall())


def render_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Render rows as plain text: numbers to the right, everything else to the left.

    Args:
        columns: The names of the columns.
        rows: Their values.

    Returns:
        The table, without a newline at its end.
    """
    columns_of_cells = [
        _render_column([row[index] for row in rows]) for index in range(len(columns))
    ]
    is_number = [
        any(_is_number(row[index]) for row in rows)
        and all(row[index] is None or _is_number(row[index]) for row in rows)
        for index in range(len(columns))
    ]
    widths = [
        max(map(len, (name, *cells))) for name, cells in zip(columns, columns_of_cells, strict=True)
    ]

    def line(cells: Sequence[str]) -> str:
        aligned = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, is_number, strict=True)
        )
        return "  ".join(aligned).rstrip()

    body = [line(cells) for cells in zip(*columns_of_cells, strict=True)] or ["(no rows)"]
    return "\n".join([line(columns), line(["-" * width for width in widths]), *body])


def replace_answers(markdown: str, answers: Sequence[str]) -> str:
    """Put new answers into the README and leave everything else as it is.

    Args:
        markdown: The text of the README.
        answers: One answer for each query, in their order.

    Returns:
        The new text.

    Raises:
        ValueError: If there are more or fewer answers than queries.
    """
    lines = markdown.splitlines()
    replacements = list(zip(parse_queries(markdown), answers, strict=True))
    # From the end, so that the line numbers of the answers before stay true.
    for query, answer in reversed(replacements):
        start, end = query.answer_lines
        lines[start:end] = answer.splitlines()
    return "\n".join(lines) + "\n"


def answer_diff(query: ReadmeQuery, found: str) -> str:
    """Show how the answer of the warehouse differs from that of the README.

    Args:
        query: The query.
        found: The answer of the warehouse.

    Returns:
        A unified diff; empty if the answers are equal.
    """
    return "\n".join(
        difflib.unified_diff(
            query.answer.splitlines(),
            found.splitlines(),
            f"README: {query.title}",
            "warehouse",
            lineterm="",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Show, check or update the answers of the README.

    Args:
        arguments: The command line; None for that of the process.

    Returns:
        0; 1 if an answer differs; 2 if a query fails, or README or warehouse cannot be read.
    """
    parser = argparse.ArgumentParser(
        prog="python -m warehouse.readme_queries", description="Run the queries of the README."
    )
    parser.add_argument("command", choices=["show", "check", "update"])
    parser.add_argument("--first", type=int, metavar="N", help="only the first N queries (show)")
    parser.add_argument("--readme", type=Path, default=README)
    parser.add_argument(
        "--warehouse", type=Path, help="else WAREHOUSE_PATH, else data/warehouse.duckdb"
    )
    options = parser.parse_args(arguments)
    answers = []
    try:
        markdown = options.readme.read_text(encoding="utf-8")
        queries = parse_queries(markdown)
        if options.command == "show":
            queries = queries[: options.first]
        with connect_read_only(options.warehouse or default_warehouse_path()) as connection:
            for query in queries:
                try:
                    answers.append(run_query(connection, query.sql))
                except duckdb.Error as error:
                    sys.stderr.write(f"{query.title}\n{error}\n")
                    return 2
    except (OSError, ValueError, duckdb.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 2

    if options.command == "show":
        shown = (
            f"{query.title}\n\n{query.sql}\n\n{answer}\n"
            for query, answer in zip(queries, answers, strict=True)
        )
        sys.stdout.write("\n\n".join(shown))
        return 0
    if options.command == "update":
        options.readme.write_text(replace_answers(markdown, answers), encoding="utf-8")
        return 0
    diffs = [
        diff
        for query, answer in zip(queries, answers, strict=True)
        if (diff := answer_diff(query, answer))
    ]
    sys.stdout.write("".join(f"{diff}\n" for diff in diffs))
    sys.stdout.write(f"{len(queries) - len(diffs)} of {len(queries)} answers hold\n")
    return 1 if diffs else 0


def _read_blocks(lines: Sequence[str]) -> Iterator[_Block]:
    """Split markdown into fenced blocks (their content only), headings and paragraphs."""
    index = 0
    while index < len(lines):
        fence = _FENCE.match(lines[index])
        start = index
        if fence:
            start = index = index + 1
            while index < len(lines) and not _closes(lines[index], fence["ticks"]):
                index += 1
            if index == len(lines):
                raise ValueError(f"the fenced block that line {start} opens is not closed")
            yield _Block(fence["language"], start, index)
            index += 1
        elif not lines[index].strip():
            index += 1
        elif _HEADING.match(lines[index]):
            index += 1
            yield _Block(None, start, index)
        else:
            while (
                index < len(lines)
                and lines[index].strip()
                and not _FENCE.match(lines[index])
                and not _HEADING.match(lines[index])
            ):
                index += 1
            yield _Block(None, start, index)


def _closes(line: str, ticks: str) -> bool:
    stripped = line.rstrip()
    return stripped.startswith(ticks) and set(stripped) == {ticks[0]}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _render_column(values: Sequence[object]) -> list[str]:
    """Render the values of one column, all fractions with the same number of decimals."""
    decimals = max((_decimals(value) for value in values if isinstance(value, float)), default=0)
    return [_render_value(value, decimals) for value in values]


def _render_value(value: object, decimals: int) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float():
            if not math.isfinite(value):
                return str(value)
            rounded = f"{value:.{decimals}f}"
            # Neither a small share nor a rounding error's sign may turn into "0.0000" or "-0.0".
            if float(rounded) == 0:
                return f"{value:.1e}" if value else rounded.removeprefix("-")
            return rounded
        case dt.datetime():
            return value.isoformat(sep=" ")
        case list() | tuple():
            return "[" + ", ".join(_render_item(item) for item in value) + "]"
        case dict():
            return "{" + ", ".join(f"{k}: {_render_item(v)}" for k, v in value.items()) + "}"
        case _:
            return " ".join(str(value).split("\n"))


def _render_item(value: object) -> str:
    return _render_value(value, _decimals(value) if isinstance(value, float) else 0)


def _decimals(value: float) -> int:
    """Return how many decimals the number needs, at least one and at most four."""
    if not math.isfinite(value):
        return 1
    _, _, fraction = f"{value:.{_MAX_DECIMALS}f}".rstrip("0").partition(".")
    return max(1, len(fraction))


if __name__ == "__main__":
    raise SystemExit(main())
