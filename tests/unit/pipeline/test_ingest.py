import asyncio
from collections.abc import Sequence

import pytest

from logdrain.errors import StoreUnavailable
from logdrain.model.events import Batch, Delivery, Origin, Split, Stored
from logdrain.pipeline.ingest import ingest

DELIVERY = Delivery("shop", "one", "", None)
TIME = "2012-03-01T00:12:34.567890+00:00"


def line(text: str) -> bytes:
    message = f"<190>1 {TIME} host app web.1 - {text}\n".encode()
    return b"%d %s" % (len(message), message)


class SlowStore:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.may_find = asyncio.Event()
        self.may_write = asyncio.Event()
        self.batches: list[Batch] = []

    async def write(self, batch: Batch) -> Stored:
        await self.may_write.wait()
        self.batches.append(batch)
        return Stored(events=len(batch.events))

    async def waiting_splits(self, _origins: Sequence[Origin], _by: Sequence[str]) -> list[Split]:
        await self.may_find.wait()
        return []

    async def expire_splits(self, older_than_ms: int) -> int:
        raise NotImplementedError

    async def check(self) -> None:
        raise NotImplementedError


async def test_a_delivery_is_stored_before_it_is_answered() -> None:
    store = SlowStore()
    task = asyncio.create_task(ingest(line('@[a.b] {"x":1}'), DELIVERY, store, within_s=60))
    await asyncio.sleep(0)
    assert not task.done()
    store.may_write.set()
    assert (await task).stored.events == 1
    assert [event.record for event in store.batches[0].events] == [{"x": 1}]


@pytest.mark.parametrize("text", ['@[a.b] {"x":1}', 'may be the rest of a line"}'])
async def test_a_store_that_hangs_is_given_up_in_time(text: str) -> None:
    with pytest.raises(StoreUnavailable, match=r"within 0\.01 s"):
        await ingest(line(text), DELIVERY, SlowStore(), within_s=0.01)


async def test_nothing_to_store_asks_nobody() -> None:
    done = await ingest(line("plain"), DELIVERY, SlowStore(), within_s=0.01)
    assert (done.frames, done.stored) == (1, Stored())


async def test_a_large_body_is_read_beside_the_event_loop() -> None:
    store = SlowStore()
    store.may_write.set()
    body = line('@[a.b] {"text":"' + "x" * 1000 + '"}') * 400
    done = await ingest(body, DELIVERY, store, within_s=60)
    assert done.stored.events == 400
