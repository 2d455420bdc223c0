from datetime import UTC, datetime, timedelta
from typing import Any

from logdrain.events.write.late_writer import MongoClock, MongoLateWriter

START = datetime(2012, 3, 1, 1, 30, tzinfo=UTC)
HOUR = int(START.timestamp()) // 3600


class SetClock:
    def __init__(self) -> None:
        self.time = START

    async def now(self) -> datetime:
        return self.time

    def pass_s(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Notes:
    """A database whose collection remembers how many notes each write had."""

    def __init__(self) -> None:
        self.written: list[int] = []

    def get_collection(self, _name: str, **_options: object) -> "Notes":
        return self

    async def bulk_write(self, requests: list[Any], *, ordered: bool) -> None:
        assert not ordered
        self.written.append(len(requests))


def noting() -> tuple[Notes, SetClock, MongoLateWriter]:
    notes: Any = Notes()
    clock = SetClock()
    return notes, clock, MongoLateWriter(notes, clock.now)


async def test_only_hours_that_have_ended_are_noted() -> None:
    notes, _, writer = noting()
    await writer.note_before({("a.b", HOUR), ("a.b", HOUR + 1)})
    assert notes.written == []
    await writer.note_before({("a.b", HOUR - 1), ("a.c", HOUR - 1), ("a.b", HOUR)})
    assert notes.written == [2]


async def test_a_note_is_repeated_after_five_seconds_and_after_a_step_of_the_clock() -> None:
    notes, clock, writer = noting()
    late = {("a.b", HOUR - 1)}
    for seconds, count in ((0, 1), (4.9, 1), (0.1, 2), (-60, 3)):
        clock.pass_s(seconds)
        await writer.note_before(late)
        assert len(notes.written) == count


async def test_an_insert_that_outlasts_its_note_is_noted_again() -> None:
    notes, clock, writer = noting()
    late = {("a.b", HOUR - 1)}
    await writer.note_before(late)
    clock.pass_s(19)
    await writer.note_after(late)
    assert notes.written == [1]
    clock.pass_s(1)
    await writer.note_after(late)
    assert notes.written == [1, 1]


async def test_an_insert_that_outlasts_its_hour_is_noted() -> None:
    notes, clock, writer = noting()
    await writer.note_before({("a.b", HOUR)})
    clock.pass_s(1800)
    await writer.note_after({("a.b", HOUR)})
    assert notes.written == [1]


class Server:
    """Counts how often it is asked for its time, which the driver reads without a zone."""

    def __init__(self) -> None:
        self.time = START
        self.asked = 0

    async def command(self, _name: str) -> dict[str, datetime]:
        self.asked += 1
        return {"localTime": self.time.replace(tzinfo=None)}


async def test_the_server_is_asked_now_and_then_and_time_goes_on_between() -> None:
    server: Any = Server()
    elapsed_s = 1000.0
    clock = MongoClock(server, lambda: elapsed_s)
    assert await clock.now() == START
    elapsed_s += 9.5
    assert (await clock.now(), server.asked) == (START + timedelta(seconds=9.5), 1)
    elapsed_s += 0.5
    server.time = START + timedelta(hours=1)  # it has stepped
    assert (await clock.now(), server.asked) == (START + timedelta(hours=1), 2)
