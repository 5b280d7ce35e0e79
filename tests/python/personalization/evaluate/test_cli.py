from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from personalization.evaluate import cli
from personalization.generators.base import GeneratorInputs, Scorer
from personalization.interactions import check_columns


def popular(inputs: GeneratorInputs) -> Scorer:
    popularity = inputs.interactions.item_popularity.astype(np.float64)
    return lambda customers: np.tile(popularity, (customers.stop - customers.start, 1))


def recent(inputs: GeneratorInputs) -> Scorer:
    check_columns(inputs.baskets, ["age_days"])
    ages = inputs.baskets.groupby("item")["age_days"].min()
    freshness = 1 / (1 + ages.to_numpy(np.float64))
    return lambda customers: np.tile(freshness, (customers.stop - customers.start, 1))


def popular_in_segment(inputs: GeneratorInputs) -> Scorer:
    check_columns(inputs.customers, ["segment"])
    return popular(inputs)


def with_a_bug(_: GeneratorInputs) -> Scorer:
    raise ValueError("shapes do not match")


GENERATORS = {"popular": popular, "recent": recent}


def main(*argv: object) -> int:
    return cli.main(["evaluate", *map(str, argv)], generators=GENERATORS)


def write_csv(path: Path, frame: pd.DataFrame) -> Path:
    frame.to_csv(path, index=False)
    return path


@pytest.fixture
def events() -> pd.DataFrame:
    rng = np.random.default_rng(8)
    n_rows = 400
    return pd.DataFrame(
        {
            "user_id": rng.integers(1, 31, n_rows),
            "product_id": (rng.pareto(1, n_rows) * 4).astype(int).clip(max=40),
            "timestamp": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 90 * 24, n_rows), unit="h"),
        }
    )


def rows_of(output: str) -> dict[str, list[str]]:
    """The rows of the first table, by the name they begin with."""
    lines = output.split("\n\n")[2].splitlines()[2:]
    return {line.split()[0]: line.split()[1:] for line in lines}


def test_explicit_split_of_new_pairs(tmp_path, events, capsys):
    pairs = events[["user_id", "product_id"]].drop_duplicates().reset_index(drop=True)
    is_test = pairs.index % 5 == 0
    train = tmp_path / "train.parquet"
    duckdb.from_df(pairs[~is_test]).write_parquet(str(train))
    test = write_csv(tmp_path / "test.csv", pairs[is_test])
    out = tmp_path / "lists.parquet"
    code = main("--train", train, "--test", test, "--no-peers", "--k", "5,2", "--out", out)
    captured = capsys.readouterr()

    assert code == 0
    assert "0.0% of the test pairs repeat a training pair" in captured.out
    assert "Top 5 of items new to the user" in captured.out
    assert "of all items" not in captured.out
    assert "recent skipped: missing column(s): age_days" in captured.out
    assert captured.err.splitlines() == ["[1/2] popular", "[2/2] recent"]

    # Recall@5 from the written lists, by hand.
    lists = duckdb.read_parquet(str(out)).df()
    wanted = pairs[is_test].astype("str").groupby("user_id")["product_id"].agg(set)
    wanted = wanted[wanted.index.isin(set(pairs[~is_test]["user_id"].astype("str")))]
    listed = lists.groupby("user")["item"].agg(set)
    recall = np.mean([len(listed[user] & items) / len(items) for user, items in wanted.items()])
    assert recall > 0
    assert rows_of(captured.out)["popular"][1] == f"{recall:.4f}"
    bought = set(pairs[~is_test].astype("str").itertuples(index=False, name=None))
    assert not bought & set(zip(lists["user"], lists["item"], strict=True))


def test_one_file_is_divided_in_time_and_repeats_are_judged_apart(tmp_path, events, capsys):
    path = write_csv(tmp_path / "events.csv", events)
    code = main("--interactions", path, "--split-at", "2020-03-01", "--peers", "sparse_dot_topn")
    output = capsys.readouterr().out
    assert code == 0
    assert "test: the interactions from 2020-03-01 00:00:00 UTC on" in output
    assert "Top 20 of all items" in output
    assert "Top 20 of items new to the user" in output
    assert set(rows_of(output)) == {"popular", "recent", "sparse_dot_topn"}


