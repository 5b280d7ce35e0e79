import datetime as dt
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from warehouse.readme_queries import (
    README,
    ReadmeQuery,
    answer_diff,
    main,
    parse_queries,
    render_table,
    replace_answers,
    run_query,
)

MARKDOWN = """# Shop

Some words.

```sh
# sql and text in a shell are neither
dbt build
```

## Which events are there?

```sql
select count(*) as events
from behavior.events
```

```text
events
------
     3
```

The same, but over
two lines:

```sql
select 1 as one
```
```text
```

```sql
select 'no answer follows'
```

Words between.

```text
not an answer
```
"""


@pytest.fixture
def warehouse_path(tmp_path: Path) -> Path:
    path = tmp_path / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create schema behavior; create table behavior.events as from range(3) r(event_id)"
        )
    return path


class TestParse:
    def test_finds_queries_with_answers_and_their_titles(self) -> None:
        first, second = parse_queries(MARKDOWN)
        assert first.title == "Which events are there?"
        assert first.sql == "select count(*) as events\nfrom behavior.events"
        assert first.answer == "events\n------\n     3"
        assert (second.title, second.answer) == ("The same, but over two lines", "")

    def test_open_block(self) -> None:
        with pytest.raises(ValueError, match="line 3 "):
            parse_queries("words\n\n```sql\nselect 1\n")

    def test_replaces_answers_and_nothing_else(self) -> None:
        first, second = parse_queries(MARKDOWN)
        changed = replace_answers(MARKDOWN, ["one\ntwo\nthree\nfour", "five"])
        assert [query.answer for query in parse_queries(changed)] == [
            "one\ntwo\nthree\nfour",
            "five",
        ]
        assert replace_answers(changed, [first.answer, second.answer]) == MARKDOWN

    def test_wants_an_answer_for_every_query(self) -> None:
        with pytest.raises(ValueError, match="argument 2"):
            replace_answers(MARKDOWN, ["one"])


class TestRender:
    def test_aligns_numbers_right_and_text_left(self) -> None:
        rows = [("milk", 12, Decimal("3.50"), 0.5), ("bread and butter", None, Decimal("10.00"), 2)]
        assert render_table(["name", "n", "price", "share"], rows).splitlines() == [
            "name                 n  price  share",
            "----------------  ----  -----  -----",
            "milk                12   3.50    0.5",
            "bread and butter  null  10.00      2",
        ]

    @pytest.mark.parametrize(
        ("values", "cells"),
        [
            ([0.1 + 0.2], ["0.3"]),
            ([1.0, 0.25, 1 / 3], ["1.0000", "0.2500", "0.3333"]),
            ([2.0, -0.0], ["2.0", "0.0"]),
            ([0.5, 0.00001], ["0.5", "1.0e-05"]),
            ([float("nan"), float("inf"), 1.5], ["nan", "inf", "1.5"]),
            ([True, None], ["true", "null"]),
            ([dt.date(2026, 1, 31)], ["2026-01-31"]),
            ([dt.datetime(2026, 1, 31, 9, 5)], ["2026-01-31 09:05:00"]),
            ([["a", 0.5, None]], ["[a, 0.5, null]"]),
            ([{"a": 1, "b": dt.date(2026, 1, 31)}], ["{a: 1, b: 2026-01-31}"]),
            (["two\nlines"], ["two lines"]),
            ([10**20], ["100000000000000000000"]),
        ],
    )
    def test_values(self, values: list[object], cells: list[str]) -> None:
        table = render_table(["a"], [(value,) for value in values])
        assert [line.strip() for line in table.splitlines()[2:]] == cells

    def test_no_rows(self) -> None:
        assert render_table(["a"], []) == "a\n-\n(no rows)"

    def test_no_line_ends_in_blanks(self) -> None:
        table = render_table(["a", "long name"], [("1", "x")])
        assert all(line == line.rstrip() for line in table.splitlines())


class TestRun:
    def test_keeps_the_order_of_the_rows_and_takes_utc(self) -> None:
        with duckdb.connect() as connection:
            connection.execute("set TimeZone = 'UTC'")
            answer = run_query(
                connection,
                "select i, timestamptz '2026-01-01 12:00:00+02' as at "
                "from range(3) r(i) order by i desc;",
            )
        assert answer.splitlines() == [
            "i  at",
            "-  -------------------",
            "2  2026-01-01 10:00:00",
            "1  2026-01-01 10:00:00",
            "0  2026-01-01 10:00:00",
        ]

    def test_diff(self) -> None:
        query = ReadmeQuery("How many?", "select 1", "n\n-\n1", (0, 3))
        assert answer_diff(query, "n\n-\n1") == ""
        assert answer_diff(query, "n\n-\n2").splitlines() == [
            "--- README: How many?",
            "+++ warehouse",
            "@@ -1,3 +1,3 @@",
            " n",
            " -",
            "-1",
            "+2",
        ]


class TestCommandLine:
    def test_check_update_show(
        self, tmp_path: Path, warehouse_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        readme = tmp_path / "README.md"
        readme.write_text(MARKDOWN, encoding="utf-8")
        options = ["--readme", str(readme), "--warehouse", str(warehouse_path)]

        assert main(["check", *options]) == 1
        output = capsys.readouterr().out
        assert "--- README: The same, but over two lines" in output
        assert output.endswith("\n1 of 2 answers hold\n")

        assert main(["update", *options]) == 0
        assert readme.read_text(encoding="utf-8") == MARKDOWN.replace(
            "```text\n```", "```text\none\n---\n  1\n```"
        )
        assert main(["check", *options]) == 0
        assert capsys.readouterr().out == "2 of 2 answers hold\n"

        assert main(["show", "--first", "1", *options]) == 0
        assert capsys.readouterr().out == (
            "Which events are there?\n\n"
            "select count(*) as events\nfrom behavior.events\n\n"
            "events\n------\n     3\n"
        )

    def test_failing_query_is_named_and_nothing_is_written(
        self, tmp_path: Path, warehouse_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        readme = tmp_path / "README.md"
        broken = MARKDOWN.replace("behavior.events", "behavior.nothing")
        readme.write_text(broken, encoding="utf-8")
        options = ["--readme", str(readme), "--warehouse", str(warehouse_path)]
        assert main(["update", *options]) == 2
        assert capsys.readouterr().err.startswith("Which events are there?\n")
        assert readme.read_text(encoding="utf-8") == broken

    def test_missing_warehouse(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert main(["check", "--warehouse", str(tmp_path / "none.duckdb")]) == 2
        assert "there is no warehouse at" in capsys.readouterr().err


@pytest.mark.warehouse
@pytest.mark.parametrize(
    "query",
    [
        pytest.param(query, id=query.title)
        for query in parse_queries(README.read_text(encoding="utf-8"))
    ],
)
def test_the_readme_tells_the_truth(
    query: ReadmeQuery, warehouse: duckdb.DuckDBPyConnection
) -> None:
    assert run_query(warehouse, query.sql) == query.answer
