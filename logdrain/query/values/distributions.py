"""The normal, beta and t distributions, and histograms of few buckets, as Trino computes them."""

import math
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from statistics import NormalDist

_BUCKETS_MIN = 2
_WAITING_MAX = 100  # as in Trino

_SMALLEST = 1e-300  # stands for 0 where one divides by it
_TERMS_MAX = 10_000
_HALVINGS = 200

Point = tuple[float, float]
"""A value and its weight."""


def normal_cdf(mean: float, deviation: float, value: float) -> float | None:
    """How likely a value is at most this; None where the deviation is not positive."""
    if not deviation > 0:
        return None
    return 0.5 * math.erfc((mean - value) / (deviation * math.sqrt(2)))


def inverse_normal_cdf(mean: float, deviation: float, probability: float) -> float | None:
    """The value that is not exceeded with a probability; None outside of its bounds, which are left out."""
    if not (deviation > 0 and 0 < probability < 1):
        return None
    return NormalDist(mean, deviation).inv_cdf(probability)


def beta_cdf(alpha: float, beta: float, value: float) -> float | None:
    """How likely a value is at most this; None for a parameter below 0, a value beyond [0, 1]."""
    if not (alpha > 0 and beta > 0 and 0 <= value <= 1):
        return None
    if value in (0, 1):
        return value
    logarithm = math.lgamma(alpha + beta) - math.lgamma(alpha) - math.lgamma(beta)
    factor = math.exp(logarithm + alpha * math.log(value) + beta * math.log1p(-value))
    if value < (alpha + 1) / (alpha + beta + 2):  # the fraction converges fast there
        return factor * _beta_fraction(alpha, beta, value) / alpha
    return 1 - factor * _beta_fraction(beta, alpha, 1 - value) / beta


def inverse_beta_cdf(alpha: float, beta: float, probability: float) -> float | None:
    """The value that is not exceeded with a probability, which may be 0 and 1."""
    if not (alpha > 0 and beta > 0 and 0 <= probability <= 1):
        return None
    if probability in (0, 1):
        return probability
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if (beta_cdf(alpha, beta, middle) or 0.0) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def t_cdf(freedom: float, value: float) -> float | None:
    """How likely a value of Student's t distribution is at most this."""
    if not freedom > 0 or math.isnan(value):
        return None
    tail = (beta_cdf(freedom / 2, 0.5, freedom / (freedom + value * value)) or 0.0) / 2
    return 1 - tail if value > 0 else tail


def t_pdf(freedom: float, value: float) -> float | None:
    """How dense the values of Student's t distribution are here."""
    if not freedom > 0 or math.isnan(value):
        return None
    logarithm = math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2) - math.log(freedom * math.pi) / 2
    return math.exp(logarithm - (freedom + 1) / 2 * math.log1p(value * value / freedom))


def _beta_fraction(alpha: float, beta: float, value: float) -> float:
    """The continued fraction of the incomplete beta function, by Lentz's method."""
    above = 1.0
    below = 1 / _not_zero(1 - (alpha + beta) * value / (alpha + 1))
    found = below
    for at in range(1, _TERMS_MAX):
        around = alpha + 2 * at
        for term in (
            at * (beta - at) * value / ((around - 1) * around),
            -(alpha + at) * (alpha + beta + at) * value / (around * (around + 1)),
        ):
            below = 1 / _not_zero(1 + term * below)
            above = _not_zero(1 + term / above)
            found *= above * below
        if abs(above * below - 1) < math.ulp(1.0):
            break
    return found


def _not_zero(number: float) -> float:
    return number if abs(number) > _SMALLEST else _SMALLEST


def numeric_histogram(
    buckets: int, values: Sequence[float], weights: Sequence[float]
) -> dict[float, float] | None:
    """About so many values that stand for all, and the weight of each; None for fewer than two buckets.

    Neighbours are merged, those first that are close and light.
    """
    if buckets < _BUCKETS_MIN or not values:
        return None
    points: list[Point] = []
    for point in zip(values, weights, strict=True):
        if len(points) == buckets + _WAITING_MAX:
            points = _merged(points, buckets)
        points.append(point)
    return dict(_merged(points, buckets))


def _merged(points: list[Point], count: int) -> list[Point]:
    """Equal values are one point; then neighbours are merged until so many are left.

    A pair in the queue is stale once one of it has changed.
    """
    same: dict[float, float] = {}
    for value, weight in sorted(points):
        same[value] = same.get(value, 0.0) + weight
    points = list(same.items())
    after: list[int | None] = [*range(1, len(points)), None]
    before: list[int | None] = [None, *range(len(points) - 1)]
    left: dict[int, Point] = dict(enumerate(points))
    queue = [(_penalty(left[at], left[at + 1]), at, left[at], left[at + 1]) for at in range(len(points) - 1)]
    heapify(queue)
    while len(left) > count:
        _, at, first, second = heappop(queue)
        following = after[at]
        if left.get(at) is not first or following is None or left[following] is not second:
            continue
        weight = first[1] + second[1]
        left[at] = (first[0] * first[1] + second[0] * second[1]) / weight, weight
        del left[following]
        after[at] = after[following]
        for one, other in ((before[at], at), (at, after[at])):
            if one is not None and other is not None:
                before[other] = one
                heappush(queue, (_penalty(left[one], left[other]), one, left[one], left[other]))
    return [left[at] for at in sorted(left)]


def _penalty(left: Point, right: Point) -> float:
    """What Trino weighs: the distance of two neighbours, and how much they stand for."""
    weight = left[1] + right[1]
    return float((left[0] - right[0]) ** 2 * left[1] * right[1] / weight) if weight else 0.0