def test_ages_are_those_at_the_split(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("user,item,time\nu,a,2020-01-01\nu,b,2020-01-11\nu,c,2020-01-31\n")
    out = tmp_path / "lists.parquet"
    options = ("--no-peers", "--generators", "recent", "--scope", "all", "--out", out)
    assert main("--interactions", path, "--split-at", "2020-01-21", *options) == 0
    lists = duckdb.read_parquet(str(out)).df()
    assert lists["item"].tolist() == ["b", "a"]
    # `recent` scores 1 / (1 + age).
    assert lists["score"].tolist() == [1, round(11 / 21, 6)]


def test_scope_and_generators_can_be_chosen(tmp_path, events, capsys):
    path = write_csv(tmp_path / "events.csv", events)
    code = main(
        *("--interactions", path, "--test-share", 0.3, "--no-peers"),
        *("--generators", "recent", "--scope", "all"),
    )
    output = capsys.readouterr().out
    assert code == 0
    assert "items new to the user" not in output
    assert set(rows_of(output)) == {"recent"}


def test_products_join_the_catalog(tmp_path, events, capsys):
    path = write_csv(tmp_path / "events.csv", events)
    products = write_csv(
        tmp_path / "products.csv",
        pd.DataFrame({"product_id": range(1000), "brand": "b", "shelf": 1}),
    )
    main("--interactions", path, "--products", products, "--no-peers", "--generators", "popular")
    output = capsys.readouterr().out
    assert "products.csv: 1,000 rows; item: product_id, brand: brand" in output
    assert "products.csv: ignored columns: shelf" in output
    assert "not in the catalog" not in output


def test_segments_are_read_from_a_file(tmp_path, events, capsys):
    path = write_csv(tmp_path / "events.csv", events)
    customers = write_csv(
        tmp_path / "customers.csv", pd.DataFrame({"user_id": range(1, 20), "tier": "a"})
    )
    options = ["evaluate", "--interactions", str(path), "--no-peers"]
    generators = {"popular": popular, "popular_in_segment": popular_in_segment}
    assert cli.main(options, generators=generators) == 0
    output = capsys.readouterr().out
    assert "popular_in_segment skipped: missing column(s): segment" in output
    options += ["--customers", str(customers), "--segment-column", "tier"]
    assert cli.main(options, generators=generators) == 0
    output = capsys.readouterr().out
    assert "customers.csv: 19 rows; user: user_id, segment: tier" in output
    assert "19 of 30 users have a segment" in output
    assert set(rows_of(output)) == set(generators)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("user,item,time\nu,a,1\nv,a,1\nu,b,2\nv,c,2\n", id="all test items are new"),
        pytest.param("user,item,time\nu,a,1\nu,b,2\n", id="one user, new item"),
        pytest.param("user,item,time\nu,a,1\nu,b,1\nu,a,2\n", id="one user, known item"),
        pytest.param("user,item\nu,a\nu,b\nv,a\nv,b\n", id="identical users"),
        pytest.param(
            "user,item,time\nu,a,1\nv,a,1\nu,b,2\nv,b,2\nu,a,3\nv,a,3\n", id="identical in time"
        ),
    ],
)
def test_small_data(tmp_path, capsys, content):
    path = tmp_path / "data.csv"
    path.write_text(content)
    out = tmp_path / "lists.parquet"
    options = ("--peers", "sparse_dot_topn", "--test-share", 0.5, "--out", out)
    code = main("--interactions", path, *options)
    assert code == 0
    assert "failed" not in capsys.readouterr().out
    assert duckdb.read_parquet(str(out)).columns[:4] == ["generator", "scope", "user", "item"]


def test_odd_weights_and_times_are_told_and_do_not_stop_anything(tmp_path, events, capsys):
    odd = events.tail(1).assign(timestamp=pd.Timestamp("9999-12-31").as_unit("us"), weight=1e308)
    times = events["timestamp"].astype("datetime64[us]")
    train = pd.concat([events.assign(timestamp=times, weight=1.0), odd], ignore_index=True)
    train = write_csv(tmp_path / "train.csv", train)
    test = write_csv(tmp_path / "test.csv", events.head(50).assign(weight=-1))
    code = main("--train", train, "--test", test, "--peers", "implicit_als,sklearn")
    output = capsys.readouterr().out
    assert code == 0
    assert "9999-12-31 00:00:00, a gap longer than all other time: are the times right?" in output
    assert "training rows lie at or after the first test time" in output
    assert set(rows_of(output)) == {"popular", "recent", "implicit_als", "sklearn"}


