"""How many orders a customer still places and what they are worth, after Fader and Hardie.

Two models of a shop without contracts, where customers leave without saying so: BG/NBD for how
often a customer orders and whether it still does, Gamma-Gamma for the amount of an order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize
from scipy.special import betaln, digamma, expit, gammaln
from threadpoolctl import threadpool_limits

from personalization.interactions import FloatArray, check_at_least

# Shapes are sought in this range. At its ends a distribution has practically no spread, or all of
# its mass far out, and moving on changes no prediction.
_SHAPES: Final = (1e-3, 1e3)
# Scales likewise, in units of what is usual in the data.
_SCALES: Final = (1e-9, 1e9)
_MAX_ITERATIONS: Final = 1000
# Largest slope of the mean log-likelihood per customer, by the logarithm of a parameter, that
# counts as flat.
_FLAT: Final = 1e-5
# Customers with repeat orders below which there is no spread to learn from.
_MIN_CUSTOMERS: Final = 2
# Customers that expected orders are computed for at a time.
_BLOCK: Final = 4096
# Distance between the points of a quadrature, which gives nine digits or more, and the relative
# weight below which a point is left out.
_STEP: Final = 0.05
_LEAST_WEIGHT: Final = 1e-30


class NotFittedError(ValueError):
    """The data are valid but a model cannot be learned from them; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseHistory:
    """What BG/NBD looks at of each customer; all times in one unit, for example weeks.

    Orders of the same day as the first are no repeat orders: time would stand still between them.

    Attributes:
        repeat_orders: Shape (n_customers,), number of days with orders after the first.
        recency: Shape (n_customers,), time from the first to the last order; 0 without repeat
            orders and only then.
        age: Shape (n_customers,), time from the first order to the cutoff.

    Raises:
        ValueError: The arrays are not one-dimensional and of one length, a value is not finite,
            a number of orders is not a whole number from 0, or recency is not as described or
            beyond the age.
    """

    repeat_orders: FloatArray
    recency: FloatArray
    age: FloatArray

    def __post_init__(self) -> None:
        """Turn what was given into arrays of floats and check them."""
        for name in ("repeat_orders", "recency", "age"):
            object.__setattr__(self, name, _vector(name, getattr(self, name)))
        _check_lengths(repeat_orders=self.repeat_orders, recency=self.recency, age=self.age)
        _check_counts("repeat_orders", self.repeat_orders)
        if (self.recency < 0).any():
            raise ValueError("recency has values below 0")
        if (self.recency > self.age).any():
            raise ValueError("recency has values above the age of the customer")
        if ((self.recency == 0) != (self.repeat_orders == 0)).any():
            raise ValueError("recency must be 0 for customers without repeat orders and only there")


