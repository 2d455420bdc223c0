import asyncio
from typing import Any

import pytest
from pymongo.errors import AutoReconnect, CollectionInvalid, OperationFailure

from logdrain.events.write import near_misses
from logdrain.events.write.near_misses import NearMissWriter
from logdrain.model.events import NEAR_MISSES_KEPT, NearMiss, NearMissReason, Origin
from tests.contract.stored_batches import SetClock

ORIGIN = Origin("shop", "app", "web.1", "")


def near_miss(number: int) -> NearMiss:
    return NearMiss(number.to_bytes(16), NearMissReason.BAD_FORM, "why", None, ORIGIN, b"%d" % number)


class Database:
    """Notes what is written; raises its `errors` first."""

    def __init__(self) -> None:
        self.writes: list[list[bytes]] = []
        self.errors: list[Exception] = []
        self.was_written = asyncio.Event()

    def __getitem__(self, name: str) -> "Database":
        return self

    async def create_collection(self, *_: object, **__: object) -> None:
        if self.errors:
            raise self.errors.pop(0)

    async def insert_many(self, documents: list[dict[str, Any]], *, ordered: bool) -> None:
        assert not ordered
        self.writes.append([document["raw"] for document in documents])
        self.was_written.set()


async def test_the_first_is_written_at_once_and_all_that_follow_together() -> None:
    database: Any = Database()
    writer = NearMissWriter(database, SetClock())
    writer.note([near_miss(0)])
    await database.was_written.wait()
    for number in range(1, NEAR_MISSES_KEPT + 3):
        writer.note([near_miss(number)])
        await asyncio.sleep(0)
    assert database.writes == [[b"0"]]
    await writer.finish()
    assert database.writes[1:] == [[b"%d" % number for number in range(3, NEAR_MISSES_KEPT + 3)]]


async def test_it_goes_on_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_misses, "_WRITE_EVERY_S", 0)
    database: Any = Database()
    writer = NearMissWriter(database, SetClock())
    for number in range(2):
        database.was_written.clear()
        writer.note([near_miss(number)])
        await database.was_written.wait()
    assert database.writes == [[b"0"], [b"1"]]


async def test_nothing_is_written_where_nothing_came() -> None:
    database: Any = Database()
    writer = NearMissWriter(database, SetClock())
    writer.note([])
    await writer.finish()
    assert database.writes == []


@pytest.mark.parametrize("error", [CollectionInvalid("is there"), OperationFailure("is there", 48)])
async def test_a_collection_that_is_there_is_used(error: Exception) -> None:
    database: Any = Database()
    database.errors = [error]
    writer = NearMissWriter(database, SetClock())
    writer.note([near_miss(0)])
    await writer.finish()
    assert database.writes == [[b"0"]]


@pytest.mark.parametrize("error", [AutoReconnect("away"), OperationFailure("no rights", 13)])
async def test_what_mongodb_does_not_take_is_said_and_let_go(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    database: Any = Database()
    database.errors = [error]
    writer = NearMissWriter(database, SetClock())
    writer.note([near_miss(0)])
    await writer.finish()
    assert "event=near_misses_not_kept" in capsys.readouterr().err
    writer.note([near_miss(1)])
    await writer.finish()
    assert database.writes == [[b"1"]]
