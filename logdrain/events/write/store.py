"""Durable, exactly-once storage: batches of concurrent deliveries go into MongoDB together.

Every document has an id that a repeated delivery makes again, so "it is there already" is success.
Order matters: cut lines are claimed before the events made from them, and done with after them; catalog and
late notes are written before the events they describe.
"""

import asyncio
from collections.abc import Awaitable, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Protocol, TypeVar

from logdrain import metrics
from logdrain.errors import StoreUnavailable
from logdrain.events.bson.documents import encode_split, quarantine_document, quarantine_event
from logdrain.events.driver import AsyncClient
from logdrain.events.mongo_client import DRIVER_ERRORS, DURABLE, QUARANTINE, SPLITS, unavailable
from logdrain.events.write.catalog_writer import MongoCatalog
from logdrain.events.write.collections import MongoTables
from logdrain.events.write.encoding import Encoded, encode_events
from logdrain.events.write.insert_batcher import InsertBatcher, require_duplicates
from logdrain.events.write.late_writer import MongoClock, MongoLateWriter
from logdrain.events.write.near_misses import NearMissWriter
from logdrain.events.write.quarantine import MongoQuarantine
from logdrain.events.write.splits import MongoSplits
from logdrain.events.write.threads import run_in_thread_if_large
from logdrain.memory_budget import MemoryBudget
from logdrain.model.disks import check_room
from logdrain.model.events import Batch, DropReason, NearMiss, Origin, Quarantined, Split, Stored
from logdrain.ports.clock import Clock

_DISK_WITHIN_S = 1.0
_INSERTS_AT_ONCE = 4
# Encoding a large batch takes a while: other deliveries go on meanwhile.
_THREAD_ABOVE_BYTES = 256 * 1024
_T = TypeVar("_T")


class StoreLimits(Protocol):
    """The settings that the store goes by."""

    @property
    def store_timeout_s(self) -> float:
        """How long a batch may take before it counts as not stored."""

    @property
    def queue_size_max_bytes(self) -> int:
        """Octets that may wait; above it, StoreBusy."""

    @property
    def tables_max(self) -> int:
        """Tables that tags may make."""

    @property
    def fields_max(self) -> int:
        """Field paths that the catalog keeps per table."""

    @property
    def keys_per_record_max(self) -> int:
        """Keys that one record may have, those of nested objects included."""

    @property
    def quarantine_keep_days(self) -> int:
        """How long quarantine entries stay."""


