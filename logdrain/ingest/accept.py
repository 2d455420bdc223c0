"""Deliveries are taken in: into the store, or into the spool while the store is slow or away.

A delivery is acknowledged where one of the two holds it durably. While anything waits in the spool, what
comes joins its end: order is kept, and nobody waits for a store that is known to be away.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass

from logdrain import metrics
from logdrain.errors import LogdrainError, SplitChanged, SpoolUnavailable, StoreBusy, StoreUnavailable
from logdrain.ingest.memory_budget import ParsedRoom
from logdrain.ingest.parse import Content, FindSplits, content_of
from logdrain.model.events import Origin, Split, Stored
from logdrain.model.spool import Spooled
from logdrain.ports import EventStore, Spool


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a delivery may take; senders do not wait longer.

    Attributes:
        store_s: For the store, where there is a spool to turn to.
        answer_s: For all of it.
    """

    store_s: float
    answer_s: float


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a delivery, for its log line.

    Attributes:
        frames: Frames found; None where the delivery is in the spool, unread.
        spooled_because: "" where it is in the store; else the error's code, or `in_order` where it stands
            behind others.
    """

    frames: int | None
    stored: Stored
    spooled_because: str = ""


_Written = tuple[Content, Stored]
# Another delivery may continue the same cut line at the same moment.
_READ_TRIES = 3


class Intake:
    """Takes deliveries in; what it returns from is durable.

    Args:
        store: Where events go.
        spool: Where deliveries wait while the store is away, or None: then they are refused.
        patience: How long it may take.
        room: For deliveries while they are read and stored; None for any number of them.
    """

    def __init__(
        self, store: EventStore, spool: Spool | None, patience: Patience, room: ParsedRoom | None = None
    ) -> None:
        self._store = store
        self._spool = spool
        self._patience = patience
        self._room = room
        self._under_way: dict[Spooled, asyncio.Task[_Written]] = {}

    @property
    def has_spool(self) -> bool:
        """Whether deliveries have somewhere to wait while the store is away."""
        return self._spool is not None

    @property
    def is_behind(self) -> bool:
        """Whether deliveries wait in the spool."""
        return self._spool is not None and self._spool.waiting_count > 0

    async def take(self, spooled: Spooled) -> Taken:
        """Take a delivery in.

        Raises:
            StoreUnavailable, StoreBusy, SpoolUnavailable: not durable; the sender may send it again.
        """
        now_s = asyncio.get_running_loop().time()
        until_s = now_s + self._patience.answer_s
        if self._spool is None:
            return await self._to_store(spooled, until_s)
        if self._spool.waiting_count:
            try:
                return await self._to_spool(spooled, self._spool, until_s, because="in_order")
            except SpoolUnavailable as error:
                # The store may be back already, and the spool full of what it has not got yet.
                return await self._to_store(spooled, until_s, out_of_order=error)
        try:
            return await self._to_store(spooled, now_s + self._patience.store_s)
        except (StoreUnavailable, StoreBusy) as error:
            return await self._to_spool(spooled, self._spool, until_s, because=error.code)

    async def _to_spool(self, spooled: Spooled, spool: Spool, until_s: float, *, because: str) -> Taken:
        problem = SpoolUnavailable(
            "the spool did not confirm in time", hint="its disk is overloaded or hangs"
        )
        async with _deadline(until_s, problem):
            await spool.append(spooled)
        metrics.DELIVERIES_SPOOLED.inc()
        return Taken(None, Stored(), because)

    async def _to_store(
        self, spooled: Spooled, until_s: float, *, out_of_order: SpoolUnavailable | None = None
    ) -> Taken:
        """Wait for the store; the work goes on when the wait ends, and a retry joins it.

        Args:
            spooled: The delivery.
            until_s: The loop's time when the wait ends.
            out_of_order: Raised where the delivery may continue a line whose beginning waits in the spool.
        """
        work = self._under_way.get(spooled)
        if work is None:
            find_splits = self._store.waiting_splits if out_of_order is None else _refuse(out_of_order)
            work = self._under_way[spooled] = asyncio.create_task(self._write(spooled, find_splits))
            work.add_done_callback(lambda done: self._forget(spooled, done))
        problem = StoreUnavailable("MongoDB did not confirm in time", hint="it is overloaded or hangs")
        async with _deadline(until_s, problem):
            content, stored = await asyncio.shield(work)
        content.count(stored)
        return Taken(content.frames, stored)

    async def _write(self, spooled: Spooled, find_splits: FindSplits) -> _Written:
        async with self._room.reserve(spooled.body) if self._room else nullcontext():
            return await self._read_and_write(spooled, find_splits)

    async def _read_and_write(self, spooled: Spooled, find_splits: FindSplits) -> _Written:
        tries_left = _READ_TRIES
        while True:
            tries_left -= 1
            content = await content_of(spooled, find_splits)
            if content.batch.is_empty:
                return content, Stored()
            try:
                with metrics.STORE_SECONDS.time():
                    return content, await self._store.write(content.batch)
            except SplitChanged:  # nothing of it is stored: read against the line as it is now
                if not tries_left:
                    raise

    def _forget(self, spooled: Spooled, done: "asyncio.Task[_Written]") -> None:
        del self._under_way[spooled]
        if not done.cancelled():
            done.exception()  # whoever waited for it has it, or has gone


def _refuse(error: SpoolUnavailable) -> FindSplits:
    async def find_splits(_origins: Sequence[Origin], _by: Sequence[str]) -> list[Split]:
        raise error

    return find_splits


@asynccontextmanager
async def _deadline(until_s: float, problem: LogdrainError) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout_at(until_s):
            yield
    except TimeoutError as error:
        raise problem from error
