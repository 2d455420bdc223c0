import asyncio

import bson
import pytest

from logdrain.errors import StoreUnavailable
from logdrain.events.mongo_lane import InsertLane

DOCUMENT = bson.encode({"_id": 1})


class BrokenOnce:
    """A collection whose first insert fails as no driver should."""

    def __init__(self) -> None:
        self.inserted: list[int] = []

    async def insert_many(self, documents: list[object], *, ordered: bool) -> None:
        assert not ordered
        self.inserted.append(len(documents))
        if len(self.inserted) == 1:
            raise RuntimeError("unforeseen")


async def test_an_error_of_any_kind_is_told_and_does_not_block_the_lane() -> None:
    collection = BrokenOnce()
    lane = InsertLane(collection, asyncio.Semaphore(1))
    first, second = lane.insert([DOCUMENT, DOCUMENT]), lane.insert([DOCUMENT])
    for failed in (first, second):
        with pytest.raises(StoreUnavailable, match="unforeseen"):
            await failed
    with pytest.raises(StoreUnavailable):
        await lane.insert([b"no BSON"])
    assert await lane.insert([DOCUMENT]) == []
    assert collection.inserted == [3, 1]
