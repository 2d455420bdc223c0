import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pymongo
import pytest

from logdrain import metrics
from logdrain.drain.ids import make_id
from logdrain.errors import StoreBusy, StoreUnavailable
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.mongo_scan import MongoScanSource
from logdrain.events.mongo_store import MongoEventStore, StoreLimits
from logdrain.model.catalog import ELEMENT, FieldType
from logdrain.model.events import (
    Batch,
    DropReason,
    Event,
    Origin,
    Quarantined,
    Record,
    Split,
    SplitJoin,
    Stored,
    Table,
)

ORIGIN = Origin("shop", "app", "web.1", "")
TIME_MS = 1330560754567
NOW = datetime(2012, 3, 1, 1, tzinfo=UTC)


class FixedClock:
    def now(self) -> datetime:
        return NOW


OpenStore = Callable[[StoreLimits], MongoEventStore]


@pytest.fixture(params=["pymongo", "motor"])
async def open_store(request: pytest.FixtureRequest, mongodb_uri: str) -> AsyncIterator[OpenStore]:
    client = open_async(mongodb_uri, driver=request.param, timeout_s=10)
    yield lambda limits: MongoEventStore(client, database_name(mongodb_uri), FixedClock(), limits)
    await close_async(client)


@pytest.fixture
def store(open_store: OpenStore) -> MongoEventStore:
    return open_store(StoreLimits(timeout_s=10))


@pytest.fixture
def documents(mongodb_uri: str) -> Callable[[str], list[dict[str, Any]]]:
    def read(collection: str) -> list[dict[str, Any]]:
        with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
            return list(client.get_default_database()[collection].find().sort("_id", 1))

    return read


def event(position: int, record: Record, table: str = "production.pay", delivery: str = "one") -> Event:
    database, _, name = table.partition(".")
    event_id = make_id(TIME_MS, "shop", delivery, position)
    return Event(event_id, Table(database, name), TIME_MS, record, ORIGIN, b"@[raw]")


def quarantined(position: int, raw: bytes = b"junk") -> Quarantined:
    return Quarantined(make_id(None, "shop", "one", position), DropReason.JUNK, "why", None, ORIGIN, raw)


async def test_a_batch_is_stored_once_however_often_it_comes(store: MongoEventStore, documents: Any) -> None:
    batch = Batch(
        events=[event(0, {"price": 1}), event(1, {"price": 1}), event(2, {"uid": 5}, "production.login")],
        quarantined=[quarantined(3), quarantined(4)],
    )
    first = await store.write(batch)
    assert first == Stored(3, 0, {DropReason.JUNK: 2}, 0)
    again = await store.write(batch)
    assert again == Stored(0, 3, {}, 0)
    assert [found["price"] for found in documents("production.pay")] == [1, 1]
    assert len(documents("production.login")) == 1
    assert [found["raw"] for found in documents("_quarantine")] == [b"junk", b"junk"]


async def test_half_of_a_batch_may_be_there_already(store: MongoEventStore, documents: Any) -> None:
    await store.write(Batch(events=[event(at, {"n": at}) for at in (1, 3)]))
    stored = await store.write(Batch(events=[event(at, {"n": at}) for at in range(5)]))
    assert (stored.events, stored.duplicates) == (3, 2)
    assert sorted(found["n"] for found in documents("production.pay")) == [0, 1, 2, 3, 4]


async def test_concurrent_deliveries_each_get_their_own_answer(
    store: MongoEventStore, documents: Any
) -> None:
    batches = [
        Batch(events=[event(at, {"n": at}, delivery=f"d{name}") for at in range(7)]) for name in range(40)
    ]
    answers = await asyncio.gather(*map(store.write, batches + batches[:10]))
    assert sum(answer.events for answer in answers) == 280
    assert sum(answer.duplicates for answer in answers) == 70
    assert len(documents("production.pay")) == 280


async def test_tables_are_clustered_by_id(store: MongoEventStore, mongodb_uri: str) -> None:
    await store.write(Batch(events=[event(0, {})]))
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        options = client.get_default_database()["production.pay"].options()
    assert options["clusteredIndex"]["key"] == {"_id": 1}


