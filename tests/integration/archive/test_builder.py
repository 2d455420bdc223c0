"""A build, and what a kill after each of its steps leaves."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import wraps
from typing import Any

import pytest

from logdrain.archive.planning import Build
from logdrain.errors import ArchiveOvertaken
from logdrain.model.archive import ArchiveHours, ArchiveLease
from logdrain.model.events import Table
from tests.integration.archive.archive_world import PAY, ArchiveWorld, at, hour

NOW = timedelta(0)


class Killed(BaseException):
    """In the place of a kill: nothing catches it."""


class DyingPart:
    """Another object, whose method kills: after it has done its work, or before."""

    def __init__(self, real: Any, method: str, *, after: bool) -> None:
        self._real, self._method, self._after = real, method, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if name == "release":
            return lambda _: None  # a killed process gives nothing back
        return self._dying(found) if name == self._method else found

    def _dying(self, call: Callable[..., object]) -> Callable[..., object]:
        @wraps(call)
        def dying(*arguments: object) -> object:
            if self._after:
                call(*arguments)
            raise Killed

        return dying


def test_a_file_has_the_events_of_its_hours_in_order(world: ArchiveWorld) -> None:
    world.add(at(1.5), 3)
    world.add(at(0.999), 2)
    world.add(at(2), 1)
    facts = world.builder().build(PAY, Build(hour(1)))
    assert facts is not None
    assert facts.rows == 3
    [file] = world.files()
    assert file.content.rows == 3
    assert file.name.startswith("production/pay/day=2026-03-01/01-")
    assert world.archived() == world.stored()[2:5]
    assert world.place.path(file.name).stat().st_size == file.size_bytes == facts.size_bytes


def test_late_events_come_in_when_it_is_built_again(world: ArchiveWorld) -> None:
    world.add(at(1.5), 3)
    world.builder().build(PAY, Build(hour(1)))
    world.add(at(1.2), 2)
    world.builder().build(PAY, Build(hour(1), tuple(world.files())))
    assert world.archived() == world.stored()
    [file] = world.files()
    assert file.content.rows == 5
    assert len(world.manifest.unreferenced(world.place_id, NOW)) == 1


def test_hours_without_events_have_no_file(world: ArchiveWorld) -> None:
    world.add(at(1.5))
    facts = world.builder().build(PAY, Build(hour(2)))
    assert facts is not None
    assert facts.rows == 0
    assert world.files() == []


def test_events_that_were_deleted_in_mongodb_leave_with_the_next_build(world: ArchiveWorld) -> None:
    world.add(at(1.5), 3)
    world.builder().build(PAY, Build(hour(1)))
    world.events[PAY.name].delete_many({})
    world.builder().build(PAY, Build(hour(1), tuple(world.files())))
    assert world.files() == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("part", "method"),
    [
        ("source", "store_time"),
        ("source", "documents"),
        ("file_format", "write"),
        ("place", "prepare"),
        ("manifest", "announce"),
        ("place", "commit"),
        ("manifest", "swap"),
    ],
    ids=str,
)
def test_a_kill_at_any_step_loses_and_doubles_nothing(
    world: ArchiveWorld, part: str, method: str, *, after: bool
) -> None:
    for number in (1, 2):
        world.add(at(number + 0.5), 3)
        world.builder().build(PAY, Build(hour(number)))
    before = world.files()
    day = Build(ArchiveHours(hour(0).begins_s, hour(24).begins_s), tuple(before))
    world.add(at(3.5), 2)
    real = {
        "source": world.source,
        "file_format": world.format,
        "place": world.place,
        "manifest": world.manifest,
    }
    dying = DyingPart(real[part], method, after=after)
    killed = {"manifest": DyingPart(world.manifest, "none", after=False)} | {part: dying}
    with pytest.raises(Killed):
        world.builder(**killed).build(PAY, day)
    is_done = (method, after) == ("swap", True)
    assert len(world.archived()) == (8 if is_done else 6)
    assert world.builder().build(PAY, day) is None  # the dead builder's lease is still there
    end_leases(world)
    if not is_done:
        world.builder().build(PAY, day)
    assert world.archived() == world.stored()
    for file in world.files():
        world.place.verify(file)
    delete_unreferenced(world)
    listed = {str(world.place.path(file.name)) for file in world.files()}
    assert {str(path) for path in world.place.folder.rglob("*.parquet")} == listed


def end_leases(world: ArchiveWorld) -> None:
    with world.ledger.connections.transaction() as transaction:
        transaction.execute("UPDATE logdrain.archive_leases SET ends_at = '-infinity'")


def delete_unreferenced(world: ArchiveWorld) -> None:
    names = world.manifest.unreferenced(world.place_id, NOW)
    for name in names:
        world.place.remove(name, math.inf)
    world.manifest.forget(world.place_id, names)
    world.place.sweep(math.inf)


def test_of_several_builders_on_one_hour_one_does(world: ArchiveWorld) -> None:
    world.add(at(1.5), 50)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(world.builder().build, PAY, Build(hour(1))) for _ in range(4)]
    done = [job.exception() or job.result() for job in jobs]
    assert all(facts is None or isinstance(facts, ArchiveOvertaken | tuple) for facts in done)
    assert world.archived() == world.stored()
    assert len(world.files()) == 1


def test_who_lost_the_lease_while_it_wrote_swaps_nothing(world: ArchiveWorld) -> None:
    world.add(at(1.5), 3)

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.source, name)

        def documents(self, table: Table, hours: ArchiveHours) -> Iterator[bytes]:
            yield from world.source.documents(table, hours)
            end_leases(world)
            world.builder().build(PAY, Build(hour(1)))

    with pytest.raises(ArchiveOvertaken):
        world.builder(source=Slow()).build(PAY, Build(hour(1)))
    assert world.archived() == world.stored()


def test_hours_are_found_newest_first(world: ArchiveWorld) -> None:
    for number, count in ((1, 3), (5, 1), (2000, 2)):
        world.add(at(number + 0.5), count)
    ever = ArchiveHours(0, hour(3000).begins_s)
    assert list(world.source.hours(PAY, ever, 2)) == [
        (hour(2000).begins_s, 2),
        (hour(5).begins_s, 1),
        (hour(1).begins_s, 2),
    ]
    assert list(world.source.hours(PAY, ArchiveHours(hour(2).begins_s, hour(6).begins_s), 9)) == [
        (hour(5).begins_s, 1)
    ]
    assert world.source.count(PAY, ever) == 6
    assert world.source.tables() == [PAY]


def test_a_lease_is_given_back(world: ArchiveWorld) -> None:
    world.add(at(1.5))
    world.builder().build(PAY, Build(hour(1)))
    lease = world.manifest.lease(world.place_id, PAY, hour(1), 60)
    assert isinstance(lease, ArchiveLease)
