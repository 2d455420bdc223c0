"""Slow, plain references for the numbers of analyses: intervals, load phases, defaults, a day at work."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, tzinfo
from math import sqrt
from statistics import NormalDist, median

Z_95 = NormalDist().inv_cdf(0.975)


def wilson(part: int, whole: int) -> tuple[float, float]:
    """Wilson's interval of a share, 95 %."""
    rate, square = part / whole, Z_95 * Z_95
    middle = rate + square / (2 * whole)
    half = Z_95 * sqrt(rate * (1 - rate) / whole + square / (4 * whole * whole))
    return (middle - half) / (1 + square / whole), (middle + half) / (1 + square / whole)


def two_shares(
    before: tuple[int, int], after: tuple[int, int]
) -> tuple[float, tuple[float, float], float, float]:
    """Difference, its 95 % interval (unpooled), z (pooled) and p of two (part, whole)."""
    (part_1, whole_1), (part_2, whole_2) = before, after
    rate_1, rate_2, pooled = part_1 / whole_1, part_2 / whole_2, (part_1 + part_2) / (whole_1 + whole_2)
    half = Z_95 * sqrt(rate_1 * (1 - rate_1) / whole_1 + rate_2 * (1 - rate_2) / whole_2)
    z = (rate_2 - rate_1) / sqrt(pooled * (1 - pooled) * (1 / whole_1 + 1 / whole_2))
    difference = rate_2 - rate_1
    return difference, (difference - half, difference + half), z, 2 * NormalDist().cdf(-abs(z))


def load_phases(marks: Mapping[str, float]) -> dict[str, float]:
    """Cut a page load into phases that add up to loadEventEnd; a mark that did not happen is 0."""
    tls_start = marks["secureConnectionStart"] or marks["connectEnd"]
    edges = {
        "waiting": marks["workerStart"] or marks["fetchStart"],
        "cache": marks["domainLookupStart"],
        "dns": marks["connectStart"],
        "tcp": tls_start,
        "tls": marks["connectEnd"],
        "request": marks["responseStart"],
        "download": marks["responseEnd"],
        "dom_processing": marks["domInteractive"],
        "dom_completion": marks["domComplete"],
        "onload": marks["loadEventEnd"],
    }
    starts = [0.0, *edges.values()]
    return {name: end - start for (name, end), start in zip(edges.items(), starts, strict=False)}


def settings_in_use(
    chosen: Iterable[tuple[str, str]], *, default: str, population: int
) -> tuple[int, int, list[tuple[str, int]], str | None]:
    """At the default, changed back, other values, suggestion; from (unit, value) in the order of events."""
    last: dict[str, str] = {}
    moved = set()
    for unit, value in chosen:
        last[unit] = value
        if value != default:
            moved.add(unit)
    others = Counter(value for value in last.values() if value != default)
    at_default = population - others.total()
    ranked = sorted(others.items(), key=lambda pair: (-pair[1], pair[0]))
    suggested = ranked[0][0] if ranked and ranked[0][1] > at_default else None
    return at_default, sum(1 for unit in moved if last[unit] == default), ranked, suggested


def workday(times: Iterable[datetime], zone: tzinfo) -> tuple[int, dict[int, int], str, str]:
    """Active days, days by hour, and the median local times of a day's first and last event."""
    days: dict[object, list[int]] = {}
    for at in times:
        local = at.astimezone(zone)
        days.setdefault(local.date(), []).append(local.hour * 60 + local.minute)
    hours = Counter(hour for minutes in days.values() for hour in {minute // 60 for minute in minutes})
    first = int(median(min(minutes) for minutes in days.values()))
    last = int(median(max(minutes) for minutes in days.values()))
    return len(days), dict(hours), f"{first // 60:02}:{first % 60:02}", f"{last // 60:02}:{last % 60:02}"
