"""One collection's way into MongoDB: while one insert is under way, the next batch gathers.

Concurrent deliveries share an insert, and so a journal flush; a lone delivery does not wait for others.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError

from logdrain.events.mongo_client import AsyncCollection, unavailable

_DUPLICATE_KEY = 11000
# MongoDB takes 48 MB or 100,000 documents a message; smaller inserts keep latencies even.
_INSERT_DOCUMENTS_MAX = 5_000
_INSERT_SIZE_BYTES_MAX = 24 * 1024 * 1024


class Refusal(NamedTuple):
    """A document that was not inserted: its place in the list given, and why."""

    position: int
    is_duplicate: bool
    message: str


class _Waiting(NamedTuple):
    documents: Sequence[bytes]
    size_bytes: int
    done: asyncio.Future[list[Refusal]]


class InsertLane:
    """Inserts documents into one collection, durably, in shared batches."""

    def __init__(self, collection: AsyncCollection, slots: asyncio.Semaphore) -> None:
        self._collection = collection
        self._slots = slots  # how many inserts may be under way over all lanes
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    def insert(self, documents: Sequence[bytes]) -> asyncio.Future[list[Refusal]]:
        """Insert documents; the future has those that were not inserted once the others are durable.

        The future fails with StoreUnavailable where MongoDB did not confirm.
        """
        done: asyncio.Future[list[Refusal]] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(documents, sum(map(len, documents)), done))
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return done

    async def _run(self) -> None:
        try:
            while self._waiting:
                async with self._slots:
                    await self._insert_group(self._take_group())
        finally:
            self._task = None

    def _take_group(self) -> list[_Waiting]:
        """What goes together: as many as fit, at least one."""
        group = [self._waiting.popleft()]
        count, size_bytes = len(group[0].documents), group[0].size_bytes
        while self._waiting:
            count += len(self._waiting[0].documents)
            size_bytes += self._waiting[0].size_bytes
            if count > _INSERT_DOCUMENTS_MAX or size_bytes > _INSERT_SIZE_BYTES_MAX:
                break
            group.append(self._waiting.popleft())
        return group

    async def _insert_group(self, group: list[_Waiting]) -> None:
        try:
            documents = [RawBSONDocument(data) for waiting in group for data in waiting.documents]
            refusals = await self._insert_many(documents)
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody may wait for ever
            for waiting in group:
                if not waiting.done.done():
                    waiting.done.set_exception(unavailable(error))
            return
        start = 0
        for waiting in group:
            end = start + len(waiting.documents)
            own = [
                item._replace(position=item.position - start)
                for item in refusals
                if start <= item.position < end
            ]
            if not waiting.done.done():
                waiting.done.set_result(own)
            start = end

    async def _insert_many(self, documents: list[RawBSONDocument]) -> list[Refusal]:
        try:
            await self._collection.insert_many(documents, ordered=False)
        except BulkWriteError as error:
            if error.details.get("writeConcernErrors"):
                raise
            return [_refusal(found) for found in error.details["writeErrors"]]
        return []


def _refusal(found: dict[str, Any]) -> Refusal:
    return Refusal(found["index"], found["code"] == _DUPLICATE_KEY, str(found.get("errmsg", ""))[:500])
