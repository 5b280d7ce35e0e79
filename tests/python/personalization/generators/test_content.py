from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import checked_scores, inputs_of

from personalization.generators.base import top_items
from personalization.generators.content import content, content_neighbors

FIELDS = ["department", "category", "brand", "size", "item_name"]
ALL = slice(0, None)


def catalog(*rows: tuple[str | None, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=FIELDS, dtype=object)


def described(items: pd.DataFrame) -> list[dict[str, float]]:
    """The TF-IDF vector of each item, as a dictionary, from the definition."""
    terms = []
    for row in items.to_dict("records"):
        found = {
            f"{field}={row[field].lower()}"
            for field in FIELDS[:4]
            if isinstance(row.get(field), str)
        }
        if isinstance(row.get("item_name"), str):
            found |= set(row["item_name"].lower().replace("-", " ").replace("&", " ").split())
        terms.append(found)
    counts = Counter(term for found in terms for term in found)
    vectors = []
    for found in terms:
        idf = {term: 1 + np.log((1 + len(items)) / (1 + counts[term])) for term in found}
        norm = np.sqrt(sum(value**2 for value in idf.values()))
        vectors.append({term: value / norm for term, value in idf.items()})
    return vectors


def dot(x: dict[str, float], y: dict[str, float]) -> float:
    return sum(value * y.get(term, 0) for term, value in x.items())


catalogs = st.lists(
    st.tuples(
        st.sampled_from(["Grocery", "GROCERY", "Drug", None]),
        st.sampled_from(["milk", "soap", None]),
        st.sampled_from(["own", "brand a", None]),
        st.sampled_from(["14 oz", None]),
        st.sampled_from(["Milk - white", "White milk", "soap & more soap", "grocery", "", None]),
    ),
    min_size=1,
    max_size=25,
).map(lambda rows: catalog(*rows))


@settings(deadline=None, max_examples=40)
@given(catalogs, st.integers(0, 2**32 - 1), st.integers(1, 5))
def test_content_is_the_cosine_of_profile_and_item(items, seed, n_customers):
    rng = np.random.default_rng(seed)
    shape = (n_customers, len(items))
    weights = rng.uniform(0.1, 5, shape) * (rng.random(shape) < 0.4)
    vectors = described(items)
    expected = np.zeros(shape)
    for customer in range(n_customers):
        profile: Counter[str] = Counter()
        for item, vector in enumerate(vectors):
            for term, value in vector.items():
                profile[term] += weights[customer, item] * value
        norm = np.sqrt(dot(profile, profile))
        for item, vector in enumerate(vectors):
            expected[customer, item] = dot(vector, profile) / norm if norm else 0
    scorer = content(inputs_of(weights, items=items))
    np.testing.assert_allclose(scorer(ALL), expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_array_equal(scorer(slice(0, 1)), scorer(ALL)[:1])


@settings(deadline=None, max_examples=100)
@given(
    catalogs,
    st.integers(0, 2**32 - 1),
    st.integers(1, 8),
    st.sampled_from([None, 1, 2, 5]),
    st.sampled_from([0.0, 0.3, 0.9]),
)
def test_neighbors_equal_brute_force(items, seed, k, max_per_name, min_score):
    rng = np.random.default_rng(seed)
    is_offered = rng.random(len(items)) < 0.7
    popularity = rng.integers(0, 3, len(items))
    vectors = described(items)
    names = [
        name.lower() if isinstance(name, str) else None for name in items["item_name"].tolist()
    ]
    rows = []
    for item, vector in enumerate(vectors):
        found = []
        for other, neighbor in enumerate(vectors):
            score = round(dot(vector, neighbor), 6)
            if other != item and is_offered[other] and score > 0 and score >= min_score:
                found.append((-score, -popularity[other], other))
        of_name: Counter[str | None] = Counter()
        rank = 0
        for minus, _, other in sorted(found):
            of_name[names[other]] += 1
            if of_name[names[other]] <= (max_per_name or k) and rank < k:
                rank += 1
                rows.append((item, other, rank, -minus))
    expected = pd.DataFrame(rows, columns=["item", "neighbor", "rank", "score"])
    actual = content_neighbors(
        items,
        k=k,
        is_offered=is_offered,
        popularity=popularity,
        max_per_name=max_per_name,
        min_score=min_score,
    )
    assert actual.columns.tolist() == expected.columns.tolist()
    np.testing.assert_allclose(actual.to_numpy(float), expected.to_numpy(float), atol=1.1e-6)


def test_blocks_of_descriptions_make_no_difference(monkeypatch):
    rng = np.random.default_rng(1)
    items = pd.DataFrame(rng.choice(list("abcd"), (60, 5)), columns=FIELDS)
    expected = content_neighbors(items, k=5, max_per_name=2)
    monkeypatch.setattr("personalization.generators.content._BLOCK_DESCRIPTIONS", 7)
    pd.testing.assert_frame_equal(content_neighbors(items, k=5, max_per_name=2), expected)


def test_neighbors_among_many_equal_descriptions():
    # Every list is cut inside a group of equal ones, which must go by position.
    items = catalog(
        *[("food", "milk", None, None, "milk")] * 50, *[("food", "tea", None, None, "tea")] * 50
    )
    neighbors = content_neighbors(items, k=3).groupby("item")["neighbor"].agg(list)
    assert neighbors[0] == [1, 2, 3]
    assert neighbors[2] == [0, 1, 3]
    assert neighbors[49] == [0, 1, 2]
    assert neighbors[99] == [50, 51, 52]
    widest = content_neighbors(items, k=60).groupby("item")["neighbor"].agg(list)
    assert widest[49] == [*range(49), *range(50, 61)]


def test_a_name_is_passed_over_when_it_has_its_share():
    items = catalog(
        *[("food", "milk", None, None, "milk")] * 50, *[("food", "tea", None, None, "tea")] * 50
    )
    neighbors = content_neighbors(items, k=5, max_per_name=2).groupby("item")["neighbor"].agg(list)
    assert neighbors[0] == [1, 2, 50, 51]
    assert neighbors[2] == [0, 1, 50, 51]
    assert neighbors[99] == [50, 51, 0, 1]


def test_the_lowest_score_is_enough():
    items = catalog(*[("food", "milk", None, None, "milk")] * 2)
    assert len(content_neighbors(items, k=1, min_score=1.0)) == 2


def test_what_is_not_offered_has_neighbors_and_is_none():
    items = catalog(*[("food", "milk", None, None, "milk")] * 3)
    neighbors = content_neighbors(items, k=5, is_offered=np.array([False, True, True]))
    assert neighbors[["item", "neighbor"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 2], [2, 1]]


def test_a_new_item_reaches_those_who_buy_its_like():
    items = catalog(
        ("food", "milk", "farm", "1 l", "whole milk"),
        ("home", "soap", "clean", "2 ct", "bar soap"),
        ("food", "milk", "farm", "2 l", "whole milk"),
    )
    inputs = inputs_of([[1.0, 0, 0], [0, 1.0, 0]], items=items)
    picks = top_items(inputs, content(inputs), k=1, exclude_bought=True)
    assert picks.customer.tolist() == [0]
    assert picks.item.tolist() == [2]


def test_a_common_department_says_less_than_a_rare_brand():
    items = catalog(
        ("food", None, "farm", None, None),
        ("drinks", None, "farm", None, None),
        *[("food", None, f"brand {n}", None, None) for n in range(20)],
    )
    assert content_neighbors(items, k=1)["neighbor"].iloc[0] == 1


@pytest.mark.parametrize("field", FIELDS)
def test_any_one_field_is_enough(field):
    items = pd.DataFrame({field: ["a", "b", "a"]}, index=[5, 5, 7])
    scores = content(inputs_of([[1.0, 0, 0]], items=items))(ALL)
    np.testing.assert_allclose(scores, [[1, 0, 1]])
    assert content_neighbors(items, k=5)["neighbor"].tolist() == [2, 0]


@pytest.mark.parametrize(
    ("items", "weights"),
    [
        (catalog(), np.zeros((0, 0))),
        (catalog(), np.zeros((3, 0))),
        (catalog(("a", "b", "c", "d", "e")), np.zeros((0, 1))),
        (catalog(("a", "b", "c", "d", "e")), np.ones((1, 1))),
        (catalog(*[(None,) * 5] * 3), np.ones((2, 3))),
        (catalog(*[("a", "b", "c", "d", "e")] * 3), np.ones((4, 3))),
    ],
    ids=["nothing", "no item", "no customer", "one", "no description", "identical"],
)
@pytest.mark.filterwarnings("error")
def test_small_shops(items, weights):
    scores = checked_scores(content, inputs_of(weights, items=items))
    expected = float(items["brand"].notna().any())
    np.testing.assert_allclose(scores, np.full(weights.shape, expected))


@pytest.mark.filterwarnings("error")
def test_neighbors_of_nothing_have_the_types_of_something():
    pair = content_neighbors(catalog(*[("a", None, None, None, None)] * 2), k=1)
    assert len(pair) == 2
    for items in (catalog(), catalog((None,) * 5), catalog(("a", None, None, None, None))):
        nothing = content_neighbors(items, k=1, max_per_name=1)
        assert nothing.empty
        assert nothing.dtypes.equals(pair.dtypes)
    nobody = content_neighbors(catalog(("a",) * 5), k=1, is_offered=np.zeros(1, bool))
    assert nobody.empty


def test_rejects_bad_arguments():
    with pytest.raises(ValueError, match="k must be at least 1"):
        content_neighbors(catalog(), k=0)
    with pytest.raises(ValueError, match="max_per_name must be at least 1"):
        content_neighbors(catalog(), k=1, max_per_name=0)
    with pytest.raises(ValueError, match="min_score must be at least 0"):
        content_neighbors(catalog(), k=1, min_score=-0.1)
    with pytest.raises(ValueError, match="item_name"):
        content_neighbors(catalog().drop(columns="item_name"), k=1, max_per_name=1)
    with pytest.raises(ValueError, match="department, category, brand, size, item_name"):
        content(inputs_of(np.zeros((0, 0)), items=pd.DataFrame()))
    with pytest.raises(ValueError, match="department, category, brand, size, item_name"):
        content_neighbors(pd.DataFrame({"price": [1.0]}), k=1)
