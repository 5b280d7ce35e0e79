import os
import time

import numpy as np
import pytest
from scipy.sparse import csr_array
from threadpoolctl import threadpool_info

from personalization.evaluate.contenders import Contender, generator_contenders
from personalization.evaluate.running import FailedError, SkippedError, run
from personalization.generators.base import GeneratorInputs, Scorer, top_items
from personalization.generators.registry import GENERATORS
from personalization.interactions import Interactions, MissingInputError, check_columns

MIB = 2**20
NEEDING_MORE = {"popular_in_segment", "trending", "buy_again_in_time", "content", "session_knn"}


def by_popularity(inputs: GeneratorInputs) -> Scorer:
    popularity = inputs.interactions.item_popularity.astype(np.float64)
    return lambda customers: np.tile(popularity, (customers.stop - customers.start, 1))


def at_large(inputs: GeneratorInputs) -> Scorer:
    assert np.ones(300 * MIB // 8).sum() > 0
    return by_popularity(inputs)


def slowly(inputs: GeneratorInputs) -> Scorer:
    _burn(0.3)

    def score(customers: slice) -> np.ndarray:
        _burn(0.2)
        return by_popularity(inputs)(customers)

    return score


def needing_times(inputs: GeneratorInputs) -> Scorer:
    check_columns(inputs.baskets, ["age_days"])
    return by_popularity(inputs)


def with_a_bug(_: GeneratorInputs) -> Scorer:
    raise ValueError("operands could not be broadcast together")


def with_a_bug_in_its_scorer(_: GeneratorInputs) -> Scorer:
    def score(customers: slice) -> np.ndarray:
        raise KeyError(customers.start)

    return score


def out_of_memory(_: GeneratorInputs) -> Scorer:
    os._exit(9)


def telling_threads(_: GeneratorInputs) -> Scorer:
    raise ValueError(f"threads: {max(pool['num_threads'] for pool in threadpool_info())}")


def _burn(seconds: float) -> None:
    started = time.process_time()
    while time.process_time() - started < seconds:
        pass


def contender(generator) -> Contender:
    return generator_contenders({generator.__name__: generator})[0]


@pytest.fixture(scope="module")
def inputs() -> GeneratorInputs:
    weights = np.random.default_rng(5).random((30, 12)) < 0.4
    ids = [np.array([f"{prefix}{n:02}" for n in range(30)], dtype=object) for prefix in "ui"]
    return GeneratorInputs(Interactions(csr_array(weights.astype(np.float64)), ids[0], ids[1][:12]))


def test_lists_are_those_of_the_generator(inputs):
    outcome = run(contender(by_popularity), inputs, k=4, scopes=["all", "new"])
    assert list(outcome.lists) == ["all", "new"]
    for scope, picks in outcome.lists.items():
        expected = top_items(inputs, by_popularity(inputs), k=4, exclude_bought=scope == "new")
        np.testing.assert_array_equal(np.array(picks), np.array(expected))


def test_cpu_time_is_counted_where_it_is_spent(inputs):
    cost = run(contender(slowly), inputs, k=4, scopes=["all", "new"]).cost
    assert cost.fit_seconds >= 0.3
    assert all(seconds >= 0.2 for seconds in cost.list_seconds.values())


def test_peak_memory_is_that_of_the_contender_alone(inputs):
    ours = np.ones(600 * MIB // 8)
    large = run(contender(at_large), inputs, k=4, scopes=["all"]).cost.peak_mib
    small = run(contender(by_popularity), inputs, k=4, scopes=["all"]).cost.peak_mib
    assert ours.nbytes / MIB > small
    assert 280 < large - small < 320


def test_every_contender_has_one_thread(inputs):
    with pytest.raises(FailedError, match=r"threads: 1$"):
        run(contender(telling_threads), inputs, k=4, scopes=["all"])


def test_what_the_data_lack_is_a_reason_to_skip(inputs):
    with pytest.raises(SkippedError, match=r"^missing column\(s\): age_days$"):
        run(contender(needing_times), inputs, k=4, scopes=["all"])


@pytest.mark.parametrize(
    ("broken", "message"),
    [(with_a_bug, "^ValueError: operands could not"), (with_a_bug_in_its_scorer, "^KeyError: 0")],
)
def test_anything_else_is_a_failure(inputs, broken, message):
    with pytest.raises(FailedError, match=message):
        run(contender(broken), inputs, k=4, scopes=["all"])


@pytest.mark.parametrize("name", GENERATORS)
def test_generators_that_lack_something_say_so(inputs, name):
    """Of users and items alone; none of them is to be taken for a failure."""
    if name in NEEDING_MORE:
        with pytest.raises(MissingInputError, match=r"^missing column\(s\): "):
            GENERATORS[name](inputs)
    else:
        GENERATORS[name](inputs)


def test_so_is_a_process_that_ends(inputs):
    with pytest.raises(FailedError, match="ended abruptly"):
        run(contender(out_of_memory), inputs, k=4, scopes=["all"])
