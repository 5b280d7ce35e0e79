import numpy as np
import pytest
from scipy.sparse import csr_array, csr_matrix

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


@pytest.fixture
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
    bought = (weights > 0).astype(np.float64)
    norms = np.linalg.norm(bought, axis=0)
    cosine = bought.T @ bought / np.maximum(np.outer(norms, norms), 1e-12)
    np.fill_diagonal(cosine, 0)
    scores = np.where(bought > 0, 0, bought @ cosine)
    make_lists = installed(name).fit(inputs_of(weights))
    found = lists_of(make_lists(k=5, exclude_bought=True))
    for user in range(N_USERS):
        n_positive = np.count_nonzero(scores[user] > 1e-12)
        assert len([i for i in found.get(user, []) if scores[user, i] > 0]) == min(5, n_positive)
        best = np.sort(scores[user])[::-1][: min(5, n_positive)]
        listed = scores[user, found.get(user, [])][: len(best)]
        assert listed == pytest.approx(best, abs=1e-5)


def picks_of(name: str, weights: np.ndarray) -> list[list[float]]:
    picks = installed(name).fit(inputs_of(weights))(k=6, exclude_bought=False)
    return [column.tolist() for column in picks]


@pytest.mark.parametrize("name", [name for name in PEERS if name != "implicit_als"])
def test_neighbors_are_found_by_what_is_bought_as_our_generators_do(name, weights):
    assert picks_of(name, weights) == picks_of(name, (weights > 0).astype(np.float64))


class TestConfidenceOfAls:
    def expected(self, confidences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        als = pytest.importorskip("implicit.als")
        model = als.AlternatingLeastSquares(factors=256, num_threads=1, random_state=0)
        user_items = csr_matrix(confidences)
        model.fit(user_items, show_progress=False)
        return model.recommend(np.arange(N_USERS), user_items, N=6)

    @pytest.mark.parametrize("size", [1e-9, 1.0, 30.0])
    def test_grows_from_that_of_what_was_not_bought(self, weights, size):
        weights = weights * size
        items, scores = self.expected(np.where(weights > 0, 1 + 19 * weights, 0))
        picks = installed("implicit_als").fit(inputs_of(weights))(k=6, exclude_bought=True)
        found = np.full((N_USERS, 6), -1)
        found[picks.customer, picks.rank - 1] = picks.item
        is_listed = found >= 0
        assert is_listed.sum() > 5 * N_USERS
        assert found[is_listed].tolist() == items[is_listed].tolist()
        assert picks.score.tolist() == scores[is_listed].tolist()

    def test_is_20_where_weights_are_1(self, weights):
        bought = (weights > 0).astype(np.float64)
        items, _ = self.expected(20 * bought)
        picks = installed("implicit_als").fit(inputs_of(bought))(k=6, exclude_bought=True)
        assert picks.item.tolist() == items[picks.customer, picks.rank - 1].tolist()

    def test_is_bounded(self, weights):
        weights[3, 5] = 1e308
        picks = installed("implicit_als").fit(inputs_of(weights))(k=6, exclude_bought=False)
        assert np.isfinite(picks.score).all()
        assert len(np.unique(picks.customer)) == N_USERS


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
