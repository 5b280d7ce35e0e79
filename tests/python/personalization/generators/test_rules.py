from functools import partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import checked_scores, inputs_of

from personalization.generators.rules import rule_based

COLUMNS = ["antecedent_item_id", "consequent_item_id", "confidence", "lift"]
ALL = slice(0, None)


def rules_of(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS).astype(
        {
            "antecedent_item_id": "str",
            "consequent_item_id": "str",
            "confidence": float,
            "lift": float,
        }
    )


@st.composite
def rule_frames(draw):
    # i008 and i009 are unknown to the shop.
    pair = st.tuples(st.integers(0, 9), st.integers(0, 9))
    pairs = draw(st.lists(pair, unique=True, max_size=40))
    return rules_of(
        *(
            (f"i{a:03}", f"i{b:03}", draw(st.floats(0, 1)), draw(st.floats(0.1, 20)))
            for a, b in pairs
        )
    )


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), rule_frames())
def test_equals_its_definition(seed, n_customers, rules):
    rng = np.random.default_rng(seed)
    weights = rng.uniform(0.01, 5, (n_customers, 8)) * (rng.random((n_customers, 8)) < 0.4)
    expected = np.zeros(weights.shape)
    for rule in rules.itertuples():
        antecedent, consequent = int(rule.antecedent_item_id[1:]), int(rule.consequent_item_id[1:])
        if antecedent == consequent or max(antecedent, consequent) >= 8:
            continue
        added_value = rule.confidence - rule.confidence / rule.lift
        for customer in range(n_customers):
            expected[customer, consequent] += np.log1p(weights[customer, antecedent]) * max(
                0, added_value
            )
    actual = rule_based(inputs_of(weights), rules=rules)(ALL)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-12)  # 32-bit floats


def test_neither_what_everybody_buys_nor_a_rare_coincidence_comes_first():
    rules = rules_of(
        ("i000", "i001", 0.60, 1.1),  # bananas: nearly everybody buys them anyway
        ("i000", "i002", 0.30, 6.0),
        ("i000", "i003", 0.01, 50.0),  # truffle
        ("i000", "i004", 0.50, 0.8),  # less likely than without
    )
    scores = rule_based(inputs_of([[1.0, 0, 0, 0, 0]]), rules=rules)(ALL)[0]
    assert scores.argmax() == 2
    assert scores[4] == 0


def test_a_slice_is_a_part_of_the_whole():
    scorer = rule_based(
        inputs_of(np.arange(12).reshape(4, 3)),
        rules=rules_of(("i000", "i001", 0.5, 2), ("i002", "i000", 0.2, 3)),
    )
    np.testing.assert_array_equal(scorer(slice(1, 3)), scorer(ALL)[1:3])
    assert scorer(ALL)[1, 1] > 0


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0), (1, 1), (3, 4)])
@pytest.mark.parametrize("rules", [rules_of(), rules_of(("i000", "i007", 0.5, 2.0))])
@pytest.mark.filterwarnings("error")
def test_small_shops(shape, rules):
    scores = checked_scores(partial(rule_based, rules=rules), inputs_of(np.ones(shape)))
    assert not scores.any()


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (pd.DataFrame(), "antecedent_item_id, consequent_item_id, confidence, lift"),
        (rules_of(("i000", "i001", 0.5, 2), ("i000", "i001", 0.4, 2)), "duplicate"),
        (rules_of(("i000", "i001", -0.5, 2)), "confidence"),
        (rules_of(("i000", "i001", 0.5, 0)), "lift"),
        (rules_of(("i000", "i001", 0.5, 2)).assign(antecedent_item_id=None), "null ids"),
    ],
)
def test_rejects_bad_rules(rules, message):
    generator = partial(rule_based, rules=rules)
    with pytest.raises(ValueError, match=message):
        generator(inputs_of(np.ones((1, 2))))
