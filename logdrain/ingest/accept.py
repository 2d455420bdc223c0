"""Deliveries are accepted: stored, or spooled while the store is slow or away.

A delivery is acknowledged where one of the two holds it durably. While anything waits in the spool, what
comes joins its end: order is kept, and nobody waits for a store that is known to be away.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from logdrain import metrics
from logdrain.drain.bulk import CleanFrames, PythonFrames
from logdrain.drain.reading import ParsedDelivery
from logdrain.errors import LogdrainError, SplitChanged, SpoolUnavailable, StoreBusy, StoreUnavailable
from logdrain.ingest.parse import FindSplits, count_stored, parse_delivery, store_parsed
from logdrain.ingest.weight import weigh_body
from logdrain.memory_budget import MemoryBudget
from logdrain.model.events import Origin, RejectedItem, Split, Stored
from logdrain.model.spool import Spooled
from logdrain.ports.events import EventStore
from logdrain.ports.spool import Spool


class IntakeSettings(Protocol):
    """How long a delivery may take (senders do not wait longer), and what the store takes."""

    @property
    def spool_after_s(self) -> float:
        """For the store, where there is a spool to turn to."""

    @property
    def store_timeout_s(self) -> float:
        """For all of it."""

    @property
    def keys_per_record_max(self) -> int:
        """Keys that one record may have."""


@dataclass(frozen=True, slots=True)
class IngestResult:
    """What became of a delivery, for its log line.

    Attributes:
        frames: Frames found; None where the delivery is in the spool, unread.
        spooled_because: "" where it is in the store; else the error's code, or `in_order` where it stands
            behind others.
        rejected_items: Of a body of items that was read, those that are no events.
    """

    frames: int | None
    stored: Stored
    spooled_because: str = ""
    rejected_items: tuple[RejectedItem, ...] = ()


_Written = tuple[ParsedDelivery, Stored]
_MEMORY_WITHIN_S = 0.5  # senders wait for 5 s, and the store has its share of that
# Another delivery may continue the same cut line at the same moment.
_PARSE_TRIES = 3


class Intake:
    """Accepts deliveries; when `accept` returns, the delivery is durable.

    Args:
        store: Where events go.
        spool: Where deliveries wait while the store is away, or None: then they are refused.
        settings: Those of the environment.
        memory: Of deliveries while they are parsed and stored; None for no limit.
        clean_frames: Takes the frames that need no second look.
    """

    def __init__(
        self,
        store: EventStore,
        spool: Spool | None,
        settings: IntakeSettings,
        memory: MemoryBudget | None = None,
        clean_frames: type[CleanFrames] = PythonFrames,
    ) -> None:
        self._store = store
        self._spool = spool
        self._settings = settings
        self._memory = memory
        self._clean_frames = clean_frames
        self._under_way: dict[Spooled, asyncio.Task[_Written]] = {}

    @property
    def has_spool(self) -> bool:
        """Whether deliveries have somewhere to wait while the store is away."""
        return self._spool is not None

    async def check_spool(self) -> None:
        """Look at the spool's disk. Raises what `Spool.check` raises; nothing where there is no spool."""
        if self._spool is not None:
            await self._spool.check()

    @property
    def core(self) -> str:
        """`python` or `compiled`: what reads deliveries."""
        return self._clean_frames.name

    @property
    def is_behind(self) -> bool:
        """Whether deliveries wait in the spool."""
        return self._spool is not None and self._spool.waiting_count > 0

    async def accept(self, spooled: Spooled) -> IngestResult:
        """Store or spool a delivery.

        Raises:
            StoreUnavailable, StoreBusy, SpoolUnavailable: not durable; the sender may send it again.
        """
        now_s = asyncio.get_running_loop().time()
        until_s = now_s + self._settings.store_timeout_s
        if self._spool is None:
            return await self._to_store(spooled, until_s)
        if self._spool.waiting_count:
            try:
                return await self._to_spool(spooled, self._spool, until_s, because="in_order")
            except SpoolUnavailable as error:
                # The store may be back already, and the spool full of what it has not got yet.
                return await self._past_spool(spooled, now_s + self._settings.spool_after_s, error)
        try:
            return await self._to_store(spooled, now_s + self._settings.spool_after_s)
        except (StoreUnavailable, StoreBusy) as error:
            return await self._to_spool(spooled, self._spool, until_s, because=error.code)

    async def _past_spool(self, spooled: Spooled, until_s: float, problem: SpoolUnavailable) -> IngestResult:
        """To the store where the spool cannot take it; where that fails, too, look at the spool."""
        try:
            return await self._to_store(spooled, until_s, out_of_order=problem)
        except (StoreUnavailable, StoreBusy) as error:
            raise SpoolUnavailable(f"{problem.message}; {error.message}", hint=problem.hint) from error

    async def _to_spool(
        self, spooled: Spooled, spool: Spool, until_s: float, *, because: str
    ) -> IngestResult:
        problem = SpoolUnavailable(
            "the spool did not confirm in time", hint="its disk is overloaded or hangs"
        )
        async with _deadline(until_s, problem):
            await spool.append(spooled)
        metrics.DELIVERIES_SPOOLED.inc()
        return IngestResult(None, Stored(), because)

    async def _to_store(
        self, spooled: Spooled, until_s: float, *, out_of_order: SpoolUnavailable | None = None
    ) -> IngestResult:
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
            parsed, stored = await asyncio.shield(work)
        count_stored(parsed, stored)
        self._store.note_near_misses(parsed.near_misses)
        return IngestResult(parsed.frames, stored, rejected_items=tuple(parsed.rejected_items))

    async def _write(self, spooled: Spooled, find_splits: FindSplits) -> _Written:
        if self._memory is None:
            return await self._parse_and_write(spooled, find_splits)
        weight_bytes = await weigh_body(spooled.body)
        async with self._memory.reserve(weight_bytes, within_s=_MEMORY_WITHIN_S):
            return await self._parse_and_write(spooled, find_splits)

    async def _parse_and_write(self, spooled: Spooled, find_splits: FindSplits) -> _Written:
        tries_left = _PARSE_TRIES
        while True:
            tries_left -= 1
            parsed = await parse_delivery(
                spooled, find_splits, self._settings.keys_per_record_max, self._clean_frames
            )
            if parsed.batch.is_empty:
                return parsed, Stored()
            try:
                with metrics.STORE_SECONDS.time():
                    return parsed, await store_parsed(parsed, self._store)
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
