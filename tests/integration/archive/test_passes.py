"""Passes over all tables, on real servers."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from logdrain.archive.passes import ArchivePasses, PassFacts
from logdrain.archive.planning import EVENTS_MIN, month_of
from logdrain.errors import ArchiveUnavailable
from logdrain.model.events import Table
from logdrain.model.late import LateNote
from tests.integration.archive.archive_world import MONTH_S, PAY, ArchiveWorld, at, hour


class Clock:
    """MongoDB's source, at another time; and the late notes that it has."""

    def __init__(self, world: ArchiveWorld, now: datetime) -> None:
        self._source = world.source
        self.now = now
        self.late: list[LateNote] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._source, name)

    def store_time(self) -> datetime:
        return self.now

    def notes(self, since: datetime) -> list[LateNote]:
        return [note for note in self.late if note.noted_at >= since]


def passes_of(world: ArchiveWorld, clock: Clock) -> ArchivePasses:
    return ArchivePasses(
        clock,
        clock,
        world.manifest,
        world.place,
        lambda _: world.builder(source=clock),
        machine="machine",
    )


def settle(passes: ArchivePasses) -> int:
    """Pass until there is nothing to do; how many files were built."""
    total = 0
    for _ in range(6):
        facts = passes.round()
        assert facts.waiting == 0
        total += facts.built
        if not facts.built:
            return total
    pytest.fail("passes do not end")


def test_a_day_goes_by(world: ArchiveWorld) -> None:
    world.add(at(8.5), EVENTS_MIN)
    world.add(at(9.5), 5)
    world.add(at(10.2), EVENTS_MIN)
    clock = Clock(world, at(10.5))
    passes = passes_of(world, clock)
    assert settle(passes) == 1
    assert [file.hours for file in world.files()] == [hour(8)]
    clock.now = at(11.1)
    assert settle(passes) == 1
    clock.now = at(24.1)
    assert settle(passes) == 1
    [day] = world.files()
    assert day.content.rows == 2 * EVENTS_MIN + 5
    assert world.archived() == world.stored()


def test_late_events_join_their_hour_when_they_have_settled(world: ArchiveWorld) -> None:
    world.add(at(8.5), EVENTS_MIN)
    clock = Clock(world, at(9.5))
    passes = passes_of(world, clock)
    settle(passes)
    world.add(at(8.7), 3)
    clock.late.append(LateNote(PAY, hour(8).begins_s, at(9.6)))
    clock.now = at(9.6) + timedelta(seconds=5)
    assert settle(passes) == 0
    clock.now = at(9.6) + timedelta(seconds=31)
    assert settle(passes) == 1
    assert world.archived() == world.stored()
    assert settle(passes) == 0
    assert settle(passes_of(world, clock)) == 0  # another worker finds the same


def test_ten_tables_of_three_events_a_day_have_a_file_a_month(world: ArchiveWorld) -> None:
    tables = [Table("sparse", f"t{number}") for number in range(10)]
    for table in tables:
        for day in range(20):
            world.add(at(24 * day + 5), 3, table)
    clock = Clock(world, at(24 * 25))
    passes = passes_of(world, clock)
    assert settle(passes) == 0
    clock.now = at(24 * 32)
    assert settle(passes) == 10
    assert [file.hours for table in tables for file in world.files(table)] == [month_of(MONTH_S)] * 10


def test_a_new_hour_ends_a_pass_early(world: ArchiveWorld) -> None:
    for number in (1, 2, 3):
        world.add(at(number + 0.5), EVENTS_MIN)

    class Ticking(Clock):
        def store_time(self) -> datetime:
            self.now += timedelta(minutes=20)
            return self.now

    passes = passes_of(world, Ticking(world, at(3.7)))
    assert passes.round() == PassFacts(built=1, waiting=2)
    assert [file.hours for file in world.files()] == [hour(3)]  # the newest comes first
    [place] = world.manifest.places()
    assert place.waiting == 2
    assert place.behind_s > 0


def test_replaced_files_stay_a_day(world: ArchiveWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    world.add(at(8.5), EVENTS_MIN)
    clock = Clock(world, at(9.5))
    settle(passes_of(world, clock))
    clock.now = at(24.5)
    settle(passes_of(world, clock))
    assert len(list(world.place.folder.rglob("*.parquet"))) == 2
    monkeypatch.setattr("logdrain.archive.passes.REPLACED_KEPT", timedelta(days=-20_000))
    settle(passes_of(world, clock))
    [path] = world.place.folder.rglob("*.parquet")
    assert path == world.place.path(world.files()[0].name)


def test_a_folder_that_went_away_is_not_filled_anew(world: ArchiveWorld) -> None:
    world.add(at(8.5), EVENTS_MIN)
    passes = passes_of(world, Clock(world, at(9.5)))
    settle(passes)
    shutil.rmtree(world.place.folder)
    world.place.folder.mkdir()  # a mount point without its disk
    with pytest.raises(ArchiveUnavailable, match="is gone") as caught:
        passes.round()
    passes.note_failure(caught.value.message)
    [place] = world.manifest.places()
    assert (place.failed, place.failure) == (1, caught.value.message)
    assert list(world.place.folder.iterdir()) == []


def test_one_odd_table_does_not_hold_up_the_others(world: ArchiveWorld) -> None:
    play = Table("production", "play")
    for table in (PAY, play):
        world.add(at(8.5), EVENTS_MIN, table)

    class OddFormat:
        def write(self, documents: Any, path: Any) -> Any:
            octets = list(documents)
            if len(octets) == EVENTS_MIN:
                raise ValueError("a defect")
            return world.format.write(octets, path)

    world.add(at(8.6), 1, play)
    clock = Clock(world, at(9.5))
    passes = ArchivePasses(
        clock,
        clock,
        world.manifest,
        world.place,
        lambda _: world.builder(file_format=OddFormat()),
        machine="machine",
    )
    assert passes.round() == PassFacts(built=1, waiting=1)
    assert world.files(PAY) == []
    assert len(world.files(play)) == 1
    assert world.manifest.places()[0].failed == 1


@pytest.mark.parametrize("seed", range(2))
def test_a_random_history_is_archived_once(world: ArchiveWorld, seed: int) -> None:
    draw = random.Random(seed)  # noqa: S311  # drawn to be repeated
    clock = Clock(world, at(0))
    passes = passes_of(world, clock)
    for _ in range(8):
        for _ in range(4):
            time = at(draw.uniform(0, 24 * 40))
            world.add(time, draw.choice([1, 7, EVENTS_MIN]))
            clock.late.append(LateNote(PAY, int(time.timestamp()) // 3600 * 3600, clock.now))
        clock.now += timedelta(hours=draw.choice([1, 24, 24 * 9]))
        settle(passes)
    clock.now = datetime(2026, 7, 1, tzinfo=UTC)
    settle(passes)
    assert world.archived() == world.stored()
