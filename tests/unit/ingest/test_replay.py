import pytest

from logdrain import metrics
from logdrain.errors import SpoolUnavailable, StoreUnavailable
from logdrain.ingest.replay import Replay
from logdrain.model.events import Batch, DropReason, Stored
from logdrain.model.spool import SpooledEntry
from tests.unit.ingest.stores import MemorySpool, ToldStore, delivery, line, records_of

KEYS_MAX = 10_000


async def test_what_waits_goes_into_the_store_in_order_and_leaves_the_spool() -> None:
    store, spool = ToldStore(), MemorySpool()
    for number in range(5):
        await spool.append(delivery(line(f'@[a.b] {{"x":{number}}}'), f"d{number}"))
    assert await Replay(spool, store, KEYS_MAX).step() == 5
    assert store.records == [{"x": number} for number in range(5)]
    assert (store.writes, spool.waiting_count) == (1, 0)
    # No sender waits: a delivery that takes the store minutes must not begin again and again.
    assert store.patience_s == [600.0]


async def test_what_the_store_does_not_take_stays() -> None:
    store, spool = ToldStore(), MemorySpool()
    await spool.append(delivery(line('@[a.b] {"x":1}')))
    store.errors = [StoreUnavailable("away")]
    replay = Replay(spool, store, KEYS_MAX)
    with pytest.raises(StoreUnavailable):
        await replay.step()
    assert spool.waiting_count == 1
    assert await replay.step() == 1
    assert store.records == [{"x": 1}]


async def test_a_line_cut_between_two_entries_is_put_together() -> None:
    store, spool = ToldStore(), MemorySpool()
    text = '@[a.b] {"x":"' + "y" * 10_050 + '"}'
    await spool.append(delivery(line(text[:10_000], ended=False), "head"))
    await spool.append(delivery(line(text[10_000:]), "tail"))
    await Replay(spool, store, KEYS_MAX).step()
    assert store.records == [{"x": "y" * 10_050}]


def near_misses() -> float:
    return metrics.REGISTRY.get_sample_value("logdrain_lines_total", {"kind": "near_miss"}) or 0.0


async def test_near_misses_that_waited_are_noted_and_counted() -> None:
    store, spool = ToldStore(), MemorySpool()
    before = near_misses()
    await spool.append(delivery(line('sent @[a.b] {"x":1}')))
    await Replay(spool, store, KEYS_MAX).step()
    assert [miss.raw for miss in store.near_misses] == [b'sent @[a.b] {"x":1}']
    assert (store.writes, near_misses() - before) == (0, 1)


async def test_damaged_octets_go_to_quarantine_as_they_are() -> None:
    store, spool = ToldStore(), MemorySpool()
    spool.entries.append(SpooledEntry(3, 77, None, b"half an entry"))
    await Replay(spool, store, KEYS_MAX).step()
    (entry,) = store.batches[0].quarantined
    assert (entry.reason, entry.raw) == (DropReason.SPOOL_DAMAGED, b"half an entry")
    assert "segment 3 at 77" in entry.detail


async def test_finishing_stops_where_the_store_is_away() -> None:
    store, spool = ToldStore(), MemorySpool()
    await spool.append(delivery(line('@[a.b] {"x":1}')))
    store.errors = [StoreUnavailable("away")]
    replay = Replay(spool, store, KEYS_MAX)
    assert not await replay.finish(60)
    assert await replay.finish(60)


async def test_what_follows_a_cut_line_in_the_same_step_is_stored() -> None:
    store, spool = ToldStore(), MemorySpool()
    text = '@[a.b] {"x":"' + "y" * 10_050 + '"}'
    rest = line(text[10_000:]) + line('@[a.b] {"z":1}')
    await spool.append(delivery(line(text[:10_000], ended=False), "head"))
    await spool.append(delivery(rest, "tail"))
    await Replay(spool, store, KEYS_MAX).step()
    assert len(store.records) == 2
    assert {"x": "y" * 10_050} in store.records
    assert {"z": 1} in store.records


class PickyStore(ToldStore):
    """Never takes a batch with one event; `check` is as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = False

    async def write(self, batch: Batch, within_s: float | None = None) -> Stored:
        if self.is_away or {"x": "poison"} in records_of(batch):
            raise ValueError("this will not do")
        return await super().write(batch, within_s)

    async def check(self) -> None:
        if self.is_away:
            raise StoreUnavailable("away")


async def test_an_entry_that_the_store_never_takes_does_not_hold_up_the_others() -> None:
    store, spool = PickyStore(), MemorySpool()
    for name in ("before", "poison", "behind"):
        await spool.append(delivery(line(f'@[a.b] {{"x":"{name}"}}'), name))
    replay = Replay(spool, store, KEYS_MAX)
    store.is_away = True
    for _ in range(50):
        assert not await replay.finish(60)
    assert spool.waiting_count == 3
    store.is_away = False
    for _ in range(50):
        await replay.finish(60)
    assert store.records == [{"x": "before"}, {"x": "behind"}]
    (entry,) = [item for batch in store.batches for item in batch.quarantined]
    assert (entry.reason, entry.raw) == (DropReason.SPOOL_REFUSED, line('@[a.b] {"x":"poison"}'))
    assert "this will not do" in entry.detail


async def test_a_discard_that_failed_is_tried_again() -> None:
    store, spool = ToldStore(), MemorySpool()
    await spool.append(delivery(line('@[a.b] {"x":1}')))
    spool.discard_errors = [SpoolUnavailable("read-only")]
    replay = Replay(spool, store, KEYS_MAX)
    assert not await replay.finish(60)
    assert await replay.finish(60)
    assert store.writes == 1
