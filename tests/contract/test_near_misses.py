from typing import Any

from logdrain.drain.ids import make_id
from logdrain.events.read.look import MongoLook
from logdrain.events.write.store import MongoEventStore
from logdrain.model.events import NEAR_MISSES_KEPT, Batch, NearMiss, NearMissReason
from tests.changed_settings import settings_with
from tests.contract.stored_batches import NOW, ORIGIN, TIME_MS, OpenStore, event, split_of


def near_miss(position: int, time_ms: int | None = TIME_MS) -> NearMiss:
    name = make_id(time_ms, "shop", "one", position)
    return NearMiss(name, NearMissReason.TEXT_BEFORE, "why", time_ms, ORIGIN, b"sent \xff %d" % position)


async def test_the_latest_are_kept_each_once(store: MongoEventStore, mongodb_uri: str) -> None:
    misses = [near_miss(number) for number in range(NEAR_MISSES_KEPT)]
    for part in (misses[:3], misses, misses[-3:], [near_miss(NEAR_MISSES_KEPT, None)]):
        store.note_near_misses(part)
        await store.finish()
    look = MongoLook(mongodb_uri)
    found = look.near_misses(2 * NEAR_MISSES_KEPT)
    assert [entry.item for entry in found] == [*misses[1:], near_miss(NEAR_MISSES_KEPT, None)]
    assert {entry.received_at for entry in found} == {NOW}
    assert [entry.item for entry in look.near_misses(1)] == [near_miss(NEAR_MISSES_KEPT, None)]
    assert look.tables() == []
    look.close()


async def test_two_drains_may_begin_at_once(open_store: OpenStore, documents: Any) -> None:
    for number in range(2):
        store = open_store(settings_with(store_timeout_s=10))
        store.note_near_misses([near_miss(number)])
        await store.finish()
    assert [document["raw"] for document in documents("_near_misses")] == [
        miss.raw for miss in sorted([near_miss(0), near_miss(1)])
    ]


async def test_the_catalog_says_that_a_time_had_no_zone(store: MongoEventStore, documents: Any) -> None:
    local = event(0, {"n": 1})._replace(has_time_without_zone=True)
    for number in range(2):
        await store.write(Batch(events=[local, event(1 + number, {"n": 2}, table="production.other")]))
    found = [document for document in documents("_catalog") if document["type"] == "time_without_zone"]
    assert [(document["table"], document["path"]) for document in found] == [("production.pay", [])]


async def test_a_cut_line_keeps_what_its_first_piece_looked_like(store: MongoEventStore) -> None:
    splits = [split_of("A"), split_of("B")._replace(is_structured=True)]
    await store.write(Batch(splits=splits))
    found = await store.waiting_splits([ORIGIN], [])
    assert sorted(found) == sorted(splits)
