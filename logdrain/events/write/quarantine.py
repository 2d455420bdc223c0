"""The collection of what could not become an event, with its retention: MongoDB drops old entries itself."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from pymongo.errors import OperationFailure

from logdrain.events.bson.documents import encode_quarantined
from logdrain.events.driver import AsyncDatabase
from logdrain.events.mongo_client import QUARANTINE
from logdrain.events.write.insert_batcher import InsertBatcher, places_in_order, require_duplicates
from logdrain.events.write.threads import run_in_thread_if_large
from logdrain.model.events import DropReason, Quarantined

# Encoded one part after the other: a document weighs ten times what its few octets do.
_PART_ENTRIES = 5_000
_PART_SIZE_BYTES = 4 * 1024 * 1024

_Entry = tuple[DropReason, int, bytes]
"""Reason, which part of its octets, document."""


class MongoQuarantine:
    """Keeps entries for so many days.

    Args:
        database: Where they are.
        batcher: Inserts into the collection.
        keep_days: How long they stay.
    """

    def __init__(self, database: AsyncDatabase, batcher: InsertBatcher, *, keep_days: int) -> None:
        self._database = database
        self._batcher = batcher
        self._keep_s = keep_days * 86_400

    async def prepare(self) -> None:
        """Make the index that entries expire by, or change how long that takes.

        Raises:
            PyMongoError: MongoDB did not answer.
        """
        collection = self._database[QUARANTINE]
        try:
            await collection.create_index("received_at", expireAfterSeconds=self._keep_s)
        except OperationFailure:  # the setting has changed
            index = {"keyPattern": {"received_at": 1}, "expireAfterSeconds": self._keep_s}
            await self._database.command("collMod", QUARANTINE, index=index)

    async def add(self, items: Sequence[Quarantined], received_ms: int) -> dict[DropReason, int]:
        """Store entries; returns how many are new, by reason.

        Raises:
            StoreUnavailable: MongoDB did not confirm; some may be stored.
        """
        new: Counter[DropReason] = Counter()
        # In order of id: then what a repeated delivery has stored before lies close together.
        items = await run_in_thread_if_large(len(items), partial(_in_order, items))
        for part in _parts(items):
            entries = await run_in_thread_if_large(_weight(part), partial(_encode, part, received_ms))
            refused = await self._batcher.insert([document for _, _, document in entries])
            require_duplicates(QUARANTINE, refused)
            new.update(
                reason
                for at, (reason, number, _) in enumerate(entries)
                if number == 0 and at not in refused.duplicates
            )
        return new


def _in_order(items: Sequence[Quarantined]) -> list[Quarantined]:
    return [items[place] for place in places_in_order([item.id for item in items])]


def _parts(items: Sequence[Quarantined]) -> Iterator[list[Quarantined]]:
    part: list[Quarantined] = []
    size_bytes = 0
    for item in items:
        if part and (len(part) == _PART_ENTRIES or size_bytes + len(item.raw) > _PART_SIZE_BYTES):
            yield part
            part, size_bytes = [], 0
        part.append(item)
        size_bytes += len(item.raw)
    if part:
        yield part


def _weight(items: Sequence[Quarantined]) -> int:
    """Large entries take as long as many small ones."""
    return sum(1 + len(item.raw) // 1024 for item in items)


def _encode(items: Sequence[Quarantined], received_ms: int) -> list[_Entry]:
    return [
        (item.reason, number, document)
        for item in items
        for number, document in enumerate(encode_quarantined(item, received_ms))
    ]
