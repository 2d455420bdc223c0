"""Stores and spools that do as they are told."""

import asyncio
from collections.abc import Sequence

import bson

from logdrain.errors import LogdrainError, SpoolUnavailable
from logdrain.model.events import Batch, Delivery, NearMiss, Origin, Split, Stored
from logdrain.model.spool import Spooled, SpooledEntry

_HEAD = ("_id", "time", "_origin")
TIME = "2012-03-01T00:12:34.567890+00:00"


def line(text: str, *, ended: bool = True) -> bytes:
    message = f"<190>1 {TIME} host app web.1 - {text}".encode() + b"\n" * ended
    return b"%d %s" % (len(message), message)


def delivery(body: bytes, name: str = "one", problem: str = "") -> Spooled:
    return Spooled(Delivery("shop", name, "", None), body, problem)


def records_of(batch: Batch) -> list[dict[str, object]]:
    """Those that were read in bulk, then the others."""
    decoded = [bson.decode(each) for table in batch.documents.values() for each in table.documents]
    in_bulk = [{key: value for key, value in fields.items() if key not in _HEAD} for fields in decoded]
    return in_bulk + [event.record for event in batch.events]


class ToldStore:
    """Answers while `may_write` and `may_find` are set, raises its `errors` first."""

    def __init__(self, *, is_up: bool = True) -> None:
        self.may_find = asyncio.Event()
        self.may_write = asyncio.Event()
        self.errors: list[LogdrainError] = []
        self.batches: list[Batch] = []
        self.given: list[Batch] = []
        self.near_misses: list[NearMiss] = []
        self.writes = 0
        self.patience_s: list[float | None] = []
        self.was_asked = asyncio.Event()
        if is_up:
            self.may_find.set()
            self.may_write.set()

    @property
    def records(self) -> list[dict[str, object]]:
        return [record for batch in self.batches for record in records_of(batch)]

    async def write(self, batch: Batch, within_s: float | None = None) -> Stored:
        self.patience_s.append(within_s)
        self.given.append(batch)
        self.writes += 1
        self.was_asked.set()
        await self.may_write.wait()
        if self.errors:
            raise self.errors.pop(0)
        # As it was when it was written, like a server.
        kept = Batch()
        kept.add(batch)
        self.batches.append(kept)
        return Stored(events=batch.events_count)

    def note_near_misses(self, near_misses: Sequence[NearMiss]) -> None:
        self.near_misses += near_misses

    async def waiting_splits(self, origins: Sequence[Origin], _by: Sequence[str]) -> list[Split]:
        await self.may_find.wait()
        return [split for batch in self.batches for split in batch.splits if split.origin in origins]

    async def expire_splits(self, wait_s: float) -> int:
        raise NotImplementedError

    async def check(self) -> None:
        raise NotImplementedError


class MemorySpool:
    """Keeps deliveries in a list; refuses them while it is `full`."""

    def __init__(self) -> None:
        self.full = False
        self.discard_errors: list[LogdrainError] = []
        self.entries: list[SpooledEntry] = []
        self._count = 0

    async def append(self, spooled: Spooled) -> None:
        if self.full:
            raise SpoolUnavailable("the disk is full", hint="make room")
        self._count += 1
        self.entries.append(SpooledEntry(1, self._count, spooled, b""))

    async def read(self, after: SpooledEntry | None, size_max_bytes: int) -> list[SpooledEntry]:
        found = [entry for entry in self.entries if after is None or entry.offset > after.offset]
        return found if size_max_bytes >= self.size_bytes else found[:1]

    async def discard(self, through: SpooledEntry) -> None:
        if self.discard_errors:
            raise self.discard_errors.pop(0)
        self.entries = [entry for entry in self.entries if entry.offset > through.offset]

    @property
    def waiting_count(self) -> int:
        return len(self.entries)

    @property
    def size_bytes(self) -> int:
        return sum(len(entry.spooled.body) for entry in self.entries if entry.spooled)

    async def check(self) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        return
