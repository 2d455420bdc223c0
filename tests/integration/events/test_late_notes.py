from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
import pytest

from logdrain.errors import StoreUnavailable
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.read.late_notes import MongoLateNotes
from logdrain.events.write.late_writer import MongoLateWriter
from logdrain.model.events import Table
from logdrain.model.late import LateNote

NOW = datetime(2012, 3, 1, 1, tzinfo=UTC)
HOUR = int(NOW.timestamp()) // 3600


async def fixed_now() -> datetime:
    return NOW


@pytest.fixture(params=["pymongo", "motor"])
async def writer(request: pytest.FixtureRequest, mongodb_uri: str) -> AsyncIterator[MongoLateWriter]:
    client = open_async(mongodb_uri, driver=request.param, timeout_s=10)
    writer = MongoLateWriter(client[database_name(mongodb_uri)], fixed_now)
    await writer.prepare()
    yield writer
    await close_async(client)


@pytest.fixture
def notes(mongodb_uri: str) -> Iterator[MongoLateNotes]:
    opened = MongoLateNotes(mongodb_uri)
    yield opened
    opened.close()


async def test_notes_are_dated_by_mongodb_and_read_from_a_time_on(
    writer: MongoLateWriter, notes: MongoLateNotes
) -> None:
    before = notes.store_time()
    await writer.note_before({("a.b", HOUR - 1)})
    [first] = notes.notes(before)
    assert first == LateNote(Table("a", "b"), (HOUR - 1) * 3600, first.noted_at)
    assert before <= first.noted_at <= notes.store_time()
    assert notes.notes(first.noted_at) == [first]
    assert notes.notes(first.noted_at + timedelta(milliseconds=1)) == []


async def test_an_hour_has_one_note_which_is_dated_anew(
    writer: MongoLateWriter, notes: MongoLateNotes, mongodb_uri: str
) -> None:
    await writer.note_before({("a.b", HOUR - 1)})
    [first] = notes.notes(NOW)
    client = open_async(mongodb_uri, driver="pymongo", timeout_s=10)
    while notes.store_time() == first.noted_at:
        pass
    await MongoLateWriter(client[database_name(mongodb_uri)], fixed_now).note_before({("a.b", HOUR - 1)})
    await close_async(client)
    [second] = notes.notes(NOW)
    assert second.noted_at > first.noted_at


async def test_a_backfill_of_many_hours_is_noted_whole(
    writer: MongoLateWriter, notes: MongoLateNotes
) -> None:
    hours = {("a.b", HOUR - back) for back in range(1, 2001)}
    await writer.note_before(hours)
    assert {(note.table.name, note.hour_s // 3600) for note in notes.notes(NOW)} == hours


async def test_notes_are_forgotten_after_forty_days(writer: MongoLateWriter, mongodb_uri: str) -> None:
    await writer.note_before({("a.b", HOUR - 1)})
    with pymongo.MongoClient[dict[str, Any]](mongodb_uri) as client:
        indexes = client.get_default_database()["_late"].index_information()
    assert indexes["noted_at_1"]["expireAfterSeconds"] == 40 * 86_400


@pytest.mark.usefixtures("cancelled_connects")
def test_without_mongodb_the_error_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logdrain.events.read.late_notes._TIMEOUT_MS", 200)
    notes = MongoLateNotes("mongodb://127.0.0.1:1/x")
    for ask in (notes.store_time, lambda: notes.notes(NOW)):
        with pytest.raises(StoreUnavailable):
            ask()
    notes.close()
