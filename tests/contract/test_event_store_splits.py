import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson.timestamp import Timestamp

from logdrain.errors import SplitChanged, StoreBusy, StoreUnavailable
from logdrain.events.write.splits import MongoSplits
from logdrain.events.write.store import MongoEventStore
from logdrain.model.events import Batch, SplitJoin, Stored
from tests.changed_settings import settings_with
from tests.contract.stored_batches import (
    ORIGIN,
    OpenStore,
    SetClock,
    event,
    split_of,
)

HOUR_S = 3600.0


async def test_a_cut_line_waits_grows_and_is_done(store: MongoEventStore) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    await store.write(Batch(splits=[split]))
    assert await store.waiting_splits([ORIGIN], ["B:0"]) == [split]
    assert await store.waiting_splits([ORIGIN._replace(proc="web.2")], ["B:0"]) == []

    await store.write(Batch(joins=[SplitJoin(split.id, "B:0", b"@[a.b] {more", 0)]))
    [grown] = await store.waiting_splits([ORIGIN], ["C:0"])
    assert (grown.raw, grown.continued_by) == (b"@[a.b] {more", ("B:0",))

    await store.write(Batch(joins=[SplitJoin(split.id, "C:0", None, 1)]))
    assert await store.waiting_splits([ORIGIN], ["D:0"]) == []
    [repeated] = await store.waiting_splits([ORIGIN], ["C:0"])
    assert (repeated.raw, repeated.continued_by) == (b"", ("B:0", "C:0"))
    # The first delivery comes once more: it must not wait again.
    await store.write(Batch(splits=[split]))
    assert await store.waiting_splits([ORIGIN], ["D:0"]) == []


@pytest.mark.parametrize("off", [timedelta(days=-400), timedelta(days=400)], ids=["slow", "fast"])
async def test_the_clocks_of_drains_do_not_decide_how_long_a_line_waits(
    open_store: OpenStore, off: timedelta
) -> None:
    clock = SetClock()
    clock.time = datetime.now(UTC) + off
    store = open_store(settings_with(store_timeout_s=10), clock)
    await store.write(Batch(splits=[split_of("A")]))
    assert await store.expire_splits(HOUR_S) == 0
    assert await store.expire_splits(0) == 1


async def test_all_lines_that_a_piece_may_belong_to_are_found(store: MongoEventStore) -> None:
    await store.write(Batch(splits=[split_of("A")]))
    await store.write(Batch(joins=[SplitJoin(split_of("A").id, "B:0", None, 0)]))
    await store.write(Batch(splits=[split_of("C")]))
    found = await store.waiting_splits([ORIGIN], ["B:0"])
    assert {split.delivery_id for split in found} == {"A", "C"}


async def test_a_cut_line_whose_rest_does_not_come_goes_to_quarantine_once(
    store: MongoEventStore, documents: Any
) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    assert await store.expire_splits(HOUR_S) == 0
    assert await store.expire_splits(0) == 1
    assert await store.expire_splits(0) == 0
    [entry] = documents("_quarantine")
    assert (entry["reason"], entry["raw"], bytes(entry["_id"])) == ("split", split.raw, split.id)


async def test_one_line_is_continued_by_one_delivery_only(open_store: OpenStore, documents: Any) -> None:
    store, other = (
        open_store(settings_with(store_timeout_s=10)),
        open_store(settings_with(store_timeout_s=10)),
    )
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    await store.write(Batch(events=[event(0, {"n": 1})], joins=[SplitJoin(split.id, "B:0", None, 0)]))
    with pytest.raises(SplitChanged):
        await other.write(Batch(events=[event(1, {"n": 2})], joins=[SplitJoin(split.id, "C:0", None, 0)]))
    with pytest.raises(SplitChanged):
        await other.write(Batch(joins=[SplitJoin(split.id, "C:0", b"@[a.b] {more", 0)]))
    assert [found["n"] for found in documents("production.pay")] == [1]
    assert await other.waiting_splits([ORIGIN], ["C:0"]) == []
    # The one that was first comes again, with what it read then.
    await other.write(Batch(events=[event(0, {"n": 1})], joins=[SplitJoin(split.id, "B:0", None, 0)]))


async def test_a_piece_is_added_to_the_line_as_it_was_read(store: MongoEventStore) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    grow = Batch(joins=[SplitJoin(split.id, "B:0", b"@[a.b] {more", 0)])
    await store.write(grow)
    await store.write(grow)
    for raw in (b"@[a.b] {other", None):
        with pytest.raises(SplitChanged):
            await store.write(Batch(joins=[SplitJoin(split.id, "C:0", raw, 0)]))
    [grown] = await store.waiting_splits([ORIGIN], [])
    assert (grown.raw, grown.continued_by) == (b"@[a.b] {more", ("B:0",))