class MongoEventStore:
    """Port EventStore on MongoDB."""

    def __init__(self, client: AsyncClient, database: str, clock: Clock, limits: StoreLimits) -> None:
        self._client = client
        self._database = client[database]
        self._clock = clock
        self._limits = limits
        self._catalog = MongoCatalog(self._database, fields_max=limits.fields_max)
        self._splits = MongoSplits(self._database)
        self._batchers: dict[str, InsertBatcher] = {}
        self._slots = asyncio.Semaphore(_INSERTS_AT_ONCE)
        self._quarantine = MongoQuarantine(
            self._database, self._batcher(QUARANTINE), keep_days=limits.quarantine_keep_days
        )
        self._near_misses = NearMissWriter(self._database, clock)
        self._late = MongoLateWriter(self._database, MongoClock(self._database).now)
        self._tables = MongoTables(
            self._database, clock, tables_max=limits.tables_max, announce=self._late.note_table
        )
        self._is_prepared = False
        self._preparing = asyncio.Lock()
        self._queue = MemoryBudget(
            limits.queue_size_max_bytes, "too much waits for MongoDB already", metrics.STORE_QUEUE_BYTES.set
        )

    async def write(self, batch: Batch, within_s: float | None = None) -> Stored:
        """Store a batch durably. See the port."""
        size_bytes = await run_in_thread_if_large(batch.count, lambda: batch.size_bytes)
        queued_bytes = self._queue.bounded(size_bytes)
        self._queue.take(queued_bytes)
        # The work goes on when the wait for it ends: what is under way must keep its place in the queue.
        work = asyncio.ensure_future(self._write(batch, size_bytes))
        work.add_done_callback(lambda done: self._settle(done, queued_bytes))
        return await self._in_time(asyncio.shield(work), within_s)

    def note_near_misses(self, near_misses: Sequence[NearMiss]) -> None:
        """Keep the latest for people to look at. See the port."""
        self._near_misses.note(near_misses)

    async def finish(self) -> None:
        """Write what waits and was not promised, before the client is closed."""
        await self._near_misses.finish()

    async def waiting_splits(self, origins: Sequence[Origin], by: Sequence[str]) -> list[Split]:
        """Open lines of these origins. See the port."""
        return await self._in_time(self._splits.find(origins, by))

    async def expire_splits(self, wait_s: float) -> int:
        """Move overdue lines to quarantine. See the port."""
        count = 0
        while overdue := await self._in_time(self._splits.take_overdue(int(wait_s * 1000))):
            await self.write(Batch(quarantined=overdue))
            await self._in_time(self._splits.close([item.id for item in overdue]))
            count += len(overdue)
        return count

    async def check(self) -> None:
        """Ping, and ask for the disk that the database is on. See the port."""
        await self._in_time(self._client.admin.command("ping"))
        try:
            found = await self._in_time(self._database.command("dbStats"), _DISK_WITHIN_S)
        except StoreUnavailable:  # this user may not ask, or it takes too long: it is there, all the same
            return
        if "fsTotalSize" in found:
            free_bytes = found["fsTotalSize"] - found["fsUsedSize"]
            check_room("MongoDB's disk", free_bytes=free_bytes, total_bytes=found["fsTotalSize"])

    async def _in_time(self, doing: Awaitable[_T], within_s: float | None = None) -> _T:
        within_s = within_s or self._limits.store_timeout_s
        try:
            async with asyncio.timeout(within_s):
                return await doing
        except TimeoutError as error:
            raise StoreUnavailable(
                f"MongoDB did not confirm within {within_s:g} s",
                hint="it is overloaded or hangs",
            ) from error
        except DRIVER_ERRORS as error:
            raise unavailable(error) from error

    def _settle(self, done: "asyncio.Future[Stored]", queued_bytes: int) -> None:
        self._queue.give_back(queued_bytes)
        # Whoever waited for it may have gone: what was stored counts all the same.
        if done.cancelled() or done.exception() is not None:
            return
        stored = done.result()
        metrics.EVENTS_STORED.inc(stored.events)
        metrics.EVENTS_DUPLICATE.inc(stored.duplicates)
        for reason, count in stored.quarantined.items():
            metrics.QUARANTINED.labels(reason.value).inc(count)

    async def _write(self, batch: Batch, size_bytes: int) -> Stored:
        await self._prepare()
        received_ms = int(self._clock.now().timestamp() * 1000)
        await self._splits.claim(batch.joins)
        admitted, rejected = await self._admit(batch)
        encoded = await self._encode(admitted, size_bytes)
        await self._catalog.note(encoded.tables, received_ms)
        await self._catalog.note_times_without_zone(encoded.times_without_zone, received_ms)
        await self._late.note_before(encoded.hours)
        duplicates, refused = await self._insert(encoded)
        await self._late.note_after(encoded.hours)
        await self._keep_splits(batch.splits, received_ms)
        rejected += encoded.quarantined + refused
        reasons = await self._quarantine.add([*batch.quarantined, *rejected], received_ms)
        await self._splits.finish(batch.joins)
        new = batch.events_count - duplicates - len(rejected)
        return Stored(new, duplicates, reasons, len(rejected))

    async def _encode(self, batch: Batch, size_bytes: int) -> Encoded:
        encode = partial(encode_events, batch.events, self._limits.keys_per_record_max, batch.documents)
        is_large = size_bytes > _THREAD_ABOVE_BYTES
        return await asyncio.to_thread(encode) if is_large else encode()

    async def _insert(self, encoded: Encoded) -> tuple[int, list[Quarantined]]:
        """Insert events; how many were there already, and entries of those that MongoDB turned away."""
        tables = encoded.tables
        answers = await asyncio.gather(
            *(self._batcher(name).insert(table.documents) for name, table in tables.items())
        )
        duplicates = sum(len(refused.duplicates) for refused in answers)
        entries = [
            quarantine_document(table.documents[place], table.raws[place], DropReason.STORE_REJECTED, message)
            for table, refused in zip(tables.values(), answers, strict=True)
            for place, message in refused.rejected.items()
        ]
        return duplicates, entries

    async def _keep_splits(self, splits: Sequence[Split], received_ms: int) -> None:
        if splits:
            documents = [encode_split(split, received_ms) for split in splits]
            require_duplicates(SPLITS, await self._batcher(SPLITS).insert(documents))

    async def _admit(self, batch: Batch) -> tuple[Batch, list[Quarantined]]:
        """Events whose table exists or may be made, and entries of the rest."""
        events = batch.events
        tables = await run_in_thread_if_large(len(events), lambda: {event.table for event in events})
        refused = await self._tables.refused({*batch.documents, *(table.name for table in tables)})
        if not refused:
            return batch, []
        detail = f"{self._limits.tables_max} tables exist: raise LOGDRAIN_TABLES_MAX, or fix the tag"
        return await run_in_thread_if_large(batch.events_count, partial(_part_from, batch, refused, detail))

    def _batcher(self, collection: str) -> InsertBatcher:
        batcher = self._batchers.get(collection)
        if batcher is None:
            target = self._database.get_collection(collection, write_concern=DURABLE)
            batcher = self._batchers[collection] = InsertBatcher(target, self._slots)
        return batcher

    async def _prepare(self) -> None:
        """Once, when MongoDB first answers: our own indexes, and which tables there are."""
        async with self._preparing:
            if self._is_prepared:
                return
            await self._quarantine.prepare()
            await self._catalog.prepare()
            await self._splits.prepare()
            await self._late.prepare()
            await self._tables.load()
            self._is_prepared = True


def _part_from(batch: Batch, refused: AbstractSet[str], detail: str) -> tuple[Batch, list[Quarantined]]:
    """Events of other tables, and entries of those of the refused ones."""
    admitted = Batch(events=[event for event in batch.events if event.table.name not in refused])
    entries = [
        quarantine_event(event, DropReason.TOO_MANY_TABLES, detail)
        for event in batch.events
        if event.table.name in refused
    ]
    for name, table in batch.documents.items():
        if name not in refused:
            admitted.documents[name] = table
            continue
        for document, raw in zip(table.documents, table.raws, strict=True):
            entries.append(quarantine_document(document, raw, DropReason.TOO_MANY_TABLES, detail))
    return admitted, entries