async def test_the_catalog_knows_every_path_and_type(store: MongoEventStore, mongodb_uri: str) -> None:
    await store.write(
        Batch(events=[event(0, {"n": 1, "tags": ["a"]}), event(1, {"n": 1.5, "user": {"id": 1}})])
    )
    await store.write(Batch(events=[event(2, {"n": "x"})]))
    source = MongoScanSource(mongodb_uri)
    catalog = source.catalog(Table("production", "pay"))
    source.close()
    assert catalog.fields == {
        ("n",): {FieldType.INT, FieldType.DOUBLE, FieldType.STRING},
        ("tags",): {FieldType.ARRAY},
        ("tags", ELEMENT): {FieldType.STRING},
        ("user",): {FieldType.OBJECT},
        ("user", "id"): {FieldType.INT},
    }
    assert not catalog.is_full


async def test_the_catalog_stops_at_its_limit_and_says_so(open_store: OpenStore, mongodb_uri: str) -> None:
    store = open_store(StoreLimits(timeout_s=10, fields_max=5))
    stored = await store.write(Batch(events=[event(at, {f"user_{at}": 1}) for at in range(20)]))
    assert stored.events == 20
    source = MongoScanSource(mongodb_uri)
    catalog = source.catalog(Table("production", "pay"))
    source.close()
    assert len(catalog.fields) == 5
    assert catalog.is_full


async def test_tables_beyond_the_limit_go_to_quarantine(open_store: OpenStore, documents: Any) -> None:
    store = open_store(StoreLimits(timeout_s=10, tables_max=2))
    events = [event(at, {"n": at}, f"a.t{at % 3}") for at in range(6)]
    stored = await store.write(Batch(events=events))
    assert (stored.events, stored.rejected, stored.quarantined) == (4, 2, {DropReason.TOO_MANY_TABLES: 2})
    assert [found["raw"] for found in documents("_quarantine")] == [b"@[raw]"] * 2


async def test_the_limit_of_tables_holds_for_all_at_once_and_over_drains(
    open_store: OpenStore, mongodb_uri: str
) -> None:
    limits = StoreLimits(timeout_s=10, tables_max=3)
    store, other = open_store(limits), open_store(limits)
    await store.write(Batch(events=[event(0, {}, "a.first")]))
    await other.write(Batch(events=[event(0, {}, "a.theirs")]))
    batches = [Batch(events=[event(0, {}, f"a.t{number}")]) for number in range(20)]
    answers = await asyncio.gather(*map(store.write, batches))
    assert sum(answer.events for answer in answers) == 1
    assert (await store.write(Batch(events=[event(1, {}, "a.theirs")]))).events == 1
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        names = client.get_default_database().list_collection_names()
    assert sum("." in name and not name.startswith("system.") for name in names) == 3


async def test_what_is_stored_counts_even_if_nobody_waits_for_it(store: MongoEventStore) -> None:
    await store.write(Batch(events=[event(0, {})]))
    before = metrics.REGISTRY.get_sample_value("logdrain_events_stored_total")
    task = asyncio.create_task(store.write(Batch(events=[event(1, {}), event(2, {})])))
    await asyncio.sleep(0)
    task.cancel()
    async with asyncio.timeout(10):
        while metrics.REGISTRY.get_sample_value("logdrain_events_stored_total") == before:
            await store.check()
    assert before is not None
    assert metrics.REGISTRY.get_sample_value("logdrain_events_stored_total") == before + 2
    assert metrics.REGISTRY.get_sample_value("logdrain_store_queue_bytes") == 0


async def test_what_mongodb_can_hold_is_stored_as_it_is(store: MongoEventStore, documents: Any) -> None:
    record = {"$set": 1, "a.b": {"$ref": 1, "": None, "x.y": [{"$id": 1}]}, "nul": "\x00", "big": 2**63 - 1}
    assert (await store.write(Batch(events=[event(0, record)]))).events == 1
    [document] = documents("production.pay")
    assert {key: document[key] for key in record} == record


