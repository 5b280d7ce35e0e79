"""Items that association rules lead to from what a customer buys."""

import numpy as np
import pandas as pd
from scipy.sparse import csr_array

from personalization.generators.base import GeneratorInputs, Scorer
from personalization.generators.item_based import ItemScorer
from personalization.interactions import (
    check_columns,
    check_finite,
    check_ids,
    check_positive,
    check_unique,
)


def rule_based(inputs: GeneratorInputs, *, rules: pd.DataFrame) -> Scorer:
    """Score items by the rules whose antecedents the customer buys.

    With w the decayed weight, over the rules j → i:

        score(c, i) = Σ log(1 + w(c, j)) · max(0, confidence(j → i) · (1 - 1 / lift(j → i)))

    Since lift is confidence over the share of orders with i, the second factor is confidence less
    that share: how much likelier j makes i ("added value"; Tan, Kumar and Srivastava, "Selecting
    the right interestingness measure for association patterns", KDD 2002). Confidence alone leads
    from anything to what everybody buys, lift alone to what hardly anybody does; out of time on
    the demo this ranked new items better than either, and the sum better than the best rule.

    Args:
        inputs: The state of the shop.
        rules: One row per rule: `antecedent_item_id` and `consequent_item_id` (text),
            `confidence` (not negative) and `lift` (positive). Items that are not in `inputs`, and
            rules from an item to itself, are ignored.

    Returns:
        The scorer; 0 for items that no rule leads to.

    Raises:
        ValueError: `rules` are not as described.
    """
    ids = ["antecedent_item_id", "consequent_item_id"]
    check_columns(rules, [*ids, "confidence", "lift"])
    check_ids(rules, ids)
    check_unique(rules, ids)
    check_finite(rules, "confidence", minimum=0)
    check_positive(rules, "lift")
    catalog = pd.Index(inputs.interactions.item_ids)
    antecedent, consequent = (catalog.get_indexer(pd.Index(rules[column])) for column in ids)
    confidence, lift = (rules[column].to_numpy(np.float64) for column in ("confidence", "lift"))
    added_value = confidence * (1 - 1 / lift)
    keep = (antecedent >= 0) & (consequent >= 0) & (antecedent != consequent) & (added_value > 0)
    leads_to = csr_array(
        (added_value[keep], (antecedent[keep], consequent[keep])), shape=(len(catalog),) * 2
    )
    return ItemScorer(inputs.interactions.weights.log1p(), leads_to)
