"""Durable, exactly-once storage: batches of concurrent deliveries go into MongoDB together.

Every document has an id that a repeated delivery makes again, so "it is there already" is success.
Order matters once: the catalog is written before the events it describes, joins after their events.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pymongo.errors import CollectionInvalid, OperationFailure, PyMongoError

from logdrain import metrics
from logdrain.errors import StoreBusy, StoreUnavailable
from logdrain.events.documents import encode_event, encode_quarantined, encode_split, quarantine_event
from logdrain.events.mongo_catalog import MongoCatalog
from logdrain.events.mongo_client import DURABLE, AsyncClient, tables_among, unavailable
from logdrain.events.mongo_lane import InsertLane, Refusal
from logdrain.events.mongo_splits import SPLITS, MongoSplits
from logdrain.model.events import Batch, DropReason, Event, Origin, Quarantined, Split, Stored
from logdrain.ports import Clock

QUARANTINE = "_quarantine"
_INSERTS_AT_ONCE = 4
_NAMESPACE_EXISTS = 48
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """What the store holds back.

    Attributes:
        timeout_s: How long a batch may take before it counts as not stored.
        queue_size_max_bytes: Octets that may wait; above it, StoreBusy.
        tables_max: Tables that tags may make.
        fields_max: Field paths that the catalog keeps per table.
        quarantine_keep_days: How long quarantine entries stay.
    """

    timeout_s: float = 4.0
    queue_size_max_bytes: int = 128 * 1024 * 1024
    tables_max: int = 1000
    fields_max: int = 2000
    quarantine_keep_days: int = 90


class MongoEventStore:
    """Port EventStore on MongoDB."""

    def __init__(self, client: AsyncClient, database: str, clock: Clock, limits: StoreLimits) -> None:
        self._client = client
        self._database: Any = client[database]
        self._clock = clock
        self._limits = limits
        self._catalog = MongoCatalog(client, database, fields_max=limits.fields_max)
        self._splits = MongoSplits(client, database)
        self._lanes: dict[str, InsertLane] = {}
        self._slots = asyncio.Semaphore(_INSERTS_AT_ONCE)
        self._tables: set[str] = set()
        self._is_prepared = False
        self._preparing = asyncio.Lock()
        self._making = asyncio.Lock()
        self._queue_size_bytes = 0

    async def write(self, batch: Batch) -> Stored:
        """Store a batch durably. See the port."""
        size_bytes = batch.size_bytes
        if self._queue_size_bytes + size_bytes > self._limits.queue_size_max_bytes:
            raise StoreBusy(
                f"{self._queue_size_bytes} bytes wait for MongoDB already",
                hint="it is too slow for this load",
            )
        self._queue(size_bytes)
        # The work goes on when the wait for it ends: what is under way must keep its place in the queue.
        work = asyncio.ensure_future(self._write(batch))
        work.add_done_callback(lambda done: self._settle(done, size_bytes))
        return await self._in_time(asyncio.shield(work))

    async def waiting_splits(self, origins: Sequence[Origin], by: Sequence[str]) -> list[Split]:
        """Open lines of these origins. See the port."""
        return await self._in_time(self._splits.find(origins, by))

    async def expire_splits(self, older_than_ms: int) -> int:
        """Move overdue lines to quarantine. See the port."""
        overdue = await self._in_time(self._splits.overdue(older_than_ms))
        if overdue:
            await self.write(Batch(quarantined=overdue))
            await self._in_time(self._splits.close([item.id for item in overdue]))
        return len(overdue)

    async def check(self) -> None:
        """Ping. See the port."""
        await self._in_time(self._client.admin.command("ping"))

    async def _in_time(self, doing: Awaitable[_T]) -> _T:
        try:
            async with asyncio.timeout(self._limits.timeout_s):
                return await doing
        except TimeoutError as error:
            raise StoreUnavailable(
                f"MongoDB did not confirm within {self._limits.timeout_s:g} s",
                hint="it is overloaded or hangs",
            ) from error
        except PyMongoError as error:
            raise unavailable(error) from error

    def _queue(self, size_bytes: int) -> None:
        self._queue_size_bytes += size_bytes
        metrics.STORE_QUEUE_BYTES.set(self._queue_size_bytes)

    def _settle(self, done: "asyncio.Future[Stored]", size_bytes: int) -> None:
        self._queue(-size_bytes)
        # Whoever waited for it may have gone: what was stored counts all the same.
        if done.cancelled() or done.exception() is not None:
            return
        stored = done.result()
        metrics.EVENTS_STORED.inc(stored.events)
        metrics.EVENTS_DUPLICATE.inc(stored.duplicates)
        for reason, count in stored.quarantined.items():
            metrics.QUARANTINED.labels(reason.value).inc(count)

    async def _write(self, batch: Batch) -> Stored:
        await self._prepare()
        received_ms = int(self._clock.now().timestamp() * 1000)
        events, quarantined = await self._admit(batch)
        await self._catalog.note(events, received_ms)
        documents: dict[str, list[bytes]] = defaultdict(list)
        accepted: dict[str, list[Event]] = defaultdict(list)
        for event in events:
            encoded = encode_event(event)
            if isinstance(encoded, Quarantined):
                quarantined.append(encoded)
                continue
            documents[event.table.name].append(encoded)
            accepted[event.table.name].append(event)
        if batch.splits:
            documents[SPLITS] = [encode_split(split, received_ms) for split in batch.splits]
        tables = list(documents)
        refusals = await asyncio.gather(*(self._lane(table).insert(documents[table]) for table in tables))
        duplicates = 0
        for table, refused in zip(tables, refusals, strict=True):
            if table == SPLITS:
                _require_duplicates(SPLITS, refused)
                continue
            duplicates += sum(item.is_duplicate for item in refused)
            quarantined += _refused(accepted[table], refused)
        reasons = await self._quarantine(quarantined, received_ms)
        await self._splits.join(batch.joins)
        rejected = len(quarantined) - len(batch.quarantined)
        return Stored(len(batch.events) - duplicates - rejected, duplicates, reasons, rejected)

    async def _admit(self, batch: Batch) -> tuple[list[Event], list[Quarantined]]:
        """Events whose table exists or may be made; the rest joins the batch's quarantine."""
        refused: set[str] = set()
        for table in {event.table.name for event in batch.events} - self._tables:
            if not await self._make_table(table):
                refused.add(table)
        if not refused:
            return batch.events, list(batch.quarantined)
        detail = f"{self._limits.tables_max} tables exist: raise LOGDRAIN_TABLES_MAX, or fix the tag"
        return (
            [event for event in batch.events if event.table.name not in refused],
            [
                *batch.quarantined,
                *(
                    quarantine_event(event, DropReason.TOO_MANY_TABLES, detail)
                    for event in batch.events
                    if event.table.name in refused
                ),
            ],
        )

    async def _make_table(self, table: str) -> bool:
        """Make a table's collection, clustered by `_id`: one tree instead of two, measured in bench/store."""
        async with self._making:
            await self._list_tables()  # other drains make tables, people drop them
            if table in self._tables:
                return True
            if len(self._tables) >= self._limits.tables_max:
                return False
            try:
                await self._database.create_collection(
                    table, clusteredIndex={"key": {"_id": 1}, "unique": True}
                )
            except CollectionInvalid:
                pass  # another drain was first
            except OperationFailure as error:
                if error.code != _NAMESPACE_EXISTS:
                    raise
            self._tables.add(table)
            return True

    async def _list_tables(self) -> None:
        self._tables = {table.name for table in tables_among(await self._database.list_collection_names())}

    async def _quarantine(self, items: Sequence[Quarantined], received_ms: int) -> dict[DropReason, int]:
        """Store entries; returns how many are new, by reason."""
        if not items:
            return {}
        encoded = [
            (item.reason, part, document)
            for item in items
            for part, document in enumerate(encode_quarantined(item, received_ms))
        ]
        refused = await self._lane(QUARANTINE).insert([document for _, _, document in encoded])
        old = {item.position for item in refused}
        _require_duplicates(QUARANTINE, refused)
        return Counter(reason for at, (reason, part, _) in enumerate(encoded) if part == 0 and at not in old)

    def _lane(self, collection: str) -> InsertLane:
        lane = self._lanes.get(collection)
        if lane is None:
            target = self._database.get_collection(collection, write_concern=DURABLE)
            lane = self._lanes[collection] = InsertLane(target, self._slots)
        return lane

    async def _prepare(self) -> None:
        """Once, when MongoDB first answers: our own indexes, and which tables there are."""
        async with self._preparing:
            if self._is_prepared:
                return
            quarantine: Any = self._database[QUARANTINE]
            keep_s = self._limits.quarantine_keep_days * 86_400
            try:
                await quarantine.create_index("received_at", expireAfterSeconds=keep_s)
            except OperationFailure:  # the setting has changed
                await self._database.command(
                    "collMod",
                    QUARANTINE,
                    index={"keyPattern": {"received_at": 1}, "expireAfterSeconds": keep_s},
                )
            await self._splits.prepare()
            await self._list_tables()
            self._is_prepared = True


def _require_duplicates(collection: str, refusals: Sequence[Refusal]) -> None:
    """Our own documents are refused only where they are there already.

    Raises:
        StoreUnavailable: another reason; the delivery must not be answered as stored.
    """
    for item in refusals:
        if not item.is_duplicate:
            raise StoreUnavailable(f"MongoDB refused a document of {collection}: {item.message}")


def _refused(events: Sequence[Event], refusals: Sequence[Refusal]) -> list[Quarantined]:
    """Entries for what MongoDB turned away for another reason than being there already."""
    return [
        quarantine_event(events[item.position], DropReason.STORE_REJECTED, item.message)
        for item in refusals
        if not item.is_duplicate
    ]