async def test_a_document_that_mongodb_refuses_leaves_the_others(
    store: MongoEventStore, documents: Any
) -> None:
    deep: Record = {}
    for _ in range(190):  # beyond MongoDB's own limit, and beyond what the drain lets through
        deep = {"a": deep}
    stored = await store.write(Batch(events=[event(0, {"n": 1}), event(1, deep), event(2, {"n": 2})]))
    assert (stored.events, stored.rejected) == (2, 1)
    assert stored.quarantined == {DropReason.STORE_REJECTED: 1}
    assert "nesting" in documents("_quarantine")[0]["detail"]


def split_of(delivery: str, raw: bytes = b"@[a.b] {") -> Split:
    return Split(make_id(TIME_MS, "shop", delivery, 0), ORIGIN, TIME_MS, delivery, 0, raw, ())


async def test_a_cut_line_waits_grows_and_is_done(store: MongoEventStore) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    await store.write(Batch(splits=[split]))
    assert await store.waiting_splits([ORIGIN], ["B:0"]) == [split]
    assert await store.waiting_splits([ORIGIN._replace(proc="web.2")], ["B:0"]) == []

    await store.write(Batch(joins=[SplitJoin(split.id, "B:0", b"@[a.b] {more")]))
    [grown] = await store.waiting_splits([ORIGIN], ["C:0"])
    assert (grown.raw, grown.continued_by) == (b"@[a.b] {more", ("B:0",))

    await store.write(Batch(joins=[SplitJoin(split.id, "C:0", None)]))
    assert await store.waiting_splits([ORIGIN], ["D:0"]) == []
    [repeated] = await store.waiting_splits([ORIGIN], ["C:0"])
    assert (repeated.raw, repeated.continued_by) == (b"", ("B:0", "C:0"))
    # The first delivery comes once more: it must not wait again.
    await store.write(Batch(splits=[split]))
    assert await store.waiting_splits([ORIGIN], ["D:0"]) == []


async def test_all_lines_that_a_piece_may_belong_to_are_found(store: MongoEventStore) -> None:
    await store.write(Batch(splits=[split_of("A")]))
    await store.write(Batch(joins=[SplitJoin(split_of("A").id, "B:0", None)]))
    await store.write(Batch(splits=[split_of("C")]))
    found = await store.waiting_splits([ORIGIN], ["B:0"])
    assert {split.delivery_id for split in found} == {"A", "C"}


async def test_a_cut_line_whose_rest_does_not_come_goes_to_quarantine_once(
    store: MongoEventStore, documents: Any
) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    now_ms = int(NOW.timestamp() * 1000)
    assert await store.expire_splits(now_ms) == 0
    assert await store.expire_splits(now_ms + 1) == 1
    assert await store.expire_splits(now_ms + 1) == 0
    [entry] = documents("_quarantine")
    assert (entry["reason"], entry["raw"], bytes(entry["_id"])) == ("split", split.raw, split.id)


async def test_more_than_the_queue_holds_is_turned_away_at_once(open_store: OpenStore) -> None:
    store = open_store(StoreLimits(timeout_s=10, queue_size_max_bytes=10))
    with pytest.raises(StoreBusy):
        await store.write(Batch(quarantined=[quarantined(0, b"x" * 11)]))
    assert (await store.write(Batch(quarantined=[quarantined(0, b"x" * 9)]))).quarantined


@pytest.mark.usefixtures("cancelled_connects")
async def test_without_mongodb_the_answer_is_quick_clear_and_has_no_password() -> None:
    client = open_async("mongodb://u:secret@127.0.0.1:1/x", driver="pymongo", timeout_s=0.3)
    store = MongoEventStore(client, "x", FixedClock(), StoreLimits(timeout_s=5))
    with pytest.raises(StoreUnavailable) as caught:
        await store.write(Batch(events=[event(0, {})]))
    assert "secret" not in str(caught.value)
    assert "MongoDB" in caught.value.message
    with pytest.raises(StoreUnavailable):
        await store.check()
    await close_async(client)
