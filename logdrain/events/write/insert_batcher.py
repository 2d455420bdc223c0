"""Group commit: while one insert into a collection is under way, the next one gathers.

Concurrent deliveries share an insert, and so a journal flush; a lone delivery does not wait for others.
Dedup: MongoDB has the ids of a repeated delivery already. Asking for them is 20 times cheaper than being
refused one by one.
"""

import asyncio
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from heapq import merge
from typing import NamedTuple

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError
from pymongo.read_preferences import ReadPreference

from logdrain.errors import StoreUnavailable
from logdrain.events.bson.documents import binary_id
from logdrain.events.driver import AsyncCollection, AsyncReader, Document
from logdrain.events.mongo_client import DUPLICATE_KEY, SETTLED, unavailable
from logdrain.events.write.threads import run_in_thread_if_large
from logdrain.types.event_documents import document_id

_BY_ID = {"_id": 1}
# What is wrong with the document will be wrong the next time, too; all other errors pass. In order: bad
# value, unparsable, type, nesting, BSON, `$` in a name, DBRef, empty name, dotted name, validation rules;
# size; another unique index of the table.
_OF_THE_DOCUMENT = {2, 9, 14, 15, 22, 52, 55, 56, 57, 121, 10334, 17280, 17419, 17420, DUPLICATE_KEY}
# MongoDB takes 48 MB or 100,000 documents a message; smaller inserts keep latencies even.
_INSERT_DOCUMENTS_MAX = 5_000
_INSERT_SIZE_MAX_BYTES = 24 * 1024 * 1024
_ASK_ABOVE_DOCUMENTS = 500
# A sort does not let go of the interpreter: one of this length takes milliseconds.
_SORTED_AT_ONCE = 10_000
_IDS_PER_QUERY = 10_000
# Where fewer of the ids found are ours, others have written the same times: then being refused is cheaper.
_OURS_MIN = 1 / 16


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
        self._slots = slots  # how many inserts may be under way into all collections
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
        if found["code"] == DUPLICATE_KEY and found.get("keyPattern", _BY_ID) == _BY_ID:
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


def places_in_order(ids: Sequence[bytes]) -> list[int]:
    """The places of these ids, the smallest first; equal ones as they come."""
    runs = [
        sorted(range(start, min(start + _SORTED_AT_ONCE, len(ids))), key=ids.__getitem__)
        for start in range(0, len(ids), _SORTED_AT_ONCE)
    ]
    return list(merge(*runs, key=ids.__getitem__))


async def stored_ids(collection: AsyncCollection, wanted: Sequence[bytes]) -> set[bytes]:
    """Some or all of the stored ones among ascending ids: all where they lie close together.

    None where the first of them is not stored: a delivery that comes for the first time costs one look.
    What is found is on a majority's nodes for good; for its journal see InsertBatcher.

    Raises:
        PyMongoError: MongoDB did not answer.
    """
    reader = collection.with_options(
        codec_options=CodecOptions(RawBSONDocument),
        read_preference=ReadPreference.PRIMARY,
        read_concern=SETTLED,
    )
    ours = set(wanted)
    found: set[bytes] = set()
    at = 0
    page = await _ids_between(reader, wanted[0], wanted[0], 1)
    while page:
        hits = ours.intersection(page)
        found |= hits
        at = bisect_right(wanted, page[-1], lo=at)
        if at == len(wanted) or len(hits) < len(page) * _OURS_MIN:
            break
        page = await _ids_between(reader, wanted[at], wanted[-1], _IDS_PER_QUERY)
    return found


async def _ids_between(
    reader: AsyncReader[RawBSONDocument], low: bytes, high: bytes, count: int
) -> list[bytes]:
    """A clustered collection is read by range; it would be read whole for `$in` (MongoDB 6.0)."""
    query = {"_id": {"$gte": binary_id(low), "$lte": binary_id(high)}}
    cursor = reader.find(query, {"_id": 1}).sort("_id", 1).limit(count).batch_size(count)
    return [document_id(bytes(document.raw)) for document in await cursor.to_list(None)]
