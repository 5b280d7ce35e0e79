import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from warehouse.landing import MAX_TEXT_LENGTH, landing_folder, list_landed_files, refresh_landing
from warehouse.raw_files import RawDataError
from warehouse.source_settings import WebEventsSettings

DAY = date(2024, 5, 1)
GOOD = '{"event_id": "e1", "search_query": "thé 😀 שלום \'; drop table events; --"}'


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def land(folder: Path, name: str, content: bytes | str, day: date = DAY) -> Path:
    path = folder / f"arrival_date={day}" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def lines(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.sql(
        "select file, arrival_date, line from raw_web_events.lines order by all"
    ).fetchall()


def unreadable(connection: duckdb.DuckDBPyConnection) -> list[tuple[object, ...]]:
    return connection.sql(
        "select line_number, problem, line from raw_web_events.unreadable_lines order by all"
    ).fetchall()


def test_there_must_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, message in (("none", "there is no such folder"), ("file", "that is not a folder")):
        with pytest.raises(RawDataError, match=f"source web_events in .*{name} .*\n.*{message}"):
            landing_folder(WebEventsSettings(directory=str(tmp_path / name)))


def test_an_empty_folder_is_an_empty_table(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert refresh_landing(connection, tmp_path) == []
    assert lines(connection) == []
    assert unreadable(connection) == []


# A folder may have a name that SQL, a glob or a partition would understand in a way of its own.
@pytest.mark.parametrize("name", ["landing", "q'q", "g[1]", "s*r", "region=3", "ümlaut"])
def test_reads_every_format(
    name: str, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    folder = tmp_path / name
    land(folder, "a.jsonl", f"{GOOD}\n\n{GOOD}")
    land(folder, "b.json", GOOD)
    land(folder, "c.jsonl.gz", gzip.compress(GOOD.encode()))
    land(folder, "empty.jsonl", "")
    land(folder, "empty.jsonl.gz", "")
    parquet = land(folder, "d [x].parquet", "", date(2024, 5, 2))
    connection.sql(
        "select 'e1' as event_id, timestamp '2024-05-01 10:00' as occurred_at, "
        "[{'item_id': 'p1'}] as items, 'mine' as filename"
    ).write_parquet(str(parquet))
    assert refresh_landing(connection, folder) == []

    *texts, from_parquet = lines(connection)
    files = ["a.jsonl", "a.jsonl", "b.json", "c.jsonl.gz"]
    assert texts == [(f"arrival_date=2024-05-01/{file}", DAY, GOOD) for file in files]
    assert from_parquet[:2] == ("arrival_date=2024-05-02/d [x].parquet", date(2024, 5, 2))
    assert json.loads(str(from_parquet[2])) == {
        "event_id": "e1",
        "occurred_at": "2024-05-01 10:00:00",
        "items": [{"item_id": "p1"}],
        "filename": "mine",
    }


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"event_id": "\xff\xfe"}', "is no valid JSON"),
        (b'{"event_id": "ha', "is no valid JSON"),
        (b'{"a": 1} {"a": 2}', "is no valid JSON"),
        (b'{"a": "\\ud800"}', "is no valid JSON"),
        (b"nul\0l", "is no valid JSON"),
        (b'"just, ""quotes', "is no valid JSON"),
        (b'[{"event_id": "e1"}]', "is JSON but no object"),
        (b"null", "is JSON but no object"),
        (b"17", "is JSON but no object"),
    ],
)
@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz"])
def test_a_bad_line_is_kept_and_spoils_no_other(
    line: bytes, problem: str, ending: str, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    content = b"\n".join([GOOD.encode(), b"  ", line, GOOD.encode(), line])
    land(tmp_path, f"a{ending}", gzip.compress(content) if ending == ".jsonl.gz" else content)
    assert refresh_landing(connection, tmp_path) == []

    text = line.decode(errors="replace").replace("\0", "\ufffd")
    assert unreadable(connection) == [(3, problem, text), (5, problem, text)]
    assert [row[2] for row in lines(connection)] == [GOOD, GOOD, None, None]


@pytest.mark.parametrize(
    "line",
    [
        '{"a": ' + "[" * 50 + "null" + "]" * 50 + "}",
        '{"a": {"b": {"c": null}}, "a": 2}',
        '{"a": NaN}',
        '{"search_query": "' + "x" * 5_000_000 + '"}',
    ],
    ids=["deep", "repeated key", "not a number", "five megabytes"],
)
def test_an_odd_object_is_a_line(
    line: str, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    land(tmp_path, "a.jsonl", f"{line}\n{GOOD}\r\n")
    assert refresh_landing(connection, tmp_path) == []
    assert {row[2] for row in lines(connection)} == {line, GOOD}
    assert unreadable(connection) == []


def test_what_is_kept_of_a_bad_line_is_short_and_names_nobody(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    land(tmp_path, "a.jsonl", '{"email": "bob@example.com", "x": "' + "x" * 5000)
    refresh_landing(connection, tmp_path)
    ((_, _, text),) = unreadable(connection)
    assert str(text).startswith('{"email": "<e-mail>", "x": "xx')
    assert len(str(text)) == MAX_TEXT_LENGTH


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.jsonl.gz", gzip.compress(GOOD.encode() * 50)[:-12], "not a readable gzip file"),
        ("a.jsonl.gz", GOOD.encode(), "not a readable gzip file"),
        ("a.parquet", b"PAR1" + bytes(100), "not a readable parquet file"),
        ("a.parquet", b"", "not a readable parquet file"),
        ("a.jsonl", b'{"a": "' + b"x" * 40_000_000 + b'"}', "a line of more than 16777216 bytes"),
        ("a.csv", b"a,b", "ends in none of .jsonl"),
        ("../a.jsonl", GOOD.encode(), "lies in no folder arrival_date=YYYY-MM-DD"),
        ("../arrival_date=2024-13-01/a.jsonl", GOOD.encode(), "lies in no folder arrival_date"),
        ("hour=1/a.jsonl", GOOD.encode(), "lies in no folder arrival_date=YYYY-MM-DD"),
    ],
)
def test_a_file_that_cannot_be_read_is_kept_as_one_row(
    name: str,
    content: bytes,
    problem: str,
    connection: duckdb.DuckDBPyConnection,
    tmp_path: Path,
) -> None:
    land(tmp_path, "good.jsonl", GOOD)
    bad = tmp_path / f"arrival_date={DAY}" / name
    bad.parent.mkdir(exist_ok=True)
    bad.write_bytes(content)
    (told,) = refresh_landing(connection, tmp_path)
    assert problem in told
    ((number, reason, text),) = unreadable(connection)
    assert (number, text) == (None, None)
    assert problem in str(reason)
    assert [row[2] for row in lines(connection)] == [GOOD]


def test_files_that_are_still_written_are_left_alone(tmp_path: Path) -> None:
    for name in (".a.jsonl.tmp", "_SUCCESS", "a.jsonl"):
        land(tmp_path, name, GOOD)
    land(tmp_path / "_temporary", "b.jsonl", GOOD)
    assert [file.name for file in list_landed_files(tmp_path)] == [f"arrival_date={DAY}/a.jsonl"]


def test_a_file_that_has_grown_is_read_anew(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = land(tmp_path, "a.jsonl", f'{GOOD}\n{{"event_id": ')
    refresh_landing(connection, tmp_path)
    assert [row[0] for row in unreadable(connection)] == [2]
    with path.open("a") as file:
        file.write('"e2"}\n')
    refresh_landing(connection, tmp_path)
    assert unreadable(connection) == []
    assert [row[2] for row in lines(connection)] == [GOOD, '{"event_id": "e2"}']
    path.unlink()
    refresh_landing(connection, tmp_path)
    assert lines(connection) == []


def test_a_file_is_checked_once(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    land(tmp_path, "a.jsonl", f"{GOOD}\n[]")
    refresh_landing(connection, tmp_path)
    monkeypatch.setattr("warehouse.landing._check_file", None)
    assert refresh_landing(connection, tmp_path) == []
    assert [row[0] for row in unreadable(connection)] == [2]


@pytest.mark.parametrize("ending", [".jsonl", ".parquet"])
def test_a_condition_on_the_day_reads_no_other_partition(
    ending: str, connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    for day in (1, 2, 3):
        path = land(tmp_path, f"a{ending}", GOOD, date(2024, 5, day))
        if ending == ".parquet":
            connection.sql(f"select {day} as event_id").write_parquet(str(path))
    refresh_landing(connection, tmp_path)
    land(tmp_path, f"a{ending}", b'{"a": "' + b"x" * 40_000_000 + b'"}', date(2024, 5, 2))

    query = "select count(line) from raw_web_events.lines where arrival_date {}"
    for condition, rows in (
        ("= '2024-05-03'", 1),
        ("> date '2024-05-02'", 1),
        ("in ('2024-05-01', '2024-05-03')", 2),
    ):
        assert connection.sql(query.format(condition)).fetchall() == [(rows,)]
    with pytest.raises(duckdb.Error):
        connection.sql(query.format("is not null")).fetchall()