async def test_a_line_claimed_by_a_delivery_that_failed_is_left_to_its_retry(
    store: MongoEventStore, documents: Any, splits: MongoSplits
) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    join = SplitJoin(split.id, "B:0", None, 0)
    await splits.claim([join])  # and then the process is killed
    assert await store.waiting_splits([ORIGIN], ["C:0"]) == []
    assert await store.waiting_splits([ORIGIN], ["B:0"]) == [split._replace(claimed_by="B:0")]
    assert await store.expire_splits(0) == 0
    await store.write(Batch(events=[event(0, {"n": 1})], joins=[join]))
    [done] = await store.waiting_splits([ORIGIN], ["B:0"])
    assert (done.raw, done.continued_by) == (b"", ("B:0",))
    assert documents("_quarantine") == []


async def test_a_line_claimed_by_a_delivery_that_never_came_back_goes_to_quarantine_in_the_end(
    store: MongoEventStore, documents: Any, splits: MongoSplits
) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    await splits.claim([SplitJoin(split.id, "B:0", None, 0)])
    day_ago = datetime.now(UTC) - timedelta(days=1)
    for waits_since, count in ((day_ago + timedelta(hours=1), 0), (day_ago, 1)):
        await splits.collection.update_one({}, {"$set": {"waits_since": Timestamp(waits_since, 1)}})
        assert await store.expire_splits(0) == count
    assert [entry["raw"] for entry in documents("_quarantine")] == [split.raw]


async def test_a_line_taken_for_quarantine_is_finished_after_a_crash_and_joined_by_nobody(
    store: MongoEventStore, documents: Any, splits: MongoSplits
) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    [taken] = await splits.take_overdue(0)  # and then the process is killed
    assert (taken.id, taken.raw) == (split.id, split.raw)
    with pytest.raises(SplitChanged):
        await store.write(Batch(events=[event(0, {"n": 1})], joins=[SplitJoin(split.id, "B:0", None, 0)]))
    assert await store.waiting_splits([ORIGIN], ["B:0"]) == []
    assert await store.expire_splits(HOUR_S) == 1
    assert await store.expire_splits(0) == 0
    assert len(documents("_quarantine")) == 1
    assert documents("production.pay") == []


async def test_a_line_is_either_joined_or_given_up_never_both_never_neither(
    open_store: OpenStore, documents: Any
) -> None:
    store, other = (
        open_store(settings_with(store_timeout_s=10)),
        open_store(settings_with(store_timeout_s=10)),
    )
    splits = [split_of(f"A{number}") for number in range(60)]
    await store.write(Batch(splits=splits))
    joins = [
        store.write(Batch(events=[event(at, {"n": at})], joins=[SplitJoin(split.id, f"B{at}:0", None, 0)]))
        for at, split in enumerate(splits)
    ]
    answers = await asyncio.gather(other.expire_splits(0), *joins, return_exceptions=True)
    assert all(isinstance(answer, int | Stored | SplitChanged) for answer in answers)
    lost = {at for at, answer in enumerate(answers[1:]) if isinstance(answer, SplitChanged)}
    given_up = {bytes(entry["_id"]) for entry in documents("_quarantine")}
    assert given_up == {splits[at].id for at in lost}
    assert {found["n"] for found in documents("production.pay")} == set(range(60)) - lost


async def test_many_processes_with_long_names_are_asked_for(store: MongoEventStore) -> None:
    origins = [ORIGIN._replace(drain="n" * 5_900, proc=f"p{at}", token="t" * 8_000) for at in range(800)]
    split = split_of("A")._replace(origin=origins[-1])
    await store.write(Batch(splits=[split]))
    names = [f"{'i' * 8_000}:{at}" for at in range(800)]
    assert await store.waiting_splits(origins, names) == [split]


async def test_overdue_lines_are_taken_so_many_octets_at_a_time(
    store: MongoEventStore, splits: MongoSplits, documents: Any
) -> None:
    lines = [split_of(f"A{at}", b"@[a.b] {".ljust(10_000_000, b"x")) for at in range(5)]
    for line in lines:
        await store.write(Batch(splits=[line]))
    assert len(await splits.take_overdue(0)) == 2
    assert await store.expire_splits(0) == 5
    assert {bytes(entry["_id"]) for entry in documents("_quarantine")} == {line.id for line in lines}


async def test_more_cut_lines_than_memory_is_for_are_not_read(store: MongoEventStore) -> None:
    for at in range(7):
        await store.write(Batch(splits=[split_of(f"A{at}", b"@[a.b] {".ljust(10_000_000, b"x"))]))
    with pytest.raises(StoreBusy, match="cut lines"):
        await store.waiting_splits([ORIGIN], ["B:0"])
    await store.expire_splits(0)
    assert await store.waiting_splits([ORIGIN], ["B:0"]) == []


async def test_what_the_driver_cannot_send_is_an_error_of_ours(store: MongoEventStore) -> None:
    large = split_of("A", b"@[a.b] {")._replace(delivery_id="d" * 17_000_000)
    with pytest.raises(StoreUnavailable):
        await store.write(Batch(splits=[large]))
    with pytest.raises(StoreUnavailable):
        await store.waiting_splits([ORIGIN], ["d" * 17_000_000])
