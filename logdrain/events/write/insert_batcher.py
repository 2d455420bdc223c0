"""One collection's way into MongoDB: while one insert is under way, the next batch gathers.

Concurrent deliveries share an insert, and so a journal flush; a lone delivery does not wait for others.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError

from logdrain.errors import StoreUnavailable
from logdrain.events.bson.documents import document_id
from logdrain.events.driver import AsyncCollection, Document
from logdrain.events.mongo_client import unavailable
from logdrain.events.write.ordering import places_in_order
from logdrain.events.write.stored_ids import stored_ids
from logdrain.events.write.threads import run_in_thread_if_large

_DUPLICATE_KEY = 11000
_BY_ID = {"_id": 1}
# What is wrong with the document will be wrong the next time, too; all other errors pass. In order: bad
# value, unparsable, type, nesting, BSON, `$` in a name, DBRef, empty name, dotted name, validation rules;
# size; another unique index of the table.
_OF_THE_DOCUMENT = {2, 9, 14, 15, 22, 52, 55, 56, 57, 121, 10334, 17280, 17419, 17420, _DUPLICATE_KEY}
# MongoDB takes 48 MB or 100,000 documents a message; smaller inserts keep latencies even.
_INSERT_DOCUMENTS_MAX = 5_000
_INSERT_SIZE_MAX_BYTES = 24 * 1024 * 1024
_ASK_ABOVE_DOCUMENTS = 500


class Refused(NamedTuple):
    """Documents that were not inserted, by their place in the list given.

    Attributes:
        duplicates: Those that were there already.
        rejected: The others, with what MongoDB said.
    """

    duplicates: set[int]
    rejected: dict[int, str]


class _Waiting(NamedTuple):
    documents: Sequence[bytes]
    size_bytes: int
    done: asyncio.Future[Refused]


class InsertBatcher:
    """Inserts documents into one collection, durably, in shared batches."""

    def __init__(self, collection: AsyncCollection, slots: asyncio.Semaphore) -> None:
        self._collection = collection
        self._slots = slots  # how many inserts may be under way over all lanes
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    def insert(self, documents: Sequence[bytes]) -> asyncio.Future[Refused]:
        """Insert documents; the future has those that were not inserted once the others are durable.

        The future fails with StoreUnavailable where MongoDB did not confirm.
        """
        done: asyncio.Future[Refused] = asyncio.get_running_loop().create_future()
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
            if count > _INSERT_DOCUMENTS_MAX or size_bytes > _INSERT_SIZE_MAX_BYTES:
                break
            group.append(self._waiting.popleft())
        return group

    async def _insert_group(self, group: list[_Waiting]) -> None:
        try:
            refused = await self._insert_all([data for waiting in group for data in waiting.documents])
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody may wait for ever
            failure = error if isinstance(error, StoreUnavailable) else unavailable(error)
            for waiting in group:
                if not waiting.done.done():
                    waiting.done.set_exception(failure)
            return
        start = 0
        for waiting in group:
            end = start + len(waiting.documents)
            if not waiting.done.done():
                waiting.done.set_result(refused if len(group) == 1 else _between(refused, start, end))
            start = end

    async def _insert_all(self, documents: Sequence[bytes]) -> Refused:
        """Insert documents, part by part where there are many."""
        if len(documents) < _ASK_ABOVE_DOCUMENTS:
            return await self._insert_many(documents)
        # In order of id: then what a repeated delivery has stored before lies close together.
        places = await run_in_thread_if_large(
            len(documents), lambda: places_in_order(list(map(document_id, documents)))
        )
        done = Refused(set(), {})
        for start in range(0, len(places), _INSERT_DOCUMENTS_MAX):
            part = places[start : start + _INSERT_DOCUMENTS_MAX]
            duplicates, rejected = await self._insert_new([documents[place] for place in part])
            done.duplicates.update(part[at] for at in duplicates)
            done.rejected.update({part[at]: message for at, message in rejected.items()})
        return done

    async def _insert_new(self, documents: Sequence[bytes]) -> Refused:
        """Insert what is not there yet, of many documents in order of id.

        At least one document is inserted even if all are there. Being there is not being durable: another
        process may have written them a moment ago. MongoDB confirms a write with DURABLE, refused ones too,
        after all that came before it: the majority read says that they will stay, the confirmed write that
        they are in the journal.
        """
        ids = list(map(document_id, documents))
        stored = await stored_ids(self._collection, ids)
        absent = [at for at, item in enumerate(ids) if item not in stored] or [0]
        duplicates, rejected = await self._insert_many([documents[at] for at in absent])
        skipped = set(range(len(ids))).difference(absent)
        return Refused(
            skipped.union(absent[at] for at in duplicates),
            {absent[at]: message for at, message in rejected.items()},
        )

    async def _insert_many(self, documents: Sequence[bytes]) -> Refused:
        try:
            await self._collection.insert_many(list(map(RawBSONDocument, documents)), ordered=False)
        except BulkWriteError as error:
            if error.details.get("writeConcernErrors"):
                raise
            return _refused(error.details["writeErrors"])
        return Refused(set(), {})


def require_duplicates(collection: str, refused: Refused) -> None:
    """Our own documents are refused only where they are there already.

    Raises:
        StoreUnavailable: another reason; the delivery must not be answered as stored.
    """
    for message in refused.rejected.values():
        raise StoreUnavailable(f"MongoDB refused a document of {collection}: {message}")


def _refused(errors: Sequence[Document]) -> Refused:
    refused = Refused(set(), {})
    for found in errors:
        if found["code"] == _DUPLICATE_KEY and found.get("keyPattern", _BY_ID) == _BY_ID:
            refused.duplicates.add(found["index"])
        elif found["code"] in _OF_THE_DOCUMENT:
            refused.rejected[found["index"]] = str(found.get("errmsg", ""))[:500]
        else:
            raise StoreUnavailable(f"MongoDB refused a write: {found.get('errmsg', '')}"[:500])
    return refused


def _between(refused: Refused, start: int, end: int) -> Refused:
    return Refused(
        {place - start for place in range(start, end) if place in refused.duplicates},
        {place - start: message for place, message in refused.rejected.items() if start <= place < end},
    )
