import numpy as np
import pytest
from matrices import SMALL_SHOPS, checked_scores, inputs_of, random_purchases
from threadpoolctl import threadpool_limits

from personalization.generators.factorization import als


def slow_als(x, n_factors, regularization, confidence):
    """Exact alternating least squares until nothing changes."""
    rng = np.random.default_rng(1)
    items = rng.random((x.shape[1], n_factors))
    weights = np.where(x > 0, confidence, 1.0)

    def solve(targets, weights, other):
        ridge = regularization * np.eye(n_factors)
        return np.array(
            [
                np.linalg.solve(other.T @ (w[:, None] * other) + ridge, other.T @ (w * t))
                for t, w in zip(targets, weights, strict=True)
            ]
        )

    for _ in range(500):
        customers = solve(x, weights, items)
        items = solve(x.T, weights.T, customers)
    return np.maximum(0, solve(x, weights, items) @ items.T)


@pytest.mark.parametrize("confidence", [1.0, 8.0])
def test_converges_to_the_weighted_least_squares(confidence):
    x = np.kron(np.eye(2), np.ones((6, 5)))
    x[0, 1] = x[3, 7] = x[8, 9] = 0
    x[2, 6] = 1
    actual = als(
        inputs_of(x), n_factors=2, regularization=0.05, confidence=confidence, iterations=200
    )(slice(0, 12))
    np.testing.assert_allclose(actual, slow_als(x, 2, 0.05, confidence), atol=2e-3)


def test_recovers_a_missing_purchase_of_a_block():
    x = np.kron(np.eye(3), np.ones((8, 6)))
    x[0, 0] = 0
    scores = als(inputs_of(x), n_factors=3)(slice(0, 1))[0]
    assert scores[0] > 0.5
    assert scores[6:].max() < 0.1


def test_is_the_same_on_every_run_and_number_of_threads():
    inputs = inputs_of(random_purchases(1, 200, 100, 0.05))
    runs = []
    for n_threads in (1, 2, 2):
        with threadpool_limits(limits=n_threads):
            runs.append(als(inputs)(slice(0, 200)))
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[1], runs[2])


def test_says_nothing(capfd):
    als(inputs_of(random_purchases(2, 20, 10, 0.3)))
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("dense", SMALL_SHOPS)
@pytest.mark.filterwarnings("error")
def test_small_shops(dense):
    scores = checked_scores(als, inputs_of(dense))
    assert not scores[dense.sum(axis=1) == 0].any()


@pytest.mark.parametrize(
    ("argument", "value"),
    [("n_factors", 0), ("regularization", -1), ("confidence", 0.5), ("iterations", 0)],
)
def test_rejects_bad_arguments(argument, value):
    with pytest.raises(ValueError, match=argument):
        als(inputs_of(np.eye(3)), **{argument: value})
