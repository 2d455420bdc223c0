import asyncio
from typing import Any

import pymongo
import pytest

from logdrain import metrics
from logdrain.errors import StoreBusy, StoreUnavailable
from logdrain.events.mongo_client import close_async, open_async
from logdrain.events.read.scan import MongoScanSource
from logdrain.events.write.store import MongoEventStore
from logdrain.model.catalog import ELEMENT, FieldType
from logdrain.model.events import Batch, DropReason, Record, Stored, Table
from tests.changed_settings import settings_with
from tests.contract.stored_batches import (
    OpenStore,
    SetClock,
    event,
    quarantined,
)


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
    store = open_store(settings_with(store_timeout_s=10, fields_max=5))
    stored = await store.write(Batch(events=[event(at, {f"user_{at}": 1}) for at in range(20)]))
    assert stored.events == 20
    source = MongoScanSource(mongodb_uri)
    catalog = source.catalog(Table("production", "pay"))
    source.close()
    assert len(catalog.fields) == 5
    assert catalog.is_full


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


async def test_more_than_the_queue_holds_is_turned_away_at_once(open_store: OpenStore) -> None:
    store = open_store(settings_with(store_timeout_s=10, queue_size_max_bytes=10))
    under_way = asyncio.ensure_future(store.write(Batch(quarantined=[quarantined(0, b"x" * 9)])))
    await asyncio.sleep(0)
    with pytest.raises(StoreBusy):
        await store.write(Batch(quarantined=[quarantined(1, b"x" * 2)]))
    assert (await under_way).quarantined
    # What is larger than the queue goes alone.
    assert (await store.write(Batch(quarantined=[quarantined(1, b"x" * 11)]))).quarantined


@pytest.mark.usefixtures("cancelled_connects")
async def test_without_mongodb_the_answer_is_quick_clear_and_has_no_password() -> None:
    client = open_async("mongodb://u:secret@127.0.0.1:1/x", driver="pymongo", timeout_s=0.3)
    store = MongoEventStore(client, "x", SetClock(), settings_with(store_timeout_s=5))
    with pytest.raises(StoreUnavailable) as caught:
        await store.write(Batch(events=[event(0, {})]))
    assert "secret" not in str(caught.value)
    assert "MongoDB" in caught.value.located
    with pytest.raises(StoreUnavailable):
        await store.check()
    await close_async(client)
