"""Slow, plain references for the analyses: what a funnel, retention, paths and links mean, said in loops.

They are for tests only. An implementation in SQL is compared with them on random events,
so they take the definition word by word and care for no cost.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import combinations, pairwise, permutations, product
from statistics import median


@dataclass(frozen=True)
class Happening:
    """One event of the plain references: who, what (a table or a path), and when, in milliseconds."""

    unit: str
    what: str
    at_ms: int


def share(part: float, whole: float) -> float:
    """A share 0..1 with 6 decimals; of nothing it is 0."""
    return round(part / whole, 6) if whole else 0.0


def _by_unit(events: Iterable[Happening]) -> dict[str, list[Happening]]:
    units: dict[str, list[Happening]] = {}
    for event in sorted(events, key=lambda one: one.at_ms):
        units.setdefault(event.unit, []).append(event)
    return units


def _is_strict(chain: Sequence[Happening], own: Sequence[Happening], steps: Sequence[str]) -> bool:
    """Say that no event of the funnel's tables lies between two neighbours of the chain."""
    return not any(
        before.at_ms < other.at_ms < after.at_ms and other.what in steps
        for before, after in pairwise(chain)
        for other in own
    )


def _chains(
    own: Sequence[Happening], steps: Sequence[str], depth: int, *, order: str, window_ms: int | None
) -> list[tuple[Happening, ...]]:
    """All chains of the first `depth` steps of one unit."""
    wanted = list(steps[:depth])
    if order == "any":
        # k events, one for each of the k steps, in whichever order.
        found = [
            chain
            for chosen in combinations(own, depth)
            for chain in permutations(chosen)
            if [event.what for event in chain] == wanted
        ]
        return [
            chain
            for chain in found
            if window_ms is None or max(e.at_ms for e in chain) - min(e.at_ms for e in chain) <= window_ms
        ]
    choices = [[event for event in own if event.what == step] for step in wanted]
    return [
        chain
        for chain in product(*choices)
        if all(before.at_ms < after.at_ms for before, after in pairwise(chain))
        and (window_ms is None or chain[-1].at_ms - chain[0].at_ms <= window_ms)
        and (order != "strict" or _is_strict(chain, own, steps))
    ]


def funnel(
    events: Iterable[Happening], steps: Sequence[str], *, order: str = "ordered", window_ms: int | None = None
) -> list[int]:
    """Count the units that reach each step, over all choices of the first event."""
    units = _by_unit(events)
    return [
        sum(1 for own in units.values() if _chains(own, steps, depth, order=order, window_ms=window_ms))
        for depth in range(1, len(steps) + 1)
    ]


def funnel_medians(
    events: Iterable[Happening], steps: Sequence[str], *, window_ms: int | None = None
) -> list[float | None]:
    """Seconds from the step before, on the chain that ends earliest (of those, with the latest steps)."""
    units = _by_unit(events)
    medians: list[float | None] = [None]
    for depth in range(2, len(steps) + 1):
        seconds = []
        for own in units.values():
            chains = _chains(own, steps, depth, order="ordered", window_ms=window_ms)
            if chains:
                chain = min(chains, key=lambda one: (one[-1].at_ms, [-event.at_ms for event in one[::-1]]))
                seconds.append((chain[-1].at_ms - chain[-2].at_ms) / 1000)
        medians.append(median(seconds) if seconds else None)
    return medians


def retention_by_day(
    born: Iterable[tuple[str, datetime]],
    returning: Iterable[tuple[str, datetime]],
    *,
    zone: tzinfo,
    count: int,
    on_or_after: bool = False,
    now: datetime,
) -> dict[str, tuple[int, list[tuple[int, bool]]]]:
    """First-ever cohorts: day → (size, cells of (units, complete)); a cell not begun is not there."""
    births: dict[str, datetime] = {}
    for unit, at in born:
        births[unit] = min(births.get(unit, at), at)
    seen = [(unit, at.astimezone(zone).date()) for unit, at in returning]
    cohorts: dict[str, tuple[int, list[tuple[int, bool]]]] = {}
    today = now.astimezone(zone).date()
    for day in sorted({at.astimezone(zone).date() for at in births.values()}):
        members = {unit for unit, at in births.items() if at.astimezone(zone).date() == day}
        cells = []
        for period in range(count):
            then = day + timedelta(days=period)
            if then > today:
                break
            back = {u for u, d in seen if u in members and (d >= then if on_or_after else d == then)}
            cells.append((len(members) if period == 0 else len(back), then < today))
        cohorts[day.isoformat()] = (len(members), cells)
    return cohorts


def sessions(times_ms: Iterable[int], *, gap_ms: int = 1_800_000) -> list[list[int]]:
    """Cut one unit's times where the gap is more than `gap_ms`; never anywhere else."""
    cut: list[list[int]] = []
    for at_ms in sorted(times_ms):
        if cut and at_ms - cut[-1][-1] <= gap_ms:
            cut[-1].append(at_ms)
        else:
            cut.append([at_ms])
    return cut


@dataclass(frozen=True)
class Flow:
    """What paths answer: units by (depth, value) and (depth, from, to), and where they end."""

    nodes: dict[tuple[int, str], int]
    links: dict[tuple[int, str, str], int]
    exits: dict[tuple[int, str], int]


def paths(
    journeys: Iterable[Sequence[str]],
    *,
    start: str | None = None,
    depth: int,
    collapse: bool = True,
    top: int,
) -> Flow:
    """Count the nodes, links and exits of journeys (each one unit's or one session's values in order)."""
    walked = []
    for journey in journeys:
        steps = [v for i, v in enumerate(journey) if not (collapse and i and v == journey[i - 1])]
        if start is not None:
            steps = steps[steps.index(start) :] if start in steps else []
        if steps:
            walked.append(steps[:depth])
    kept = [_most(walked, place, top) for place in range(depth)]
    flow = Flow({}, {}, {})
    for steps in walked:
        named = [value if value in kept[place] else "(other)" for place, value in enumerate(steps)]
        for place, value in enumerate(named):
            flow.nodes[place + 1, value] = flow.nodes.get((place + 1, value), 0) + 1
        for place, (before, after) in enumerate(pairwise(named)):
            link = (place + 1, before, after)
            flow.links[link] = flow.links.get(link, 0) + 1
        end = (len(named), named[-1])
        flow.exits[end] = flow.exits.get(end, 0) + 1
    return flow


def _most(walked: Sequence[Sequence[str]], place: int, top: int) -> set[str]:
    counts: dict[str, int] = {}
    for steps in walked:
        if place < len(steps):
            counts[steps[place]] = counts.get(steps[place], 0) + 1
    return set(sorted(counts, key=lambda value: (-counts[value], value))[:top])


def follow_aliases(aliases: Iterable[tuple[str, str]]) -> Callable[[str], str]:
    """Make a function that follows (previous, user) pairs, the last one of each previous id, to their end."""
    following = dict(aliases)

    def end_of(name: str) -> str:
        walked = [name]
        while following.get(walked[-1], walked[-1]) != walked[-1]:
            after = following[walked[-1]]
            if after in walked:
                return min(walked[walked.index(after) :])
            walked.append(after)
        return walked[-1]

    return end_of
