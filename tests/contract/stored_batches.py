"""Batches, clocks and stores for the contract of the event store."""

from datetime import UTC, datetime
from typing import Protocol

from logdrain.drain.ids import make_id
from logdrain.events.write.store import MongoEventStore, StoreLimits
from logdrain.model.events import DropReason, Event, Origin, Quarantined, Record, Split, Table
from logdrain.ports.clock import Clock

ORIGIN = Origin("shop", "app", "web.1", "")
TIME_MS = 1330560754567
NOW = datetime(2012, 3, 1, 1, tzinfo=UTC)


class SetClock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class OpenStore(Protocol):
    def __call__(self, limits: StoreLimits, clock: Clock | None = None, /) -> MongoEventStore: ...


def event(position: int, record: Record, table: str = "production.pay", delivery: str = "one") -> Event:
    database, _, name = table.partition(".")
    event_id = make_id(TIME_MS, "shop", delivery, position)
    return Event(event_id, Table(database, name), TIME_MS, record, ORIGIN, b"@[raw]")


def quarantined(position: int, raw: bytes = b"junk") -> Quarantined:
    return Quarantined(make_id(None, "shop", "one", position), DropReason.JUNK, "why", None, ORIGIN, raw)


def split_of(delivery: str, raw: bytes = b"@[a.b] {") -> Split:
    return Split(make_id(TIME_MS, "shop", delivery, 0), ORIGIN, TIME_MS, delivery, 0, raw, ())
