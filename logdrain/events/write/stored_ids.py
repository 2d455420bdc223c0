"""Which of these documents are there already? Asking is 20 times cheaper than being refused one by one."""

from bisect import bisect_right
from collections.abc import Sequence

from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.read_preferences import ReadPreference

from logdrain.events.bson.documents import binary_id, document_id
from logdrain.events.driver import AsyncCollection, AsyncReader
from logdrain.events.mongo_client import SETTLED

_PAGE = 10_000
# Where fewer of the ids found are ours, others have written the same times: then being refused is cheaper.
_OURS_MIN = 1 / 16


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
        page = await _ids_between(reader, wanted[at], wanted[-1], _PAGE)
    return found


async def _ids_between(
    reader: AsyncReader[RawBSONDocument], low: bytes, high: bytes, count: int
) -> list[bytes]:
    """A clustered collection is read by range; it would be read whole for `$in` (MongoDB 6.0)."""
    query = {"_id": {"$gte": binary_id(low), "$lte": binary_id(high)}}
    cursor = reader.find(query, {"_id": 1}).sort("_id", 1).limit(count).batch_size(count)
    return [document_id(bytes(document.raw)) for document in await cursor.to_list(None)]
