"""Cut lines that wait for their rest, in MongoDB: they survive a restart, and any drain can join them."""

import asyncio
from collections.abc import Sequence
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from bson.datetime_ms import DatetimeMS

from logdrain.events.documents import binary_id, decode_split, origin_document
from logdrain.events.mongo_client import DURABLE, AsyncClient
from logdrain.model.events import DropReason, Origin, Quarantined, Split, SplitJoin

SPLITS = "_splits"
_DONE_KEPT_S = 7 * 86_400
_EXPIRE_BATCH = 100
# Lines whose rest was lost wait a while: more of them than this at a time, and something else is wrong.
_FOUND_MAX = 100


class MongoSplits:
    """The collection of cut lines."""

    def __init__(self, client: AsyncClient, database: str) -> None:
        codec: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_MS)
        self.collection: Any = client[database].get_collection(
            SPLITS, codec_options=codec, write_concern=DURABLE
        )

    async def prepare(self) -> None:
        """Make the indexes; lines that are done are forgotten after a week, when no retry can come."""
        await self.collection.create_index([("origin", 1), ("state", 1)])
        await self.collection.create_index(
            "received_at", expireAfterSeconds=_DONE_KEPT_S, partialFilterExpression={"state": "done"}
        )

    async def find(self, origins: Sequence[Origin], by: Sequence[str]) -> list[Split]:
        """Lines of these origins that wait, or that one of `by` has continued; the newest first."""
        cursor = self.collection.find(
            {
                "origin": {"$in": [origin_document(origin) for origin in origins]},
                "$or": [{"state": "waiting"}, {"continued_by": {"$in": list(by)}}],
            }
        ).sort("received_at", -1)
        return [decode_split(document) for document in await cursor.limit(_FOUND_MAX).to_list(None)]

    async def join(self, joins: Sequence[SplitJoin]) -> None:
        """Note that lines have grown or are whole."""
        await asyncio.gather(*(self._join(join) for join in joins))

    async def _join(self, join: SplitJoin) -> None:
        change: dict[str, Any] = {"$addToSet": {"continued_by": join.by}}
        if join.raw is None:
            change |= {"$set": {"state": "done"}, "$unset": {"raw": ""}}
        else:
            change |= {"$set": {"raw": join.raw}}
        await self.collection.update_one({"_id": binary_id(join.split_id), "state": "waiting"}, change)

    async def overdue(self, older_than_ms: int) -> list[Quarantined]:
        """Some of the lines whose rest has not come in time, as quarantine entries."""
        cursor = self.collection.find({"state": "waiting", "received_at": {"$lt": DatetimeMS(older_than_ms)}})
        documents = await cursor.limit(_EXPIRE_BATCH).to_list(None)
        detail = "the sender cut this line, the rest did not come in time"
        return [
            Quarantined(split.id, DropReason.SPLIT, detail, split.time_ms, split.origin, split.raw)
            for split in map(decode_split, documents)
        ]

    async def close(self, ids: Sequence[bytes]) -> None:
        """Note that these lines are in quarantine now."""
        await self.collection.update_many(
            {"_id": {"$in": [binary_id(split_id) for split_id in ids]}, "state": "waiting"},
            {"$set": {"state": "done"}, "$unset": {"raw": ""}},
        )
