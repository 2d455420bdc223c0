import asyncio

import pytest

from logdrain.errors import SplitChanged, SpoolUnavailable, StoreBusy, StoreUnavailable
from logdrain.ingest.accept import Intake
from logdrain.model.events import DropReason, Stored
from tests.changed_settings import settings_with
from tests.unit.ingest.stores import MemorySpool, ToldStore, delivery, line

LONG = settings_with(spool_after_s=60, store_timeout_s=60)
SHORT = settings_with(spool_after_s=0.01, store_timeout_s=60)
EVENT = line('@[a.b] {"x":1}')


async def test_a_delivery_is_stored_before_it_is_answered() -> None:
    store = ToldStore(is_up=False)
    store.may_find.set()
    task = asyncio.create_task(Intake(store, None, LONG).accept(delivery(EVENT)))
    await store.was_asked.wait()
    assert not task.done()
    store.may_write.set()
    assert (await task).stored.events == 1
    assert store.records == [{"x": 1}]


@pytest.mark.parametrize("text", ['@[a.b] {"x":1}', 'may be the rest of a line"}'])
async def test_without_a_spool_a_store_that_hangs_is_given_up_in_time(text: str) -> None:
    intake = Intake(ToldStore(is_up=False), None, settings_with(spool_after_s=60, store_timeout_s=0.01))
    with pytest.raises(StoreUnavailable, match="in time"):
        await intake.accept(delivery(line(text)))


async def test_a_retry_joins_the_work_under_way() -> None:
    store = ToldStore(is_up=False)
    store.may_find.set()
    intake = Intake(store, None, settings_with(spool_after_s=60, store_timeout_s=0.01))
    with pytest.raises(StoreUnavailable):
        await intake.accept(delivery(EVENT))
    retry = asyncio.create_task(intake.accept(delivery(EVENT)))
    store.may_write.set()
    assert (await retry).stored.events == 1
    assert store.writes == 1
    await intake.accept(delivery(EVENT))
    assert store.writes == 2


async def test_nothing_to_store_asks_nobody() -> None:
    taken = await Intake(ToldStore(is_up=False), None, SHORT).accept(delivery(line("plain")))
    assert (taken.frames, taken.stored) == (1, Stored())


async def test_near_misses_are_noted_without_waiting_for_the_store() -> None:
    store = ToldStore(is_up=False)
    await Intake(store, None, SHORT).accept(delivery(line("@[a.b] paid")))
    assert [miss.raw for miss in store.near_misses] == [b"@[a.b] paid"]


async def test_a_large_body_is_read_beside_the_event_loop() -> None:
    body = line('@[a.b] {"text":"' + "x" * 1000 + '"}') * 400
    taken = await Intake(ToldStore(), None, LONG).accept(delivery(body))
    assert taken.stored.events == 400


async def test_a_large_batch_is_freed_before_the_next_large_body_is_parsed() -> None:
    store = ToldStore()
    intake = Intake(store, None, LONG)
    body = line('@[a.b] {"text":"' + "x" * 100 + '"}') * 2_500 + line("@[a.b] {") * 2_500
    for name in ("one", "two"):
        assert (await intake.accept(delivery(body, name))).stored.events == 2_500
    assert store.given[0].is_empty
    assert len(store.records) == 5_000


async def test_a_body_that_cannot_be_decoded_is_kept() -> None:
    store = ToldStore()
    await Intake(store, None, LONG).accept(delivery(b"\x1f\x8bjunk", problem="no gzip"))
    (entry,) = store.batches[0].quarantined
    assert (entry.reason, entry.raw, entry.detail) == (DropReason.BAD_ENCODING, b"\x1f\x8bjunk", "no gzip")


async def test_a_store_that_hangs_gives_way_to_the_spool() -> None:
    spool = MemorySpool()
    taken = await Intake(ToldStore(is_up=False), spool, SHORT).accept(delivery(EVENT))
    assert taken.spooled_because == "store_unavailable"
    assert [entry.spooled for entry in spool.entries] == [delivery(EVENT)]


async def test_a_store_that_is_busy_gives_way_to_the_spool() -> None:
    store, spool = ToldStore(), MemorySpool()
    store.errors = [StoreBusy("too much waits")]
    assert (await Intake(store, spool, LONG).accept(delivery(EVENT))).spooled_because == "store_busy"


async def test_what_comes_while_something_waits_joins_its_end() -> None:
    store, spool = ToldStore(), MemorySpool()
    await spool.append(delivery(EVENT, "first"))
    taken = await Intake(store, spool, LONG).accept(delivery(EVENT, "second"))
    assert taken.spooled_because == "in_order"
    assert store.writes == 0


async def test_a_delivery_is_read_again_where_its_cut_line_has_changed() -> None:
    store = ToldStore()
    store.errors = [SplitChanged("another delivery was first"), SplitChanged("and again")]
    assert (await Intake(store, None, LONG).accept(delivery(EVENT))).stored.events == 1
    store.errors = [SplitChanged("always")] * 3
    with pytest.raises(SplitChanged):
        await Intake(store, None, LONG).accept(delivery(EVENT))


async def test_a_full_spool_gives_way_to_the_store_again() -> None:
    store, spool = ToldStore(), MemorySpool()
    await spool.append(delivery(EVENT, "first"))
    spool.full = True
    taken = await Intake(store, spool, LONG).accept(delivery(EVENT, "second"))
    assert (taken.spooled_because, taken.stored.events) == ("", 1)


async def test_where_neither_takes_it_nobody_is_told_that_it_is_durable() -> None:
    spool = MemorySpool()
    spool.full = True
    with pytest.raises(SpoolUnavailable):
        await Intake(ToldStore(is_up=False), spool, SHORT).accept(delivery(EVENT))


async def test_where_the_spool_has_become_full_its_disk_is_named_and_the_store_beside_it() -> None:
    store, spool = ToldStore(is_up=False), MemorySpool()
    await spool.append(delivery(EVENT, "first"))
    spool.full = True
    with pytest.raises(SpoolUnavailable, match="the disk is full; MongoDB did not confirm") as caught:
        await Intake(store, spool, SHORT).accept(delivery(EVENT, "second"))
    assert caught.value.hint == "make room"


async def test_another_body_of_the_same_name_is_no_retry() -> None:
    store = ToldStore(is_up=False)
    store.may_find.set()
    intake = Intake(store, None, LONG)
    both = [asyncio.create_task(intake.accept(delivery(line(f'@[a.b] {{"x":{n}}}')))) for n in (1, 2)]
    await store.was_asked.wait()
    store.may_write.set()
    assert [(await taken).stored.events for taken in both] == [1, 1]
    assert store.records == [{"x": 1}, {"x": 2}]


async def test_the_rest_of_a_line_does_not_overtake_its_beginning_in_a_full_spool() -> None:
    store, spool = ToldStore(), MemorySpool()
    await spool.append(delivery(line('@[a.b] {"x":"', ended=False), "head"))
    spool.full = True
    with pytest.raises(SpoolUnavailable):
        await Intake(store, spool, LONG).accept(delivery(line('y"}'), "tail"))
    assert store.writes == 0