@dataclass(frozen=True, slots=True)
class BgNbd:
    """BG/NBD: customers order at random times and may leave for good after each repeat order.

    A customer orders with a rate λ, and after every repeat order leaves with a probability p;
    λ follows a gamma distribution of shape r and rate alpha, p a beta distribution of a and b, and
    they are independent. (Fader, Hardie and Lee, "Counting your customers the easy way: an
    alternative to the Pareto/NBD model", 2005.)

    Attributes:
        r: Shape of the order rates.
        alpha: Their scale, in the unit of time; the mean rate is r / alpha.
        a: Weight of leaving.
        b: Weight of staying; the mean probability of leaving is a / (a + b).

    Raises:
        ValueError: A parameter is not a positive finite number.
    """

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        """Check the parameters."""
        _check_parameters(r=self.r, alpha=self.alpha, a=self.a, b=self.b)

    @classmethod
    def fit(cls, history: PurchaseHistory) -> "BgNbd":
        """Find the parameters that make the histories most likely.

        Neither the order of the customers nor copies of all of them change a bit of the result,
        and the unit of time changes alpha alone. Shapes end at 0.001 and 1000: a shop nobody
        leaves gets a tiny a, one where all are alike huge shapes, and predictions stay sound.

        Args:
            history: The customers of the shop, those without repeat orders too.

        Returns:
            The model, with alpha in the history's unit of time.

        Raises:
            NotFittedError: Fewer than two customers have repeat orders, all customers have the
                same history, or no maximum was found.
        """
        _check_repeat_customers(int((history.repeat_orders > 0).sum()))
        rows, share = _collapse(history.repeat_orders, history.recency, history.age)
        if len(share) == 1:
            raise NotFittedError("all customers have the same history")
        orders, recency, age = rows
        unit = float((share * age).sum())
        recency, age = recency / unit, age / unit
        mean_orders = float((share * orders).sum())

        def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
            value, slope = _bg_nbd(parameters, orders, recency, age)
            return float((share * value).sum()), (share * slope).sum(axis=1)

        r, alpha, a, b = _maximize(
            objective,
            starts=[(0.5, 0.5 / mean_orders, 1.0, 3.0), (3.0, 3.0 / mean_orders, 1.0, 30.0)],
            bounds=(_SHAPES, _SCALES, _SHAPES, _SHAPES),
        )
        return cls(r, alpha * unit, a, b)

    def log_likelihood(self, history: PurchaseHistory) -> float:
        """Logarithm of the likelihood of the histories, summed over customers."""
        parameters = np.array([self.r, self.alpha, self.a, self.b])
        value, _ = _bg_nbd(parameters, history.repeat_orders, history.recency, history.age)
        return float(value.sum())

    def probability_alive(self, history: PurchaseHistory) -> FloatArray:
        """Probability that each customer has not left before the cutoff.

        In this model nobody leaves before the first repeat order, so it is 1 for every one-time
        buyer however long ago. One minus it is therefore no probability of churn, and a shop's
        mean says little: use `expected_orders` to compare customers.

        Args:
            history: The customers, in the model's unit of time.

        Returns:
            Shape (n_customers,), from 0 to 1.
        """
        probability: FloatArray = expit(
            -_log_odds_left(
                np.array([self.r, self.alpha, self.a, self.b]),
                history.repeat_orders,
                history.recency,
                history.age,
            )
        )
        return probability

    def expected_orders(self, history: PurchaseHistory, duration: float) -> FloatArray:
        """Expected number of orders of each customer in (age, age + duration].

        For a customer who is alive, with x repeat orders, age T and duration t, it is the mean of

            (1 - (1 + p · t / (alpha + T))^-(r + x)) / p

        over p from the beta distribution of a and b + x, here by a sum over points of it. The
        paper writes that mean with the function 2F1 (equation 10): 0 / 0 at a = 1, and scipy's
        hyp2f1 gives no number for very many orders, nor for r - a near a whole number where
        t / (alpha + T) is above 9.

        Args:
            history: The customers, in the model's unit of time.
            duration: How far to look ahead, in the same unit; at least 0.

        Returns:
            Shape (n_customers,), not negative.

        Raises:
            ValueError: The duration is negative or not finite.
        """
        check_at_least("duration", duration, 0)
        if not np.isfinite(duration):
            raise ValueError(f"duration must be finite, not {duration}")
        pairs, place = np.unique(
            np.column_stack([history.repeat_orders, history.age]), axis=0, return_inverse=True
        )
        if_alive = np.empty(len(pairs))
        counts, starts = np.unique(pairs[:, 0], return_index=True)
        ends = np.append(starts, len(pairs))[1:]
        for orders, start, end in zip(counts, starts, ends, strict=True):
            leaving, weight = _beta_points(self.a, self.b + orders)
            for first in range(start, end, _BLOCK):
                block = slice(first, min(first + _BLOCK, end))
                ahead = duration / (self.alpha + pairs[block, 1])
                rates = np.log1p(np.multiply.outer(ahead, leaving)) * -(self.r + orders)
                if_alive[block] = (np.expm1(rates) * (-weight / leaving)).sum(axis=1)
        expected: FloatArray = self.probability_alive(history) * if_alive[place]
        return expected


