import asyncio
import random
from typing import Any, TypeVar

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError

from logdrain.errors import StoreUnavailable
from logdrain.events.bson.documents import binary_id
from logdrain.events.write.insert_batcher import InsertBatcher, places_in_order, stored_ids
from logdrain.types.event_documents import document_id

DOCUMENT = bson.encode({"_id": 1})
Double = TypeVar("Double")


def inserting(collection: Double) -> tuple[Double, InsertBatcher]:
    """A double has only the calls that its test makes."""
    target: Any = collection
    return collection, InsertBatcher(target, asyncio.Semaphore(1))


class BrokenOnce:
    """A collection whose first insert fails as no driver should."""

    def __init__(self) -> None:
        self.inserted: list[int] = []

    async def insert_many(self, documents: list[object], *, ordered: bool) -> None:
        assert not ordered
        self.inserted.append(len(documents))
        if len(self.inserted) == 1:
            raise RuntimeError("unforeseen")


async def test_an_error_of_any_kind_is_told_and_does_not_block_the_next() -> None:
    collection, batcher = inserting(BrokenOnce())
    first, second = batcher.insert([DOCUMENT, DOCUMENT]), batcher.insert([DOCUMENT])
    for failed in (first, second):
        with pytest.raises(StoreUnavailable, match="unforeseen"):
            await failed
    with pytest.raises(StoreUnavailable):
        await batcher.insert([b"no BSON"])
    assert await batcher.insert([DOCUMENT]) == (set(), {})
    assert collection.inserted == [3, 1]


class Refusing:
    """A collection that refuses the second document, with this error."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.error = error

    async def insert_many(self, documents: list[object], *, ordered: bool) -> None:
        assert len(documents) == 2
        assert not ordered
        raise BulkWriteError({"writeErrors": [{"index": 1, "errmsg": "no", **self.error}]})


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        ({"code": 11000, "keyPattern": {"_id": 1}}, ({1}, {})),
        ({"code": 11000, "keyPattern": {"uid": 1}}, (set(), {1: "no"})),
        ({"code": 121}, (set(), {1: "no"})),
    ],
)
async def test_what_is_about_the_document_is_told(error: dict[str, Any], answer: object) -> None:
    assert await inserting(Refusing(error))[1].insert([DOCUMENT] * 2) == answer


@pytest.mark.parametrize("code", [10107, 189, 14031, 365, 112, 999_999])
async def test_what_is_about_the_server_passes_and_refuses_no_event(code: int) -> None:
    with pytest.raises(StoreUnavailable, match="refused a write: no"):
        await inserting(Refusing({"code": code}))[1].insert([DOCUMENT] * 2)


class Remembering:
    """A collection that has these ids, and remembers what was asked and inserted."""

    def __init__(self, stored: set[bytes]) -> None:
        self.stored = stored
        self.inserted: list[int] = []

    def with_options(self, **options: Any) -> "Remembering":
        assert options["read_concern"].level == "majority"
        return self

    def find(self, query: dict[str, Any], _projection: object) -> "Found":
        low, high = bytes(query["_id"]["$gte"]), bytes(query["_id"]["$lte"])
        return Found(sorted(item for item in self.stored if low <= item <= high))

    async def insert_many(self, documents: list[Any], *, ordered: bool) -> None:
        assert not ordered
        self.inserted.append(len(documents))
        ids = [document_id(document.raw) for document in documents]
        errors = [{"index": at, "code": 11000} for at, item in enumerate(ids) if item in self.stored]
        self.stored.update(ids)
        if errors:
            raise BulkWriteError({"writeErrors": errors})


class Found:
    def __init__(self, ids: list[bytes]) -> None:
        self.ids = ids

    def sort(self, key: str, direction: int) -> "Found":
        assert (key, direction) == ("_id", 1)
        return self

    def limit(self, count: int) -> "Found":
        self.ids = self.ids[:count]
        return self

    def batch_size(self, _count: int) -> "Found":
        return self

    async def to_list(self, _length: None) -> list[RawBSONDocument]:
        return [RawBSONDocument(document(item)) for item in self.ids]


def document(item: bytes) -> bytes:
    return bson.encode({"_id": binary_id(item)})


def ids(count: int) -> list[bytes]:
    return [number.to_bytes(16, "big") for number in range(count)]


@pytest.mark.parametrize("count", [499, 500, 12_000])
async def test_when_all_is_there_one_write_still_confirms_that_it_is_durable(count: int) -> None:
    collection, batcher = inserting(Remembering(set(ids(count))))
    refused = await batcher.insert(list(map(document, reversed(ids(count)))))
    assert refused == (set(range(count)), {})
    assert collection.inserted == ([499] if count < 500 else [1] * -(-count // 5000))


async def test_what_is_there_is_told_apart_at_its_place_and_to_its_delivery() -> None:
    every = ids(3_000)
    collection, batcher = inserting(Remembering({item for at, item in enumerate(every) if at % 3 == 0}))
    backwards = list(reversed(every))
    first, second = (
        batcher.insert(list(map(document, part))) for part in (backwards[:1000], backwards[1000:])
    )
    assert await first == ({at for at in range(1000) if (2999 - at) % 3 == 0}, {})
    assert await second == ({at for at in range(2000) if (1999 - at) % 3 == 0}, {})
    assert collection.inserted == [2000]
    assert collection.stored == set(every)


async def test_asking_ends_where_others_have_written_most() -> None:
    every = ids(100_000)
    collection: Any = Remembering(set(every))
    wanted = every[::100]
    found = await stored_ids(collection, wanted)
    assert found == set(wanted[:101])
    assert await stored_ids(collection, [b"\xff" * 16]) == set()


def test_many_ids_are_in_order_and_equal_ones_as_they_came() -> None:
    source = random.Random(7)  # noqa: S311  # nothing secret
    unordered = [source.randbytes(2) for _ in range(25_001)]
    assert places_in_order(unordered) == sorted(range(len(unordered)), key=unordered.__getitem__)
    assert places_in_order([]) == []
