import pandas as pd
import pytest

from personalization.evaluate.reading import InputError
from personalization.evaluate.splitting import split_at, split_share


def timed(*days: int) -> pd.DataFrame:
    times = [pd.Timestamp("2020-01-01") + pd.Timedelta(days=day) for day in days]
    return pd.DataFrame({"user": "u", "item": [f"i{day}" for day in days], "time": times})


def untimed(n_users: int, n_items: int) -> pd.DataFrame:
    pairs = [(f"u{user}", f"i{item}") for user in range(n_users) for item in range(n_items)]
    return pd.DataFrame(pairs, columns=["user", "item"])


def pairs_of(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame["user"], frame["item"], strict=True))


def test_test_begins_at_the_time():
    train, test, note, time = split_at(timed(3, 1, 2), pd.Timestamp("2020-01-03"))
    assert train["item"].tolist() == ["i1"]
    assert test["item"].tolist() == ["i3", "i2"]
    assert note == "test: the interactions from 2020-01-03 00:00:00 UTC on"
    assert time == pd.Timestamp("2020-01-03")


@pytest.mark.parametrize("time", ["2019-01-01", "2020-01-02", "2021-01-01"])
def test_a_time_that_leaves_a_part_empty(time):
    with pytest.raises(
        InputError, match=r"leaves a part empty: times are 2020-01-02 .* 2020-01-04"
    ):
        split_at(timed(3, 1, 2), pd.Timestamp(time))


def test_a_time_needs_times():
    with pytest.raises(InputError, match="needs a time column"):
        split_at(untimed(2, 2), pd.Timestamp("2020-01-01"))


def test_the_last_share_in_time_is_test_in_any_order_of_rows():
    train, test, _, time = split_share(timed(4, 0, 3, 1, 2, 9, 8, 7, 6, 5), 0.2)
    assert set(test["item"]) == {"i8", "i9"}
    assert len(train) == 8
    assert time == pd.Timestamp("2020-01-09")


def test_what_happened_at_one_moment_stays_together():
    train, test, *_ = split_share(timed(0, 0, 1, 1, 1, 1), 0.2)
    assert set(train["item"]) == {"i0"}
    assert len(test) == 4


def test_a_share_smaller_than_a_row_is_one_row():
    assert split_share(timed(0, 1, 2), 0.01).test["item"].tolist() == ["i2"]


def test_all_at_one_moment_cannot_be_split_in_time():
    with pytest.raises(InputError, match="leaves a part empty"):
        split_share(timed(1, 1), 0.5)


def test_without_times_a_share_of_each_user_is_test():
    interactions = untimed(6, 10)
    train, test, note, time = split_share(interactions, 0.2)
    assert time is None
    assert test.groupby("user").size().tolist() == [2] * 6
    assert pairs_of(train) | pairs_of(test) == pairs_of(interactions)
    assert not pairs_of(train) & pairs_of(test)
    assert len({frozenset(items) for _, items in test.groupby("user")["item"]}) > 1
    assert note == "test: 20% of each user's items, at random (there is no time column)"


def test_random_split_ignores_the_order_of_rows_and_keeps_repeated_pairs_together():
    interactions = pd.concat([untimed(5, 7), untimed(5, 7)], ignore_index=True)
    expected = split_share(interactions, 0.3)
    actual = split_share(interactions.sample(frac=1, random_state=1), 0.3)
    assert pairs_of(actual.test) == pairs_of(expected.test)
    assert len(expected.test) == 2 * len(pairs_of(expected.test)) == 2 * 5 * 2


def test_users_of_one_item_are_not_tested():
    with pytest.raises(InputError, match="leaves a part empty"):
        split_share(untimed(9, 1), 0.5)


@pytest.mark.parametrize("share", [0, 1, -0.1, float("nan")])
def test_impossible_shares(share):
    with pytest.raises(ValueError, match="share must be between 0 and 1"):
        split_share(untimed(2, 2), share)
