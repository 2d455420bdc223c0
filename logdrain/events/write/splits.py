"""Cut lines that wait for their rest, in MongoDB: they survive a restart, and any drain can join them.

waiting -> waiting    a piece was added, and more must follow
waiting -> joining    the last piece has come; its delivery stores the event, and only it may
joining -> done       the event is stored
waiting -> expiring   the rest did not come in time; the entry goes to quarantine (also joining, much later)
expiring -> done      the entry is in quarantine

Each arrow is one compare-and-set: whoever loses a race reads again. What a crash leaves in the middle is
found again: `joining` by its delivery when it is repeated, `expiring` by the next look for overdue lines.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import TypeVar

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.read_preferences import ReadPreference

from logdrain.errors import SplitChanged, StoreBusy
from logdrain.events.bson.documents import binary_id, decode_split
from logdrain.events.driver import AsyncDatabase, Document
from logdrain.events.mongo_client import DURABLE, SETTLED, SPLITS
from logdrain.model.events import DropReason, Origin, Quarantined, Split, SplitJoin
from logdrain.types.event_documents import origin_document

_DONE_KEPT_S = 7 * 86_400
# The delivery that ends a line is repeated within seconds; from a spool, perhaps much later.
_JOINING_KEPT_MS = 86_400_000
_EXPIRE_BATCH = 100
_EXPIRE_SIZE_BYTES = 16 * 1024 * 1024  # and the line that is above it
# Lines whose rest was lost wait a while: more of them than this at a time, and something else is wrong.
_FOUND_MAX = 100
_FOUND_SIZE_MAX_BYTES = 64 * 1024 * 1024
_QUERY_PART_SIZE_BYTES = 2 * 1024 * 1024
_QUERY_PER_ITEM_BYTES = 100  # keys, lengths and types of BSON

_Item = TypeVar("_Item", Origin, str)


class MongoSplits:
    """The collection of cut lines."""

    def __init__(self, database: AsyncDatabase) -> None:
        codec: CodecOptions[Document] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
        self.collection = database.get_collection(
            SPLITS,
            codec_options=codec,
            read_preference=ReadPreference.PRIMARY,
            read_concern=SETTLED,
            write_concern=DURABLE,
        )

    async def prepare(self) -> None:
        """Make the indexes; lines that are done are forgotten after a week, when no retry can come."""
        await self.collection.create_index([("origin", 1), ("state", 1)])
        await self.collection.create_index("continued_by")
        await self.collection.create_index(
            "received_at", expireAfterSeconds=_DONE_KEPT_S, partialFilterExpression={"state": "done"}
        )

    async def find(self, origins: Sequence[Origin], by: Sequence[str]) -> list[Split]:
        """Lines of these origins that wait or that one of `by` has continued; the newest first."""
        wanted, names = set(origins), set(by)
        found: dict[bytes, Split] = {}
        size_bytes = 0
        for query in split_queries(origins, by):
            cursor = self.collection.find(query).sort("received_at", -1).limit(_FOUND_MAX)
            async for document in cursor:
                split = decode_split(document)
                if split.origin not in wanted or split.id in found:
                    continue
                found[split.id] = split
                size_bytes += len(split.raw)
                if size_bytes > _FOUND_SIZE_MAX_BYTES:
                    raise StoreBusy(
                        f"more than {_FOUND_SIZE_MAX_BYTES} octets of cut lines wait for this delivery",
                        hint="they go to quarantine after LOGDRAIN_SPLIT_WAIT_S",
                    )
        if not all(names.isdisjoint(split.continued_by) for split in found.values()):
            await self._confirm()
        return list(found.values())

    async def claim(self, joins: Sequence[SplitJoin]) -> None:
        """Add pieces to lines that wait on, and take the lines that are whole now; before their events.

        Raises:
            SplitChanged: another delivery was first with one of them; the others are claimed.
        """
        await asyncio.gather(*map(self._claim, joins))

    async def finish(self, joins: Sequence[SplitJoin]) -> None:
        """Note that lines are done whose events are stored."""
        await asyncio.gather(*(self._finish(join) for join in joins if join.raw is None))

    async def take_overdue(self, wait_ms: int) -> list[Quarantined]:
        """Take some of the lines whose rest has not come within so long, as quarantine entries."""
        cursor = self.collection.find(
            {
                "$or": [
                    {"state": "waiting", "$expr": _has_waited(wait_ms)},
                    {"state": "joining", "$expr": _has_waited(wait_ms + _JOINING_KEPT_MS)},
                    {"state": "expiring"},
                ]
            }
        )
        documents = []
        left_bytes = _EXPIRE_SIZE_BYTES
        async for document in cursor.limit(_EXPIRE_BATCH):
            documents.append(document)
            left_bytes -= len(document.get("raw", b""))
            if left_bytes <= 0:
                break
        taken = await asyncio.gather(*map(self._take, documents))
        detail = "the sender cut this line, the rest did not come in time"
        return [
            Quarantined(split.id, DropReason.SPLIT, detail, split.time_ms, split.origin, split.raw)
            for split, is_ours in zip(map(decode_split, documents), taken, strict=True)
            if is_ours
        ]

    async def close(self, ids: Sequence[bytes]) -> None:
        """Note that these lines are in quarantine now."""
        await self.collection.update_many(
            {"_id": {"$in": [binary_id(split_id) for split_id in ids]}, "state": "expiring"},
            {"$set": {"state": "done"}, "$unset": {"raw": ""}},
        )

    async def _claim(self, join: SplitJoin) -> None:
        as_read: Document = {
            "_id": binary_id(join.split_id),
            "continued_by": {"$size": join.after},
            "$or": [{"state": "waiting"}, {"state": "joining", "claimed_by": join.by}],
        }
        change: Document = {"$set": {"state": "joining", "claimed_by": join.by}}
        if join.raw is not None:
            change = {"$set": {"raw": join.raw}, "$push": {"continued_by": join.by}}
        result = await self.collection.update_one(as_read, change)
        if result.matched_count:
            return
        # The same delivery, come twice at once, may have done it all.
        repeated = {"_id": as_read["_id"], "continued_by": join.by}
        if await self.collection.find_one(repeated, {"_id": 1}) is None:
            raise SplitChanged(
                "a cut line was continued or given up by another in this moment", hint="send it again"
            )
        await self._confirm()

    async def _finish(self, join: SplitJoin) -> None:
        await self.collection.update_one(
            {"_id": binary_id(join.split_id), "state": "joining", "claimed_by": join.by},
            {"$set": {"state": "done"}, "$push": {"continued_by": join.by}, "$unset": {"raw": ""}},
        )

    async def _take(self, document: Document) -> bool:
        """Take a line as it was read; False where it has changed since."""
        as_read = {key: document[key] for key in ("_id", "state", "continued_by")}
        result = await self.collection.update_one(as_read, {"$set": {"state": "expiring"}})
        return bool(result.matched_count)

    async def _confirm(self) -> None:
        """Wait until what was just read is durable: another may have written it a moment ago.

        A write that changes nothing is confirmed after all that came before it.
        """
        await self.collection.update_one({"_id": None}, {"$set": {"state": "done"}})


def _has_waited(wait_ms: int) -> Document:
    """Since so long, by MongoDB's clock on both sides: those of drains may step. True up to 1 s early."""
    return {"$lte": [{"$toDate": "$waits_since"}, {"$subtract": ["$$NOW", wait_ms]}]}


def split_queries(origins: Sequence[Origin], by: Sequence[str]) -> Iterator[Document]:
    """Queries for lines of these origins that wait, or that one of `by` has claimed or continued.

    One query, unless the names are long and many: MongoDB takes none above 16 MiB. Several may find one line.
    """
    for origins_part, names in product(_parts(origins), list(_parts(by)) or [[]]):
        yield {
            "$or": [
                {
                    "origin": {"$in": list(map(origin_document, origins_part))},
                    "$or": [{"state": "waiting"}, {"state": "joining", "claimed_by": {"$in": names}}],
                },
                {"continued_by": {"$in": names}},  # without the origin, so that its index is used
            ]
        }


def _parts(items: Iterable[_Item]) -> Iterator[list[_Item]]:
    part: list[_Item] = []
    size_bytes = 0
    for item in items:
        item_bytes = _QUERY_PER_ITEM_BYTES + len("".join(item).encode("utf-8", "surrogatepass"))
        if part and size_bytes + item_bytes > _QUERY_PART_SIZE_BYTES:
            yield part
            part, size_bytes = [], 0
        part.append(item)
        size_bytes += item_bytes
    if part:
        yield part
