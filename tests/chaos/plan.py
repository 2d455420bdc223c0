"""What breaks when: a seeded plan of faults. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

GAP_S = (0.2, 1.8)
_CLOCK_STEP_S = 3600.0


class Kind(StrEnum):
    """What can go wrong."""

    KILL = "kill"  # kill -9; started again afterwards
    HANG = "hang"  # SIGSTOP; SIGCONT afterwards
    CUT = "cut"  # a link's connections are reset, new ones too
    HALF_CLOSE = "half_close"  # both ends of a link's connections hear that the other has finished
    DELAY = "delay"  # a link is slow
    LOSE_ANSWERS = "lose_answers"  # requests pass, answers break off in the middle
    FULL_DISK = "full_disk"
    CLOCK_STEP = "clock_step"  # a process' clock is an hour off
    STEP_DOWN = "step_down"  # the replica set's primary gives up its office


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    Attributes:
        at_s: When it begins, from the start of the round.
        for_s: How long until it is undone.
        amount_s: Of a delay or a clock step; else 0.
    """

    at_s: float
    kind: Kind
    target: str
    for_s: float
    amount_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Card:
    """A fault that may be drawn: how long it lasts, and how often it is in the deck."""

    kind: Kind
    target: str
    for_s: tuple[float, float]
    count: int = 1


DRAIN, WORKERS, MONGOD, POSTGRES, SPOOL = "drain", ("worker-1", "worker-2"), "mongod", "postgres", "spool"
SENDER_LINK, MONGOD_LINK, POSTGRES_LINK = "sender-drain", "drain-mongod", "worker-postgres"
LINKS = (SENDER_LINK, MONGOD_LINK, POSTGRES_LINK)

_PROCESSES = (
    Card(Kind.KILL, DRAIN, (0.0, 1.0), 4),
    Card(Kind.HANG, DRAIN, (1.0, 6.0)),
    Card(Kind.CLOCK_STEP, DRAIN, (2.0, 6.0)),
    *(Card(Kind.KILL, worker, (0.0, 1.0), 3) for worker in WORKERS),
    *(Card(Kind.HANG, worker, (3.0, 8.0)) for worker in WORKERS),
    *(Card(Kind.CLOCK_STEP, worker, (2.0, 8.0)) for worker in WORKERS),
    Card(Kind.KILL, MONGOD, (0.0, 3.0), 3),
    Card(Kind.HANG, MONGOD, (1.0, 8.0)),
    Card(Kind.KILL, POSTGRES, (0.0, 2.0), 2),
    Card(Kind.HANG, POSTGRES, (1.0, 5.0)),
)
_LINKS = tuple(
    Card(kind, link, (0.2, 3.0)) for link in LINKS for kind in (Kind.CUT, Kind.DELAY, Kind.LOSE_ANSWERS)
) + tuple(Card(Kind.HALF_CLOSE, link, (0.0, 0.1)) for link in LINKS)
_FULL_DISKS = (Card(Kind.FULL_DISK, SPOOL, (1.0, 5.0), 2), Card(Kind.FULL_DISK, MONGOD, (1.0, 4.0)))
_REPLICA_SET = (Card(Kind.STEP_DOWN, MONGOD, (0.5, 2.0), 3),)


def deck(*, replica_set: bool, disks: bool) -> tuple[Card, ...]:
    """What may break in such a world.

    Args:
        replica_set: Three mongods, whose clients must reach each: no link is between.
        disks: Small disks can be made, and filled.
    """
    links = tuple(card for card in _LINKS if not (replica_set and card.target == MONGOD_LINK))
    full_disks = tuple(card for card in _FULL_DISKS if not (replica_set and card.target == MONGOD))
    return _PROCESSES + links + (_REPLICA_SET if replica_set else ()) + (full_disks if disks else ())


def make_plan(random: Random, duration_s: float, cards: Sequence[Card]) -> tuple[Fault, ...]:
    """Faults in order of time; a target has one at a time, and all of them end within the duration.

    The deck is drawn to its end before it is shuffled again: a short plan is still a varied one.
    """
    faults: list[Fault] = []
    free_at_s: dict[str, float] = {}
    now_s = 0.0
    for card in _drawn(random, cards):
        now_s += random.uniform(*GAP_S)
        start_s = max(now_s, free_at_s.get(card.target, 0.0))
        for_s = random.uniform(*card.for_s)
        amount_s = _amount_s(random, card.kind)
        if now_s > duration_s:
            break
        if start_s + for_s <= duration_s:
            faults.append(Fault(start_s, card.kind, card.target, for_s, amount_s))
            free_at_s[card.target] = start_s + for_s
    return tuple(sorted(faults, key=lambda fault: fault.at_s))


def _drawn(random: Random, cards: Sequence[Card]) -> Iterator[Card]:
    all_cards = [card for card in cards for _ in range(card.count)]
    while True:
        random.shuffle(all_cards)
        yield from all_cards


def _amount_s(random: Random, kind: Kind) -> float:
    if kind is Kind.DELAY:
        return random.uniform(0.05, 1.5)
    return random.choice((-_CLOCK_STEP_S, _CLOCK_STEP_S)) if kind is Kind.CLOCK_STEP else 0.0
