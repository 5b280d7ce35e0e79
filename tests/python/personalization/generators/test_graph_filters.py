import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import SMALL_SHOPS, checked_scores, inputs_of, random_purchases
from threadpoolctl import threadpool_limits

from personalization.generators.graph_filters import gf_cf, turbo_cf


def degrees(x, exponent):
    """Powers of the numbers of items of customers and of customers of items, 0 for none."""
    with np.errstate(divide="ignore"):
        of_customers, of_items = (x.sum(axis=axis) ** exponent for axis in (1, 0))
    return [np.where(np.isfinite(degree), degree, 0) for degree in (of_customers, of_items)]


def slow_turbo_cf(x, alpha, exponent, coefficients):
    normalized = np.diag(degrees(x, -alpha)[0]) @ x @ np.diag(degrees(x, alpha - 1)[1])
    graph = (normalized.T @ normalized) ** exponent
    powers = [np.linalg.matrix_power(graph, i + 1) for i in range(len(coefficients))]
    return np.maximum(0, x @ sum(c * p for c, p in zip(coefficients, powers, strict=True)))


def slow_gf_cf(x, n_factors, weight):
    d_u, d_i = degrees(x, -0.5)
    normalized = np.diag(d_u) @ x @ np.diag(d_i)
    _, values, vectors = np.linalg.svd(normalized, full_matrices=False)
    v = vectors[:n_factors][values[:n_factors] > 1e-6].T
    ideal = np.diag(d_i) @ v @ v.T @ np.diag(np.sqrt(x.sum(axis=0)))
    return np.maximum(0, x @ (normalized.T @ normalized + weight * ideal))


purchases = st.builds(
    random_purchases,
    st.integers(0, 2**32 - 1),
    st.integers(1, 15),
    st.integers(1, 12),
    st.floats(0.05, 0.9),
)


@settings(deadline=None, max_examples=30)
@given(
    purchases,
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.sampled_from([0.6, 1.0, 1.5]),
    st.sampled_from([(1.0,), (2.0, -1.0), (0.71, 0.1, -0.01)]),
)
def test_turbo_cf_with_all_neighbors_equals_the_paper(x, alpha, exponent, coefficients):
    scorer = turbo_cf(
        inputs_of(x), neighbors=99, alpha=alpha, exponent=exponent, coefficients=coefficients
    )
    expected = slow_turbo_cf(x, alpha, exponent, coefficients)
    # Relative to the largest score: differences of powers cancel.
    scale = max(1, expected.max(), slow_turbo_cf(x, alpha, exponent, np.abs(coefficients)).max())
    np.testing.assert_allclose(scorer(slice(0, len(x))) / scale, expected / scale, atol=2e-6)


def test_turbo_cf_keeps_the_item_itself_and_its_strongest_neighbors():
    # Item 0 shares two customers with item 1 and one with item 2, of equal popularity.
    x = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 1], [0, 0, 1], [0, 0, 0]])
    scores = turbo_cf(inputs_of(x), neighbors=1, alpha=0.0, exponent=1.0)(slice(0, 5))
    np.testing.assert_allclose(
        scores,
        [
            [2 / 3, 5 / 6, 1 / 6],
            [2 / 3, 5 / 6, 1 / 6],
            [1 / 3, 1 / 3, 2 / 3],
            [0, 0, 1 / 2],
            [0] * 3,
        ],
        rtol=1e-6,
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n_factors", [1, 3, 8])
def test_gf_cf_equals_an_exact_decomposition(seed, n_factors):
    # Few enough dimensions for the randomized decomposition to be exact.
    x = random_purchases(seed, 40, 12, 0.25)
    actual = gf_cf(inputs_of(x), neighbors=99, n_factors=n_factors, low_pass_weight=0.4)(
        slice(0, 40)
    )
    np.testing.assert_allclose(actual, slow_gf_cf(x, n_factors, 0.4), atol=2e-5)
    assert actual.max() > 0.5


@settings(deadline=None, max_examples=30)
@given(purchases)
def test_gf_cf_with_the_whole_spectrum_equals_the_definition(x):
    # Also of matrices whose rank is below the number of factors.
    actual = gf_cf(inputs_of(x), neighbors=99, n_factors=99)(slice(0, len(x)))
    np.testing.assert_allclose(actual, slow_gf_cf(x, 99, 0.3), atol=2e-5)


def test_low_pass_filter_keeps_the_sum_of_a_signal_in_a_connected_graph():
    x = random_purchases(1, 60, 20, 0.4)
    with_filter, without = (
        gf_cf(inputs_of(x), neighbors=99, n_factors=1, low_pass_weight=w)(slice(0, 60))
        for w in (1.0, 0.0)
    )
    sums = (with_filter - without).sum(axis=1)
    np.testing.assert_allclose(sums, x.sum(axis=1), rtol=1e-4)


def test_gf_cf_is_the_same_on_every_run_and_number_of_threads():
    inputs = inputs_of(random_purchases(2, 500, 300, 0.05))
    runs = []
    for n_threads in (1, 2, 2):
        with threadpool_limits(limits=n_threads):
            runs.append(gf_cf(inputs, n_factors=32)(slice(0, 500)))
    np.testing.assert_array_equal(runs[0], runs[1])
    np.testing.assert_array_equal(runs[1], runs[2])


@pytest.mark.parametrize("generator", [turbo_cf, gf_cf])
@pytest.mark.parametrize("dense", SMALL_SHOPS)
@pytest.mark.filterwarnings("error")
def test_small_shops(generator, dense):
    checked_scores(generator, inputs_of(dense))


@pytest.mark.parametrize(
    ("generator", "argument", "value"),
    [
        (turbo_cf, "neighbors", 0),
        (turbo_cf, "alpha", -0.1),
        (turbo_cf, "alpha", 1.1),
        (turbo_cf, "exponent", 0),
        (gf_cf, "neighbors", 0),
        (gf_cf, "n_factors", 0),
        (gf_cf, "low_pass_weight", -1),
    ],
)
def test_rejects_bad_arguments(generator, argument, value):
    with pytest.raises(ValueError, match=argument):
        generator(inputs_of(np.eye(3)), **{argument: value})
