import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest

from logdrain.events.write.insert_batcher import InsertBatcher, Refused
from logdrain.events.write.store import MongoEventStore
from logdrain.model.events import Batch, DropReason, Stored
from tests.changed_settings import settings_with
from tests.contract.stored_batches import (
    OpenStore,
    SetClock,
    event,
    quarantined,
)


async def test_tables_beyond_the_limit_go_to_quarantine(open_store: OpenStore, documents: Any) -> None:
    store = open_store(settings_with(store_timeout_s=10, tables_max=2))
    events = [event(at, {"n": at}, f"a.t{at % 3}") for at in range(6)]
    stored = await store.write(Batch(events=events))
    assert (stored.events, stored.rejected, stored.quarantined) == (4, 2, {DropReason.TOO_MANY_TABLES: 2})
    assert [found["raw"] for found in documents("_quarantine")] == [b"@[raw]"] * 2


async def test_the_limit_of_tables_holds_for_all_at_once_and_over_drains(
    open_store: OpenStore, mongodb_uri: str
) -> None:
    limits = settings_with(store_timeout_s=10, tables_max=3)
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


async def test_at_the_limit_of_tables_mongodb_is_not_asked_for_each_tag(
    open_store: OpenStore, mongodb_uri: str
) -> None:
    clock = SetClock()
    store = open_store(settings_with(store_timeout_s=10, tables_max=1), clock)
    await store.write(Batch(events=[event(0, {}, "a.first")]))
    assert (await store.write(Batch(events=[event(0, {}, "a.second")]))).rejected == 1
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        client.get_default_database().drop_collection("a.first")
    clock.time += timedelta(seconds=4.9)
    assert (await store.write(Batch(events=[event(1, {}, "a.second")]))).rejected == 1
    clock.time += timedelta(seconds=0.1)
    assert (await store.write(Batch(events=[event(2, {}, "a.second")]))).events == 1


async def test_events_of_an_hour_that_has_ended_are_noted_before_they_are_stored(
    store: MongoEventStore, documents: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_hour_ms = int((datetime.now(UTC) + timedelta(hours=1)).timestamp() * 1000)
    await store.write(Batch(events=[event(0, {})._replace(time_ms=next_hour_ms)]))
    made = documents("_late")  # the table is new: slices may wait for it
    assert [found["_id"]["table"] for found in made] == ["production.pay"]
    noted_first: list[int] = []
    insert = InsertBatcher.insert

    def insert_and_look(batcher: InsertBatcher, encoded: Sequence[bytes]) -> "asyncio.Future[Refused]":
        noted_first.append(len(documents("_late")))
        return insert(batcher, encoded)

    monkeypatch.setattr(InsertBatcher, "insert", insert_and_look)
    await store.write(Batch(events=[event(1, {})]))
    assert noted_first == [2]
    assert [found["_id"] for found in documents("_late") if found not in made] == [
        {"table": "production.pay", "hour": datetime(2012, 3, 1)}  # noqa: DTZ001  # as pymongo reads dates
    ]


@pytest.mark.parametrize("hours_off", [-10_000, 10_000], ids=["slow", "fast"])
async def test_whether_an_hour_has_ended_is_told_by_mongodbs_clock(
    open_store: OpenStore, documents: Any, hours_off: int
) -> None:
    clock, hour = SetClock(), timedelta(hours=1)
    clock.time = datetime.now(UTC) + hours_off * hour
    store = open_store(settings_with(store_timeout_s=10), clock)
    for position, off in enumerate((-hour, hour)):
        time_ms = int((datetime.now(UTC) + off).timestamp() * 1000)
        await store.write(Batch(events=[event(position, {})._replace(time_ms=time_ms)]))
    assert len(documents("_late")) == 2  # the table's, and one of the two hours'


async def test_a_record_with_too_many_keys_goes_to_quarantine(open_store: OpenStore, documents: Any) -> None:
    store = open_store(settings_with(store_timeout_s=10, keys_per_record_max=100))
    wide = event(0, {str(at): at for at in range(101)})._replace(raw=b"x" * 600)
    stored = await store.write(Batch(events=[wide, event(1, {"n": 1})]))
    assert stored == Stored(1, 0, {DropReason.TOO_MANY_KEYS: 1}, 1)
    assert await store.write(Batch(events=[wide])) == Stored(0, 0, {}, 1)
    assert [found["reason"] for found in documents("_quarantine")] == ["too_many_keys"]


async def test_a_large_batch_is_encoded_beside_the_event_loop(store: MongoEventStore, documents: Any) -> None:
    large = event(0, {"text": "x" * 300_000})._replace(raw=b"x" * 300_000)
    assert (await store.write(Batch(events=[large, event(1, {"n": 1})]))).events == 2
    assert len(documents("production.pay")) == 2


async def test_a_large_delivery_that_comes_again_adds_what_is_missing(
    store: MongoEventStore, documents: Any
) -> None:
    events = [event(at, {"n": at}) for at in range(12_000)]
    half = await store.write(Batch(events=events[::2]))
    assert (half.events, half.duplicates) == (6000, 0)
    twice = await store.write(Batch(events=[*events, events[7]]))
    assert (twice.events, twice.duplicates) == (6000, 6001)
    again = await store.write(Batch(events=events))
    assert (again.events, again.duplicates) == (0, 12_000)
    assert sorted(found["n"] for found in documents("production.pay")) == list(range(12_000))


async def test_a_large_delivery_that_two_drains_get_at_once_is_stored_once(
    open_store: OpenStore, documents: Any
) -> None:
    limits = settings_with(store_timeout_s=30)
    batch = Batch(events=[event(at, {"n": at}) for at in range(11_000)])
    answers = await asyncio.gather(*(open_store(limits).write(batch) for _ in range(3)))
    assert sum(answer.events for answer in answers) == 11_000
    assert sum(answer.duplicates for answer in answers) == 22_000
    assert len(documents("production.pay")) == 11_000


async def test_thousands_of_quarantine_entries_are_stored_part_by_part_and_once(
    store: MongoEventStore, documents: Any
) -> None:
    items = [quarantined(position, b"%d" % position) for position in range(11_000)]
    half = await store.write(Batch(quarantined=items[::2]))
    assert half.quarantined == {DropReason.JUNK: 5_500}
    assert (await store.write(Batch(quarantined=items))).quarantined == {DropReason.JUNK: 5_500}
    assert (await store.write(Batch(quarantined=items))).quarantined == {}
    assert sorted(int(entry["raw"]) for entry in documents("_quarantine")) == list(range(11_000))
