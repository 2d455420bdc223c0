"""What waits in the spool goes into the store, in order, as soon as the store takes it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from logdrain import log, metrics
from logdrain.drain.bulk import CleanFrames, PythonFrames
from logdrain.drain.ids import body_id
from logdrain.drain.reading import ParsedDelivery, quarantine_body
from logdrain.errors import LogdrainError
from logdrain.ingest.parse import count_stored, parse_delivery, store_parsed
from logdrain.model.events import Delivery, DropReason, Origin, Split, Stored
from logdrain.model.spool import Spooled, SpooledEntry
from logdrain.ports.events import EventStore
from logdrain.ports.spool import Spool

_CHUNK_SIZE_BYTES = 4 * 1024 * 1024
# An entry that fails so often by itself, while the store answers, is what the store cannot take.
_TRIES_ALONE_MAX = 8
_IDLE_S = 0.25
_AWAY_S = 1.0
_DETAIL_MAX = 500


class Replay:
    """Moves deliveries from the spool to the store; an entry leaves the spool only when the store has it.

    Replaying an entry twice is safe: its events have the same ids again.
    """

    def __init__(
        self,
        spool: Spool,
        store: EventStore,
        keys_per_record_max: int,
        clean_frames: type[CleanFrames] = PythonFrames,
    ) -> None:
        self._keys_per_record_max = keys_per_record_max
        self._clean_frames = clean_frames
        self._spool = spool
        self._store = store
        self._after: SpooledEntry | None = None
        self._chunk_size_bytes = _CHUNK_SIZE_BYTES
        self._failures_alone = 0

    async def run_forever(self) -> None:
        """Replay until cancelled; what goes wrong is logged and tried again."""
        while True:
            pause_s = await self._try_step()
            await asyncio.sleep(pause_s)

    async def finish(self, within_s: float) -> bool:
        """Replay what is left, for so long at most and while the store takes it; whether all is done."""
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._spool.waiting_count and await self._try_step() != _AWAY_S:
                    pass
        return not self._spool.waiting_count

    async def step(self) -> int:
        """Replay some entries; returns how many.

        Raises:
            StoreUnavailable, StoreBusy: the store does not take them; they stay.
            SpoolUnavailable: the disk cannot be read or written.
        """
        entries = await self._spool.read(self._after, self._chunk_size_bytes)
        if entries:
            await self._store_or_give_up(entries)
            self._after = entries[-1]
        elif self._after is None or not self._spool.waiting_count:
            return 0
        await self._spool.discard(self._after)  # once more, where it failed before
        metrics.SPOOL_ENTRIES_REPLAYED.inc(len(entries))
        return len(entries)

    async def _try_step(self) -> float:
        """One step; returns how long to wait before the next, seconds."""
        try:
            count = await self.step()
        except Exception as error:  # noqa: BLE001  # a defect must not end the replay in silence
            # Smaller and smaller, to one entry: some of it may be what the store cannot take.
            self._chunk_size_bytes = max(self._chunk_size_bytes // 4, 1)
            if self._spool.waiting_count:
                code = error.code if isinstance(error, LogdrainError) else LogdrainError.code
                log.warning("spool_waits", code=code, message=_said(error), waiting=self._spool.waiting_count)
            return _AWAY_S
        self._chunk_size_bytes = min(self._chunk_size_bytes * 4, _CHUNK_SIZE_BYTES)
        if count and not self._spool.waiting_count:
            log.info("spool_empty")
        return 0.0 if count else _IDLE_S

    async def _store_or_give_up(self, entries: Sequence[SpooledEntry]) -> None:
        """Store entries; one that fails again and again by itself goes to quarantine, whole.

        It must not keep all that comes after it from the store for ever.
        """
        try:
            await self._store_all(entries)
        except Exception as error:
            self._failures_alone = self._failures_alone + 1 if len(entries) == 1 else 0
            if self._failures_alone < _TRIES_ALONE_MAX:
                raise
            await self._store.check()
            await store_parsed(_given_up(entries[0], error), self._store)
            # The store takes writes, so it was the entry; or the store is back just now, and takes it, too.
            with suppress(Exception):
                await self._store_all(entries)
            log.error("spool_entry_given_up", segment=entries[0].segment, offset=entries[0].offset)
        self._failures_alone = 0

    async def _store_all(self, entries: Sequence[SpooledEntry]) -> None:
        """Many deliveries in one write; a line that goes on in the next one is stored before that is read."""
        gathered = ParsedDelivery()

        async def flush() -> None:
            nonlocal gathered
            is_empty = gathered.batch.is_empty
            count_stored(gathered, Stored() if is_empty else await store_parsed(gathered, self._store))
            self._store.note_near_misses(gathered.near_misses)
            gathered = ParsedDelivery()

        async def find_splits(origins: Sequence[Origin], by: Sequence[str]) -> list[Split]:
            if gathered.batch.splits or gathered.batch.joins:
                await flush()
            return await self._store.waiting_splits(origins, by)

        async def gather(entry: SpooledEntry) -> None:
            # Parsed first: that may flush, and what is gathered is another then.
            parsed = _damaged(entry)
            if entry.spooled:
                parsed = await parse_delivery(
                    entry.spooled, find_splits, self._keys_per_record_max, self._clean_frames
                )
            gathered.add(parsed)

        for entry in entries:
            await gather(entry)
            await asyncio.sleep(0)  # requests go on meanwhile
        await flush()


def _damaged(entry: SpooledEntry) -> ParsedDelivery:
    detail = (
        f"octets of the spool that are no whole entry any more: segment {entry.segment} at {entry.offset}"
    )
    delivery, octets, _ = _nameless(entry)
    return ParsedDelivery(quarantine_body(octets, delivery, DropReason.SPOOL_DAMAGED, detail))


def _given_up(entry: SpooledEntry, error: Exception) -> ParsedDelivery:
    delivery, octets, _ = entry.spooled or _nameless(entry)
    detail = f"the store did not take this delivery: {_said(error)}"[:_DETAIL_MAX]
    return ParsedDelivery(quarantine_body(octets, delivery, DropReason.SPOOL_REFUSED, detail))


def _nameless(entry: SpooledEntry) -> Spooled:
    """Damaged octets as a delivery: whose it was cannot be read any more."""
    return Spooled(Delivery("", body_id(entry.damaged), "", None), entry.damaged, "")


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, LogdrainError) else f"{type(error).__name__}: {error}"
