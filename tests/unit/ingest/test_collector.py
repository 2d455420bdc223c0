import asyncio
import gc

import pytest

from logdrain.ingest import collector
from logdrain.ingest.collector import CollectorRest
from logdrain.ingest.parse import Content, content_of
from logdrain.model.events import Delivery, Origin, Split
from logdrain.model.spool import Spooled

MESSAGE = b'<190>1 2012-03-01T00:12:34+00:00 host app web.1 - @[a.b] {"x":1}\n'
LARGE = b"%d %s" % (len(MESSAGE), MESSAGE) * 5_000


async def until_it_works_again() -> None:
    async with asyncio.timeout(10):
        while not gc.isenabled():  # noqa: ASYNC110  # nothing tells
            await asyncio.sleep(0)


async def no_splits(_origins: object, _by: object) -> list[Split]:
    return []


async def read_large(name: str) -> Content:
    return await content_of(Spooled(Delivery("shop", name, "", None), LARGE, ""), no_splits)


async def test_the_collector_rests_as_long_as_somebody_has_a_large_batch() -> None:
    content = await read_large("one")
    assert not gc.isenabled()
    batch = content.batch
    del content
    assert not gc.isenabled()
    events = batch.events
    assert len(events) == 5_000
    del batch
    await until_it_works_again()
    assert events == []


async def test_what_is_gathered_keeps_its_events_when_the_parts_are_gone() -> None:
    gathered = Content()
    for name in ("one", "two", "three"):
        gathered.add(await read_large(name))
    assert len(gathered.batch.events) == 15_000
    assert not gc.isenabled()
    events = gathered.batch.events
    del gathered
    await until_it_works_again()
    assert events == []


async def test_of_small_deliveries_the_collector_knows_nothing() -> None:
    spooled = Spooled(Delivery("shop", "one", "", None), b"%d %s" % (len(MESSAGE), MESSAGE), "")
    content = await content_of(spooled, no_splits)
    assert gc.isenabled()
    assert content.batch.events[0].origin == Origin("shop", "app", "web.1", "")


def test_deliveries_without_end_do_not_keep_it_from_its_work(monkeypatch: pytest.MonkeyPatch) -> None:
    first = CollectorRest()
    monkeypatch.setattr(collector, "_REST_MAX_S", -1.0)
    second = CollectorRest()
    assert gc.isenabled()
    del first, second
    assert gc.isenabled()
