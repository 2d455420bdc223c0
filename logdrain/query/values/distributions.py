"""The normal distribution, and histograms of few buckets, as Trino computes them."""

import math
from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from statistics import NormalDist

_BUCKETS_MIN = 2
_WAITING_MAX = 100  # as in Trino

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
