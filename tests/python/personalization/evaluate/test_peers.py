import numpy as np
import pytest
from scipy.sparse import csr_array

from personalization.evaluate.contenders import Contender
from personalization.evaluate.peers import PEERS, is_installed
from personalization.generators.base import GeneratorInputs, Picks
from personalization.interactions import Interactions

N_USERS, N_ITEMS = 25, 14
COSINES = ["sklearn", "sparse_dot_topn", "implicit_cosine"]


# implicit advises against the threads of OpenBLAS, which do no harm to data this small.
pytestmark = pytest.mark.filterwarnings("ignore:OpenBLAS is configured")


def inputs_of(weights: np.ndarray) -> GeneratorInputs:
    users, items = (np.array([f"{n:02}" for n in range(size)], object) for size in weights.shape)
    return GeneratorInputs(Interactions(csr_array(weights), users, items))


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    rng = np.random.default_rng(3)
    found = (rng.random((N_USERS, N_ITEMS)) < 0.3) * rng.uniform(0.5, 3, (N_USERS, N_ITEMS))
    # A user without history and an item that nobody bought.
    found[4], found[:, 6] = 0, 0
    return found


def installed(name: str) -> Contender:
    if not is_installed(PEERS[name]):
        pytest.skip(f"{name} is not installed")
    return PEERS[name]


def lists_of(picks: Picks) -> dict[int, list[int]]:
    order = np.lexsort((picks.rank, picks.customer))
    found: dict[int, list[int]] = {}
    for customer, item, rank in zip(*(column[order] for column in picks[:3]), strict=True):
        found.setdefault(int(customer), []).append(int(item))
        assert rank == len(found[customer])
    return found


@pytest.mark.parametrize("name", COSINES)
def test_lists_of_new_items_follow_the_summed_cosine(name, weights):
    norms = np.linalg.norm(weights, axis=0)
    cosine = weights.T @ weights / np.maximum(np.outer(norms, norms), 1e-12)
    np.fill_diagonal(cosine, 0)
    scores = np.where(weights > 0, 0, weights @ cosine)
    make_lists = installed(name).fit(inputs_of(weights))
    found = lists_of(make_lists(k=5, exclude_bought=True))
    for user in range(N_USERS):
        n_positive = np.count_nonzero(scores[user] > 1e-12)
        assert len([i for i in found.get(user, []) if scores[user, i] > 0]) == min(5, n_positive)
        best = np.sort(scores[user])[::-1][: min(5, n_positive)]
        listed = scores[user, found.get(user, [])][: len(best)]
        assert listed == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("name", PEERS)
def test_bought_items_are_listed_only_on_request(name, weights):
    make_lists = installed(name).fit(inputs_of(weights))
    new = make_lists(k=N_ITEMS, exclude_bought=True)
    assert not weights[new.customer, new.item].any()
    everything = make_lists(k=N_ITEMS, exclude_bought=False)
    assert weights[everything.customer, everything.item].any()


@pytest.mark.parametrize("name", PEERS)
def test_lists_have_distinct_items_and_are_no_longer_than_asked_for(name, weights):
    make_lists = installed(name).fit(inputs_of(weights))
    for k in (3, N_ITEMS + 30):
        lists = lists_of(make_lists(k=k, exclude_bought=True))
        assert len(lists) > N_USERS / 2
        for items in lists.values():
            assert len(set(items)) == len(items) <= min(k, N_ITEMS)


def test_a_peer_whose_package_is_missing():
    missing = Contender("none", installed, ("no_such_package.module",), is_peer=True)
    assert not is_installed(missing)
