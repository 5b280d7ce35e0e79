import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalization import interactions
from personalization.interactions import Interactions, rank_within, round_scores


def frame(**columns: list[object]) -> pd.DataFrame:
    good: dict[str, list[object]] = {
        "customer_id": ["c2", "c1", "c1"],
        "item_id": ["a", "b", "a"],
        "weight": [3.0, 2.0, 1.0],
    }
    return pd.DataFrame(good | columns)


def test_labels_are_sorted_and_weights_placed():
    matrix = Interactions.from_frame(frame())
    assert matrix.customer_ids.tolist() == ["c1", "c2"]
    assert matrix.item_ids.tolist() == ["a", "b"]
    assert matrix.weights.toarray().tolist() == [[1.0, 2.0], [3.0, 0.0]]


def test_popularity_counts_customers_not_weights():
    matrix = Interactions.from_frame(frame(item_id=["b", "c", "b"]))
    assert matrix.item_popularity.tolist() == [2, 1]
    assert matrix.items_by_popularity.tolist() == [0, 1]


def test_equally_popular_items_are_ordered_by_id():
    matrix = Interactions.from_frame(frame(item_id=["b", "c", "a"]))
    assert matrix.item_ids[matrix.items_by_popularity].tolist() == ["a", "b", "c"]


def test_select_items_keeps_every_customer():
    matrix = Interactions.from_frame(frame()).select_items(np.array([1]))
    assert matrix.item_ids.tolist() == ["b"]
    assert matrix.weights.toarray().tolist() == [[2.0], [0.0]]


def test_empty_frame():
    matrix = Interactions.from_frame(frame().iloc[:0])
    assert matrix.weights.shape == (0, 0)
    assert matrix.item_popularity.tolist() == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"customer_id": ["c1", None, "c2"]}, "customer_id has null"),
        ({"item_id": ["a", "b", None]}, "item_id has null"),
        ({"item_id": [1, 2, 3]}, "item_id must be text"),
        ({"weight": [1.0, 0.0, 1.0]}, "weight has values that are not positive"),
        ({"weight": [1.0, -1.0, 1.0]}, "weight has values that are not positive"),
        ({"weight": [1.0, math.nan, 1.0]}, "weight has null or infinite"),
        ({"weight": [1.0, math.inf, 1.0]}, "weight has null or infinite"),
        ({"weight": ["1", "2", "3"]}, "weight must be numeric"),
        ({"item_id": ["a", "a", "a"]}, "duplicate rows for customer_id, item_id"),
    ],
)
def test_rejects_bad_frames(columns, message):
    with pytest.raises(ValueError, match=message):
        Interactions.from_frame(frame(**columns))


def test_names_the_missing_column():
    with pytest.raises(ValueError, match=r"missing column.*weight"):
        Interactions.from_frame(frame().drop(columns="weight"))


ranked = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from([0.0, 0.1, 0.1 + 1e-12, 0.5, 7.0])), max_size=30
)


@given(ranked, st.booleans())
def test_rank_within_equals_sorting_tuples(pairs, is_huge):
    # A huge score leaves no room to pack the keys into one integer, so the other path is taken.
    huge = 2.0**42
    groups = np.array([group for group, _ in pairs], dtype=np.int64)
    scores = np.array([score for _, score in pairs]) + (huge if is_huge else 0)
    tie_breaks = np.arange(len(pairs))[::-1]
    order, rank = rank_within(groups, scores, tie_breaks)
    rounded = round_scores(scores)
    expected = sorted(
        range(len(pairs)), key=lambda place: (groups[place], -rounded[place], tie_breaks[place])
    )
    assert order.tolist() == expected
    for group in set(groups):
        in_group = groups[order] == group
        assert rank[in_group].tolist() == list(range(1, in_group.sum() + 1))


def test_scores_equal_after_rounding_are_ties():
    digits = interactions.SCORE_DIGITS
    scores = np.array([0.5, 0.5 + 10.0 ** -(digits + 3)])
    order, _ = rank_within(np.zeros(2, dtype=np.int64), scores, np.array([0, 1]))
    assert order.tolist() == [0, 1]