def test_a_failure_does_not_stop_the_others_and_is_the_exit_code(tmp_path, events, capsys):
    path = write_csv(tmp_path / "events.csv", events)
    code = cli.main(
        ["evaluate", "--interactions", str(path), "--no-peers"],
        generators={"broken": with_a_bug, "popular": popular},
    )
    output = capsys.readouterr().out
    assert code == 1
    assert "broken failed: ValueError: shapes do not match" in output
    assert set(rows_of(output)) == {"popular"}


def test_none_that_can_run(tmp_path, events, capsys):
    path = write_csv(tmp_path / "events.csv", events.drop(columns="timestamp"))
    code = main("--interactions", path, "--no-peers", "--generators", "recent")
    assert code == 1
    assert "recent skipped" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        ("user,item\n", [], "data.csv: no rows"),
        ("user,thing\nu,i\n", [], "data.csv: no column item or item_id or"),
        ("user,item\nu,i\n", ["--split-at", "2020-01-01"], "needs a time column"),
        ("user,item,time\nu,i,1\nu,j,2\n", ["--split-at", "soon"], "--split-at: soon is neither"),
        ("user,item,time\nu,i,1\nu,j,2\n", ["--split-at", "2020-01-01"], "leaves a part empty"),
        ("user,item,time\nu,i,1\nu,i,2\n", ["--scope", "new"], "every test pair repeats"),
        (
            "user,item,time\nu,i,1\nu,j,2\n",
            ["--products", "none.csv"],
            "none.csv: cannot be read: No such file",
        ),
    ],
)
def test_what_is_wrong_with_the_data_is_one_line(tmp_path, capsys, content, options, message):
    path = tmp_path / "data.csv"
    path.write_text(content)
    code = main("--interactions", path, "--no-peers", *options)
    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.startswith("personalization evaluate: ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "give either --train and --test, or --interactions"),
        (["--train", "a"], "--train and --test go together"),
        (["--train", "a", "--test", "b", "--interactions", "c"], "give either"),
        (["--train", "a", "--test", "b", "--test-share", "0.5"], "divide --interactions"),
        (["--interactions", "a", "--test-share", "1"], "not a number between 0 and 1: 1"),
        (["--interactions", "a", "--test-share", "x"], "not a number between 0 and 1: x"),
        (["--interactions", "a", "--test-share", "0.5", "--split-at", "b"], "not allowed with"),
        (["--interactions", "a", "--generators", "none"], "unknown: none (choose from popular"),
        (["--interactions", "a", "--peers", "none"], "unknown: none (choose from sklearn"),
        (["--interactions", "a", "--peers", "sklearn", "--no-peers"], "not allowed with"),
        (["--interactions", "a", "--k", "5,0"], "not whole numbers from 1: 5,0"),
        (["--interactions", "a", "--k", "five"], "not whole numbers from 1: five"),
        (["--interactions", "a", "--out", "no/such/folder/x"], "--out: no such folder"),
        (["--interactions", "a", "--out", "/"], "--out: a folder, not a file: /"),
    ],
)
def test_options_that_make_no_sense(capsys, options, message):
    with pytest.raises(SystemExit) as caught:
        main(*options)
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_a_peer_that_is_not_installed(capsys, monkeypatch):
    monkeypatch.setattr("personalization.evaluate.peers.find_spec", lambda _: None)
    with pytest.raises(SystemExit):
        main("--interactions", "a", "--peers", "implicit_als")
    assert "implicit_als needs the package implicit" in capsys.readouterr().err


def test_help_names_what_can_be_chosen(capsys):
    with pytest.raises(SystemExit) as caught:
        main("--help")
    assert caught.value.code == 0
    output = " ".join(capsys.readouterr().out.split())
    assert "all of popular, recent" in output
    assert "rule_based is not among the generators, since it needs mined rules" in output
    assert "scope (all if the list may hold any item, new if only items new to the user)" in output
    assert "user, user_id, customer, customer_id" in output