@dataclass(frozen=True, slots=True)
class GammaGamma:
    """Gamma-Gamma: the mean amount of an order, drawn from few orders to what is usual.

    Amounts of a customer's orders follow a gamma distribution of shape p and one rate, the rates
    of customers one of shape q and rate gamma. How often a customer orders must say nothing about
    how much. (Fader and Hardie, "The Gamma-Gamma model of monetary value", 2013.)

    Attributes:
        p: Shape of the amounts of one customer; the larger, the more alike they are.
        q: Shape of the customers' rates; the larger, the more alike customers are. Above 1, or
            the mean amount would be infinite.
        gamma: Scale, in the unit of the amounts.

    Raises:
        ValueError: A parameter is not a positive finite number, or q is not above 1.
    """

    p: float
    q: float
    gamma: float

    def __post_init__(self) -> None:
        """Check the parameters."""
        _check_parameters(p=self.p, q=self.q, gamma=self.gamma)
        if self.q <= 1:
            raise ValueError(f"q must be above 1, not {self.q}")

    @classmethod
    def fit(cls, orders: ArrayLike, mean_amount: ArrayLike) -> "GammaGamma":
        """Find the parameters that make the mean amounts most likely.

        Order and copies of the customers matter as little as in `BgNbd.fit`, and the unit of the
        amounts changes gamma alone.

        Args:
            orders: Shape (n_customers,), number of orders that the mean is over, at least 1; the
                authors take customers with repeat orders and those orders alone.
            mean_amount: Shape (n_customers,), mean amount of these orders, positive.

        Returns:
            The model, with gamma in the unit of the amounts.

        Raises:
            ValueError: The arrays are not as described.
            NotFittedError: There are fewer than two customers, all have the same mean amount, no
                maximum was found, or amounts differ so much that their mean would be infinite.
        """
        count, amount = _checked_amounts(orders, mean_amount)
        if (count < 1).any():
            raise ValueError("orders has values below 1")
        _check_repeat_customers(len(count))
        if amount.min() == amount.max():
            raise NotFittedError("all customers have the same mean amount")
        (count, amount), share = _collapse(count, amount)
        # Not the mean, which one huge amount could move far from all others.
        unit = float(np.exp((share * np.log(amount)).sum()))
        amount = amount / unit

        def objective(parameters: FloatArray) -> tuple[float, FloatArray]:
            value, slope = _gamma_gamma(parameters, count, amount)
            return float((share * value).sum()), (share * slope).sum(axis=1)

        p, q, gamma = _maximize(
            objective,
            starts=[(2.0, 3.0, 1.0), (20.0, 20.0, 0.95)],
            bounds=(_SHAPES, _SHAPES, _SCALES),
        )
        if q <= 1:
            raise NotFittedError("amounts differ so much that their mean would be infinite")
        return cls(p, q, gamma * unit)

    def log_likelihood(self, orders: ArrayLike, mean_amount: ArrayLike) -> float:
        """Logarithm of the likelihood of the mean amounts, summed; arguments as in `fit`."""
        count, amount = _checked_amounts(orders, mean_amount)
        if (count < 1).any():
            raise ValueError("orders has values below 1")
        value, _ = _gamma_gamma(np.array([self.p, self.q, self.gamma]), count, amount)
        return float(value.sum())

    def expected_amount(self, orders: ArrayLike, mean_amount: ArrayLike) -> FloatArray:
        """Expected amount of a future order of each customer.

        A mean of the customer's own amounts and of what is usual, p · gamma / (q - 1); the
        more orders, the more its own count.

        Args:
            orders: Shape (n_customers,), number of orders that the mean is over; 0 for customers
                of whom nothing is known, who get what is usual.
            mean_amount: Shape (n_customers,), positive where there are orders, any finite
                number elsewhere.

        Returns:
            Shape (n_customers,), in the unit of the amounts.

        Raises:
            ValueError: The arrays are not as described.
        """
        count, amount = _checked_amounts(orders, mean_amount)
        usual = self.p * self.gamma / (self.q - 1)
        own = self.p * count / (self.p * count + self.q - 1)
        return usual + own * (np.where(count > 0, amount, usual) - usual)


