from pathlib import Path

import duckdb
import pandas as pd
import pytest

from personalization.evaluate.reading import (
    InputError,
    parse_times,
    read_interactions,
    read_items,
    read_users,
)


def write_csv(folder: Path, text: str, name: str = "data.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def write_parquet(folder: Path, query: str) -> Path:
    path = folder / "data.parquet"
    duckdb.sql(query).write_parquet(str(path))
    return path


def records(frame: pd.DataFrame) -> list[tuple]:
    return list(frame.itertuples(index=False, name=None))


def test_csv_ids_stay_as_they_are_written(tmp_path):
    path = write_csv(tmp_path, "user,item\n007,1.0\nNaN,a b\n")
    table = read_interactions(path, {})
    assert records(table.frame) == [("007", "1.0"), ("NaN", "a b")]
    assert table.notes == ("data.csv: 2 rows; user: user, item: item",)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("12::bigint", "12"),
        ("12.0::double", "12"),
        ("12.5::double", "12.5"),
        ("1e300::double", "1e+300"),
        ("'x'::varchar", "x"),
        ("date '2020-01-02'", "2020-01-02"),
        ("true", "true"),
        ("12.50::decimal(9,2)", "12.50"),
    ],
)
def test_parquet_ids_of_any_type_become_text(tmp_path, value, text):
    table = read_interactions(write_parquet(tmp_path, f"select {value} as user, 1 as item"), {})
    assert records(table.frame) == [(text, "1")]


def test_known_names_in_any_case_and_unknown_columns_are_noted(tmp_path):
    path = write_csv(
        tmp_path,
        "Customer_ID,price,Product_ID,ordered_at,basket_id,weight,color\n"
        "c,9,p,2020-01-01,b,2.5,red\n",
    )
    table = read_interactions(path, {})
    assert list(table.frame.columns) == ["user", "item", "time", "order", "weight"]
    assert records(table.frame) == [("c", "p", pd.Timestamp("2020-01-01"), "b", 2.5)]
    assert table.notes[1] == "data.csv: ignored columns: price, color"


def test_names_given_by_the_user_win(tmp_path):
    path = write_csv(tmp_path, 'user,"who ""bought""",item\nu,v,i\n')
    table = read_interactions(path, {"user": 'who "bought"'})
    assert records(table.frame) == [("v", "i")]


def test_rows_without_user_or_item_are_left_out_and_noted(tmp_path):
    path = write_csv(tmp_path, "user,item\nu,i\n,j\nv,\n")
    table = read_interactions(path, {})
    assert records(table.frame) == [("u", "i")]
    assert table.notes[1] == "data.csv: 2 rows without user or item, left out"


def test_a_name_is_not_a_pattern(tmp_path):
    write_csv(tmp_path, "user,item\nwrong,file\n", "a.csv")
    path = write_csv(tmp_path, "user,item\nu,i\n", "[a]*.csv")
    assert records(read_interactions(path, {}).frame) == [("u", "i")]


