import asyncio
from datetime import timedelta
from typing import Any

import pytest

from logdrain.errors import SplitChanged
from logdrain.events.mongo_splits import MongoSplits
from logdrain.events.mongo_store import MongoEventStore, StoreLimits
from logdrain.model.events import Batch, SplitJoin, Stored
from tests.contract.stored_batches import (
    NOW,
    NOW_MS,
    ORIGIN,
    OpenStore,
    event,
    split_of,
)


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
    assert await store.expire_splits(NOW_MS) == 0
    assert await store.expire_splits(NOW_MS + 1) == 1
    assert await store.expire_splits(NOW_MS + 1) == 0
    [entry] = documents("_quarantine")
    assert (entry["reason"], entry["raw"], bytes(entry["_id"])) == ("split", split.raw, split.id)


async def test_one_line_is_continued_by_one_delivery_only(open_store: OpenStore, documents: Any) -> None:
    store, other = open_store(StoreLimits(timeout_s=10)), open_store(StoreLimits(timeout_s=10))
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
    assert await store.expire_splits(NOW_MS + 1) == 0
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
    next_day_ms = int((NOW + timedelta(days=1)).timestamp() * 1000)
    assert await store.expire_splits(next_day_ms) == 0
    assert await store.expire_splits(next_day_ms + 1) == 1
    assert [entry["raw"] for entry in documents("_quarantine")] == [split.raw]


async def test_a_line_taken_for_quarantine_is_finished_after_a_crash_and_joined_by_nobody(
    store: MongoEventStore, documents: Any, splits: MongoSplits
) -> None:
    split = split_of("A")
    await store.write(Batch(splits=[split]))
    [taken] = await splits.take_overdue(NOW_MS + 1)  # and then the process is killed
    assert (taken.id, taken.raw) == (split.id, split.raw)
    with pytest.raises(SplitChanged):
        await store.write(Batch(events=[event(0, {"n": 1})], joins=[SplitJoin(split.id, "B:0", None, 0)]))
    assert await store.waiting_splits([ORIGIN], ["B:0"]) == []
    assert await store.expire_splits(NOW_MS) == 1
    assert await store.expire_splits(NOW_MS + 1) == 0
    assert len(documents("_quarantine")) == 1
    assert documents("production.pay") == []


async def test_a_line_is_either_joined_or_given_up_never_both_never_neither(
    open_store: OpenStore, documents: Any
) -> None:
    store, other = open_store(StoreLimits(timeout_s=10)), open_store(StoreLimits(timeout_s=10))
    splits = [split_of(f"A{number}") for number in range(60)]
    await store.write(Batch(splits=splits))
    joins = [
        store.write(Batch(events=[event(at, {"n": at})], joins=[SplitJoin(split.id, f"B{at}:0", None, 0)]))
        for at, split in enumerate(splits)
    ]
    answers = await asyncio.gather(other.expire_splits(NOW_MS + 1), *joins, return_exceptions=True)
    assert all(isinstance(answer, int | Stored | SplitChanged) for answer in answers)
    lost = {at for at, answer in enumerate(answers[1:]) if isinstance(answer, SplitChanged)}
    given_up = {bytes(entry["_id"]) for entry in documents("_quarantine")}
    assert given_up == {splits[at].id for at in lost}
    assert {found["n"] for found in documents("production.pay")} == set(range(60)) - lost