def _bg_nbd(
    parameters: FloatArray, orders: FloatArray, recency: FloatArray, age: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of BG/NBD, equation 6 of the paper.

    Returns:
        The logarithm of the likelihood of each history, shape (n,), and its derivatives by the
        logarithms of r, alpha, a and b, shape (4, n).
    """
    r, alpha, a, b = parameters
    log_odds = _log_odds_left(parameters, orders, recency, age)
    value = (
        gammaln(r + orders)
        - gammaln(r)
        - r * np.log1p(age / alpha)
        - orders * np.log(alpha + age)
        + betaln(a, b + orders)
        - betaln(a, b)
        + np.logaddexp(0, log_odds)
    )
    left = expit(log_odds)
    silence = np.log1p((age - recency) / (alpha + recency))
    of_both = digamma(a + b) - digamma(a + b + orders)
    slope = np.stack(
        [
            r * (digamma(r + orders) - digamma(r) - np.log1p(age / alpha) + left * silence),
            r - (r + orders) * alpha * ((1 - left) / (alpha + age) + left / (alpha + recency)),
            a * of_both + left,
            b
            * (digamma(b + orders) - digamma(b) + of_both - left / (b + np.maximum(orders, 1) - 1)),
        ]
    )
    return value, slope


def _log_odds_left(
    parameters: FloatArray, orders: FloatArray, recency: FloatArray, age: FloatArray
) -> FloatArray:
    """Log odds that each customer has left by the cutoff, minus infinity without repeat orders."""
    r, alpha, a, b = parameters
    log_odds = (
        np.log(a)
        - np.log(b + np.maximum(orders, 1) - 1)
        + (r + orders) * np.log1p((age - recency) / (alpha + recency))
    )
    return np.where(orders > 0, log_odds, -np.inf)


def _beta_points(a: float, b: float) -> tuple[FloatArray, FloatArray]:
    """Points of a beta distribution and their weights, for means over it as sums.

    The trapezoidal rule over s with logit p = center + width · sinh(s), as in Takahasi and Mori,
    "Double exponential formulas for numerical integration", 1974. It reaches far into the long
    tails of small shapes, and its steps are small where the mass of large ones is.

    Returns:
        Points above 0 and up to 1, and weights that sum to 1, both of shape (n_points,).
    """
    center, width = np.log(a) - np.log(b), min(0.5, np.sqrt(1 / a + 1 / b))
    # At fifty times the length of the longer tail is practically nothing left.
    reach = np.arcsinh(50 / (width * min(a, b, 1)))
    s = np.linspace(-reach, reach, 2 * int(np.ceil(reach / _STEP)) + 1)
    logit = center + width * np.sinh(s)
    log_weight = np.log(np.cosh(s)) - a * np.logaddexp(0, -logit) - b * np.logaddexp(0, logit)
    weight = np.exp(log_weight - log_weight.max())
    has_weight = weight > _LEAST_WEIGHT
    # Any smaller and products with a point would lose digits; nothing changes down there.
    points = expit(np.maximum(logit[has_weight], -600))
    return points, weight[has_weight] / weight[has_weight].sum()


def _gamma_gamma(
    parameters: FloatArray, orders: FloatArray, amount: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log-likelihood of Gamma-Gamma, as in the note but with its powers taken together.

    Returns:
        The logarithm of the density of each mean amount, shape (n,), and its derivatives by the
        logarithms of p, q and gamma, shape (3, n).
    """
    p, q, gamma = parameters
    log_odds = np.log(orders) + np.log(amount) - np.log(gamma)
    own, others = np.logaddexp(0, -log_odds), np.logaddexp(0, log_odds)
    value = -betaln(p * orders, q) - p * orders * own - q * others - np.log(amount)
    of_both = digamma(p * orders + q)
    slope = np.stack(
        [
            p * orders * (of_both - digamma(p * orders) - own),
            q * (of_both - digamma(q) - others),
            q * expit(log_odds) - p * orders * expit(-log_odds),
        ]
    )
    return value, slope


def _maximize(
    objective: Callable[[FloatArray], tuple[float, FloatArray]],
    *,
    starts: Sequence[tuple[float, ...]],
    bounds: Sequence[tuple[float, float]],
) -> tuple[float, ...]:
    """Find the positive parameters where an objective is largest.

    Args:
        objective: Takes parameters; gives a value and its derivatives by their logarithms.
        starts: Parameters to start from.
        bounds: Least and largest value of each parameter.

    Returns:
        The best parameters that any start led to.

    Raises:
        NotFittedError: No start led to a maximum.
    """
    lower, upper = np.log(bounds).T

    def loss(logs: FloatArray) -> tuple[float, FloatArray]:
        value, slope = objective(np.exp(logs))
        return -value, -slope

    best, best_loss = None, np.inf
    for start in starts:
        # For four numbers, threads of BLAS would mostly wait.
        with threadpool_limits(limits=1, user_api="blas"):
            result = minimize(
                loss,
                np.clip(np.log(start), lower, upper),
                jac=True,
                method="L-BFGS-B",
                bounds=list(zip(lower, upper, strict=True)),
                options={"maxiter": _MAX_ITERATIONS, "ftol": 0.0, "gtol": 1e-10},
            )
        # So small a tolerance ends in rounding errors as a rule, which the optimizer reports as a
        # failure. What counts is a flat place, up to where the bounds end.
        step = np.clip(result.x - result.jac, lower, upper) - result.x
        if np.abs(step).max() <= _FLAT and result.fun < best_loss:
            best, best_loss = result.x, result.fun
    if best is None:
        raise NotFittedError("the search for the most likely parameters did not converge")
    return tuple(np.exp(best).tolist())


def _collapse(*columns: FloatArray) -> tuple[list[FloatArray], FloatArray]:
    """Distinct rows, as ascending columns of shape (n_distinct,), and the share of each."""
    rows, counts = np.unique(np.column_stack(columns), axis=0, return_counts=True)
    return list(np.ascontiguousarray(rows.T)), counts / counts.sum()


def _checked_amounts(orders: ArrayLike, mean_amount: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Numbers and mean amounts of orders as arrays; a ValueError where they are none."""
    count, amount = _vector("orders", orders), _vector("mean_amount", mean_amount)
    _check_lengths(orders=count, mean_amount=amount)
    _check_counts("orders", count)
    if (amount[count > 0] <= 0).any():
        raise ValueError("mean_amount has values that are not positive")
    return count, amount


def _vector(name: str, values: ArrayLike) -> FloatArray:
    """Values as an array of shape (n,); a ValueError that names them when they are none."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not {array.ndim}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} has null or infinite values")
    return array


def _check_lengths(**arrays: FloatArray) -> None:
    """Raise a ValueError when the arrays differ in length."""
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {len(array)}" for name, array in arrays.items())
        raise ValueError(f"arrays differ in length: {lengths}")


def _check_counts(name: str, counts: FloatArray) -> None:
    """Raise a ValueError unless all are whole numbers from 0."""
    if (counts < 0).any() or (counts != np.floor(counts)).any():
        raise ValueError(f"{name} has values that are not whole numbers from 0")


def _check_parameters(**parameters: float) -> None:
    """Raise a ValueError that names the first parameter that is not positive and finite."""
    for name, value in parameters.items():
        if not 0 < value < np.inf:
            raise ValueError(f"{name} must be a positive finite number, not {value}")


def _check_repeat_customers(n_customers: int) -> None:
    """Raise a NotFittedError when too few customers have repeat orders."""
    if n_customers < _MIN_CUSTOMERS:
        raise NotFittedError(
            f"at least {_MIN_CUSTOMERS} customers need repeat orders, not {n_customers}"
        )