@pytest.mark.parametrize(
    ("text", "names", "message"),
    [
        ("", {}, "empty file"),
        ("user,item\n", {}, "no rows"),
        ("user,item\n,i\n", {}, "no rows"),
        (
            "user,thing\nu,i\n",
            {},
            "no column item or item_id or product or product_id (or --item-column);"
            " its columns: user, thing",
        ),
        ("user,item\nu,i\n", {"time": "when"}, "no column when; its columns: user, item"),
        ('"user,item\nu,i\n', {}, "no column user or"),
        (
            "user_id,customer_id,item\nu,c,i\n",
            {},
            "user_id and customer_id could both be the user: choose with --user-column",
        ),
        ("user,item,weight\nu,i,much\n", {}, "column weight: much is not a positive number"),
        ("user,item,w\nu,i,0\n", {"weight": "w"}, "column w: 0 is not a positive number"),
        ("user,item,weight\nu,i,inf\n", {}, "column weight: inf is not a positive number"),
        ("user,item,weight\nu,i,1\nu,j,\n", {}, "column weight: a row has no value"),
        (
            "user,item,at\nu,i,2020-01-01\nu,j,soon\n",
            {"time": "at"},
            "column at: soon is neither an ISO 8601 nor a Unix time",
        ),
        ("user,item,time\nu,i,1\nu,j,\n", {}, "column time: a row has no value"),
        ("user,item,order\nu,i,1\nu,j,\n", {}, "column order: a row has no value"),
        (
            "user,item,time\nu,i,2020-01-01\nu,j,1577934245\n",
            {},
            "column time: ISO 8601 and Unix times are mixed: 2020-01-01 and 1577934245",
        ),
        (
            "user,item\nu,i,extra\n",
            {},
            "cannot be read: Invalid Input Error: CSV Error on Line: 2; Original Line: u,i,extra;"
            " Expected Number of Columns: 2 Found: 3",
        ),
        (
            "user,item\nu,i\nv\n",
            {},
            "cannot be read: Invalid Input Error: CSV Error on Line: 3; Original Line: v;"
            " Expected Number of Columns: 2 Found: 1",
        ),
        (
            'user,item\nu,"i\n',
            {},
            'cannot be read: Invalid Input Error: CSV Error on Line: 2; Original Line: u,"i;'
            " Value with unterminated quote found.",
        ),
        ("user,item,item\nu,i,j\n", {}, "column item occurs twice"),
        ("user,item, item\nu,i,j\n", {}, "column item occurs twice"),
        ("\nuser,item\nu,i\n", {}, "no header: the first line is blank"),
        (" \nuser,item\nu,i\n", {}, "no header: the first line is blank"),
        (
            "user,item,weight\nu,i,1e308\nv,i,1e308\n",
            {},
            "column weight: the sum of values such as 1e+308 is infinite",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line_with_the_file(tmp_path, text, names, message):
    path = write_csv(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_interactions(path, names)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert "\n" not in str(caught.value)


def test_a_long_line_is_not_quoted_at_length(tmp_path):
    path = write_csv(tmp_path, f"user,item\nu,{'x' * 3000},extra\n")
    with pytest.raises(InputError, match="Expected Number of Columns: 2 Found: 3") as caught:
        read_interactions(path, {})
    assert len(str(caught.value)) < len(str(path)) + 300


def test_spaces_around_the_names_of_columns_do_not_matter(tmp_path):
    path = write_csv(tmp_path, "user, item , when,more \nu,i,2020-01-01,x\n")
    table = read_interactions(path, {"time": "when"})
    assert records(table.frame) == [("u", "i", pd.Timestamp("2020-01-01"))]
    assert table.notes == (
        "data.csv: 1 rows; user: user, item: item, time: when",
        "data.csv: ignored columns: more",
    )


def test_orders_and_weights_of_test_rows_are_ignored(tmp_path):
    path = write_csv(tmp_path, "user,item,weight,order,time\nu,i,-1,,2020-01-01\n")
    table = read_interactions(path, {"weight": "weight", "order": "number"}, is_test=True)
    assert records(table.frame) == [("u", "i", pd.Timestamp("2020-01-01"))]
    assert table.notes[1] == "data.csv: ignored columns: weight, order"


@pytest.mark.parametrize("content", ["PAR1 and no more", "PAR1"])
def test_a_broken_parquet_file(tmp_path, content):
    path = write_csv(tmp_path, content, "data.parquet")
    with pytest.raises(InputError, match=r"data\.parquet: cannot be read: "):
        read_interactions(path, {})


def test_a_file_that_is_no_text(tmp_path):
    path = tmp_path / "data.xls"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(InputError, match="neither parquet nor UTF-8 text"):
        read_interactions(path, {})


def test_csv_of_a_spreadsheet(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b'\xef\xbb\xbfuser,item\r\n"a, ""b""",i\r\nv,"two\r\nlines"\r\n')
    table = read_interactions(path, {})
    assert records(table.frame) == [('a, "b"', "i"), ("v", "two\r\nlines")]


def test_no_such_file(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: cannot be read: No such file"):
        read_interactions(tmp_path / "none.csv", {})


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2020-01-02", "2020-01-02 03:04:05"], ["2020-01-02", "2020-01-02 03:04:05"]),
        (["2020-01-02T00:30+02:00"], ["2020-01-01 22:30"]),
        (["1577934245"], ["2020-01-02 03:04:05"]),
        ([1577934245, 1577934246], ["2020-01-02 03:04:05", "2020-01-02 03:04:06"]),
        ([1577934245250], ["2020-01-02 03:04:05.250"]),
        ([1577934245.5], ["2020-01-02 03:04:05.500"]),
        ([pd.Timestamp("2020-01-02", tz="America/New_York")], ["2020-01-02 05:00"]),
        ([pd.Timestamp("2020-01-02")], ["2020-01-02"]),
        (["0001-01-01", "9999-12-31"], ["0001-01-01", "9999-12-31"]),
        (["-1", "1.5"], ["1969-12-31 23:59:59", "1970-01-01 00:00:01.500"]),
    ],
)
def test_times_in_every_form(values, expected):
    found = parse_times(pd.Series(values), "here")
    assert found.tolist() == [pd.Timestamp(time) for time in expected]
    assert found.dtype == "datetime64[us]"


@pytest.mark.parametrize(
    "value", ["yesterday", "", 1e30, "inf", float("inf"), "10000-01-01", "0000-12-31"]
)
def test_what_is_no_time(value):
    with pytest.raises(InputError, match=r"here: .* is neither an ISO 8601 nor a Unix time"):
        parse_times(pd.Series([value]), "here")


def test_times_of_parquet_types(tmp_path):
    path = write_parquet(
        tmp_path, "select 1 as user, 2 as item, timestamptz '2020-01-02 03:00:00+01' as time"
    )
    assert read_interactions(path, {}).frame["time"].tolist() == [pd.Timestamp("2020-01-02 02:00")]


@pytest.mark.parametrize(
    "value",
    [
        "timestamp 'infinity'",
        "timestamp '-infinity'",
        "timestamptz 'infinity'",
        "date 'infinity'",
        "timestamp '10000-01-01'",
        "'infinity'::double",
        "'infinity'",
    ],
)
def test_infinite_times_of_parquet_files_are_refused(tmp_path, value):
    path = write_parquet(tmp_path, f"select 'u' as user, 'i' as item, {value} as time")
    with pytest.raises(InputError, match=r"time: .* is neither an ISO 8601 nor a Unix time|DATE"):
        read_interactions(path, {})


def test_items_with_what_is_known_of_them(tmp_path):
    path = write_csv(tmp_path, "product_id,brand,name,price\np,b,Milk,1\nq,,Bread,2\n")
    table = read_items(path, {})
    assert list(table.frame.columns) == ["item", "brand", "item_name"]
    assert table.frame["item_name"].tolist() == ["Milk", "Bread"]
    assert table.frame["brand"].isna().tolist() == [False, True]
    assert table.notes[1] == "data.csv: ignored columns: price"


def test_an_item_described_twice(tmp_path):
    path = write_csv(tmp_path, "item,brand\np,b\np,c\n")
    with pytest.raises(InputError, match=r"data\.csv: column item: p occurs twice"):
        read_items(path, {})


def test_users_with_their_segments(tmp_path):
    path = write_csv(tmp_path, "customer_id,segment,age\n007,loyal,9\nc,,8\n,new,7\n")
    table = read_users(path, {})
    assert table.frame["user"].tolist() == ["007", "c"]
    assert table.frame["segment"].fillna("?").tolist() == ["loyal", "?"]
    assert table.notes == (
        "data.csv: 3 rows; user: customer_id, segment: segment",
        "data.csv: ignored columns: age",
        "data.csv: 1 rows without user, left out",
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user,segment\nu,a\nu,b\n", "column user: u occurs twice"),
        ("user,tier\nu,a\n", "no column segment (or --segment-column); its columns: user, tier"),
        ("segment\na\n", "no column user or user_id or customer or customer_id"),
    ],
)
def test_what_is_wrong_with_users(tmp_path, text, message):
    path = write_csv(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_users(path, {})
    assert str(caught.value).startswith(f"{path}: {message}")
