"""Reasons are causes: without the purchase that is the reason, the score of an item falls."""

from dataclasses import replace

import duckdb
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_array

from personalization.generators.base import GeneratorInputs
from personalization.interactions import IntArray
from personalization.ranking import Ranker
from personalization.ranking_in_time import Window
from warehouse.shop import Shop

N_CUSTOMERS = 200
# What for_you and discover show, one reason each of as many customers: half of a kind, in turn.
SAMPLE = f"""
    with numbered as (
        select
            customer_id, item_id, score, reason_code, reason_item_id,
            dense_rank() over (order by md5(customer_id)) as place,
            md5(item_id) as draw
        from python_models.py_ranked_candidates
        where
            step = 0
            and reason_item_id is not null
            and (rank <= 20 or new_rank <= 20)
    )
    select * exclude (place, draw) from numbered
    where
        place <= {N_CUSTOMERS}
        and reason_code = if(place % 2 = 0, 'bought_before', 'similar_to_bought')
    qualify row_number() over (partition by customer_id order by draw, item_id) = 1
    order by customer_id
"""


@pytest.fixture
def sample(warehouse: duckdb.DuckDBPyConnection) -> pd.DataFrame:
    try:
        rows = warehouse.sql(SAMPLE).df()
    except duckdb.CatalogException:
        pytest.skip("the warehouse was built without py_ranked_candidates")
    newest = "from python_models.py_ranked_candidates where step = 0 and scored_by <> 'ranker'"
    if rows.empty or warehouse.sql(newest).fetchone():
        pytest.skip("no ranker scored the newest candidates of this warehouse")
    return rows


def keys(inputs: GeneratorInputs, customer_id: pd.Series, item_id: pd.Series) -> IntArray:
    """One number per customer and item."""
    pairs = pd.DataFrame({"customer_id": customer_id, "item_id": item_id})
    customer, item = inputs.interactions.positions(pairs)
    assert (customer >= 0).all()
    assert (item >= 0).all()
    return customer * inputs.bought.shape[1] + item


def without(inputs: GeneratorInputs, pairs: IntArray) -> GeneratorInputs:
    """The inputs as if these customers had never bought these items."""
    ids, history = inputs.interactions, inputs.history
    n_items = len(ids.item_ids)
    found = ids.weights.tocoo()
    customer, item = (position.astype(np.int64) for position in found.coords)
    is_left = ~np.isin(customer * n_items + item, pairs)
    assert (~is_left).sum() == len(pairs)
    weights = csr_array(
        (found.data[is_left], (customer[is_left], item[is_left])), shape=found.shape
    )
    weights.sort_indices()
    is_left = ~np.isin(history["customer"] * n_items + history["item"], pairs)
    return replace(
        inputs,
        interactions=replace(ids, weights=weights),
        history=history[is_left].reset_index(drop=True),
    )


def scores(ranker: Ranker, window: Window, pairs: IntArray) -> np.ndarray:
    """The score of each pair, -1 for what is no candidate any more."""
    candidates = window.candidates
    n_items = len(window.inputs.interactions.item_ids)
    known = pd.Index(candidates.customer * n_items + candidates.item)
    place = known.get_indexer(pd.Index(pairs))
    found = np.full(len(pairs), -1.0)
    found[place >= 0] = ranker.score(candidates)[place[place >= 0]]
    return found


@pytest.mark.warehouse
def test_scores_fall_without_the_purchase_that_is_the_reason(
    warehouse: duckdb.DuckDBPyConnection, sample: pd.DataFrame
) -> None:
    shop = Shop.read(warehouse)
    past = []
    for step in (3, 2, 1):
        inputs = shop.inputs(step)
        window = Window.open(inputs, shop.is_offered(inputs, step))
        past.append((window.candidates, window.label(shop.bought_next(step))))
    ranker = Ranker.fit(past)
    inputs = shop.inputs(0)
    is_offered = shop.is_offered(inputs, 0)
    pairs = keys(inputs, sample["customer_id"], sample["item_id"])
    before = scores(ranker, Window.open(inputs, is_offered), pairs)
    np.testing.assert_allclose(before, sample["score"], atol=1e-6)

    reasons = keys(inputs, sample["customer_id"], sample["reason_item_id"])
    after = scores(ranker, Window.open(without(inputs, reasons), is_offered), pairs)
    has_fallen = pd.Series(after < before).groupby(sample["reason_code"]).agg(["mean", "size"])
    assert (has_fallen["size"] > 80).all()
    assert (after < before).mean() >= 0.95, has_fallen
