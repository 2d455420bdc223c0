"""A scan that takes from memory yields what one would that does not, or its slice comes back."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from logdrain.answer.kept.scans import KeptScans
from logdrain.errors import StoreUnavailable
from logdrain.model.catalog import ColumnType, TypeKind
from logdrain.model.late import LATE_SETTLES_S
from logdrain.model.plans import Comparator, Predicate, Scan, ScanColumn, TimeRange
from tests.unit.answer.kept_world import HOUR_S, NUMBER, PAY, TIME, World, numbers, of_batch, scan_of

DAY_S = 24 * HOUR_S
START_S = 1330560000  # 2012-03-01 00:00:00 UTC
LATER_S = START_S + 20 * DAY_S


@pytest.fixture
def world() -> World:
    """Twenty days on, with an event each hour."""
    world = World(LATER_S)
    world.arrive(*range(START_S, START_S + 10 * DAY_S, HOUR_S))
    world.now_s += 60
    return world


def days(first: float, last: float, *columns: ScanColumn) -> Scan:
    """A scan from one day to another."""
    return scan_of(START_S + int(first * DAY_S), START_S + int(last * DAY_S), *columns)


def read_fetching(world: World, kept: KeptScans, scan: Scan) -> int:
    """Read a scan as it should be; returns how many events the store had to send."""
    world.fetched.clear()
    assert numbers(kept, scan) == [event.number for event in world.within(scan.time_range)]
    return len(world.fetched)


def test_windows_that_move_are_read_once(world: World) -> None:
    kept = world.kept()
    fetched = [read_fetching(world, kept, days(day, day + 4)) for day in range(5)]
    assert fetched == [96, 96, 24, 24, 24]  # the first is only remembered


def test_what_no_other_window_shares_is_not_kept(world: World) -> None:
    kept = world.kept()
    for day in range(5):
        assert read_fetching(world, kept, days(day, day + 1)) == 24
        assert kept.size_bytes == 0
    assert [read_fetching(world, kept, days(day, day + 4)) for day in (0, 3, 6)] == [96, 96, 96]
    assert kept.size_bytes == 0


def test_the_same_window_again_is_read_again(world: World) -> None:
    kept = world.kept()
    assert [read_fetching(world, kept, days(0, 4)) for _ in range(3)] == [96, 96, 96]


def test_a_slice_that_is_tried_again_takes_what_is_kept(world: World) -> None:
    kept = world.kept()
    for day in range(3):
        read_fetching(world, kept, days(day, day + 4))
    assert read_fetching(world, kept, days(2, 6)) == 0


def test_windows_may_move_back_or_have_no_beginning(world: World) -> None:
    kept = world.kept()
    assert [read_fetching(world, kept, days(day, day + 4)) for day in (5, 4, 3)] == [96, 96, 24]
    open_ended = [scan_of(None, START_S + day * DAY_S) for day in (5, 6, 7)]
    assert [read_fetching(world, kept, scan) for scan in open_ended] == [120, 144, 24]


def test_a_range_may_leave_64_bits(world: World) -> None:
    kept = world.kept()
    world.batch_rows = 10_000
    world.arrive(world.now_s)
    for end_s in range(world.now_s + 1, world.now_s + 4):
        read_fetching(world, kept, scan_of(-(2**70), end_s))
    assert kept.size_bytes > 0


def test_a_range_without_an_end_is_left_alone(world: World) -> None:
    kept = world.kept()
    for day in range(3):
        read_fetching(world, kept, scan_of(START_S + day * DAY_S, None))
    assert kept.size_bytes == 0


def test_hours_that_have_not_ended_are_read_each_time(world: World) -> None:
    kept = world.kept()
    now_s = world.now_s = LATER_S + HOUR_S + LATE_SETTLES_S - 1  # an hour has just ended: it may get more
    for at in range(LATER_S - 2 * HOUR_S, now_s, HOUR_S // 2):
        world.arrive(at)
    world.noted.clear()
    scans = [scan_of(LATER_S - DAY_S + at, LATER_S + 2 * HOUR_S) for at in range(4)]
    assert [read_fetching(world, kept, scan) for scan in scans] == [7, 7, 3, 3]
    world.now_s += 1
    assert [read_fetching(world, kept, scan) for scan in scans[:3]] == [3, 1, 1]


def test_a_late_event_is_in_the_next_window(world: World) -> None:
    kept = world.kept()
    for day in range(3):
        read_fetching(world, kept, days(day, day + 4))
    world.arrive(START_S + 4 * DAY_S + 1)
    assert read_fetching(world, kept, days(3, 7)) == 24 + 2  # and the hour that it belongs to
    world.now_s += LATE_SETTLES_S // 2 + 1
    assert read_fetching(world, kept, days(4, 8)) == 24 + 2  # which may have got another with the same note
    world.now_s += LATE_SETTLES_S // 2 + 1
    assert read_fetching(world, kept, days(4, 8)) == 2
    assert read_fetching(world, kept, days(4, 8)) == 0


def test_late_events_of_another_table_change_nothing(world: World) -> None:
    kept = world.kept()
    for day in range(3):
        read_fetching(world, kept, days(day, day + 4))
    hour_s = START_S + 4 * DAY_S
    world.arrive(hour_s)
    world.noted = [note._replace(table=PAY._replace(table="login")) for note in world.noted]
    world.events.pop()
    assert read_fetching(world, kept, days(3, 7)) == 24


def test_a_clock_that_goes_back_ends_what_is_kept(world: World) -> None:
    kept = world.kept()
    for day in range(3):
        read_fetching(world, kept, days(day, day + 4))
    world.now_s -= 1
    assert read_fetching(world, kept, days(3, 7)) == 96


@pytest.mark.parametrize(("waits_s", "fetched"), [(30, 24), (31, 96)])
def test_what_is_not_used_is_forgotten(world: World, waits_s: int, fetched: int) -> None:
    kept = world.kept()
    for day in range(3):
        read_fetching(world, kept, days(day, day + 4))
    assert kept.size_bytes > 0
    world.now_s += waits_s
    kept.close_idle()
    assert (kept.size_bytes > 0) == (fetched == 24)
    assert read_fetching(world, kept, days(3, 7)) == fetched


def test_what_is_old_is_read_anew(world: World) -> None:
    kept = world.kept()
    removed = next(event for event in world.events if event.time_s == START_S + 4 * DAY_S)
    for number in range(3):
        assert removed.number in numbers(kept, days(number / 24, 5 + number / 24))
    world.events.remove(removed)  # which nobody notes
    seen = []
    for number in range(3, 30):
        world.now_s += 25
        seen.append(removed.number in numbers(kept, days(number / 24, 5 + number / 24)))
    assert seen == sorted(seen, reverse=True)
    assert not seen[-1]


@pytest.mark.parametrize(
    "other",
    [
        replace(days(2, 6), columns=(NUMBER._replace(type=ColumnType(TypeKind.VARCHAR)),)),
        replace(days(2, 6), predicates=(Predicate(("paid",), Comparator.EQ, (True,)),)),
        replace(days(2, 6), table=PAY._replace(table="login")),
    ],
    ids=["types", "filter", "table"],
)
def test_what_is_kept_is_for_the_same_columns_filter_and_table(world: World, other: Scan) -> None:
    kept = world.kept()
    paid_is_one = (Predicate(("paid",), Comparator.EQ, (1,)),)
    for predicates in ((), paid_is_one):
        for day in range(2):
            list(kept.scan(replace(days(day, day + 4), predicates=predicates)))
    world.fetched.clear()
    stream = kept.scan(other)
    next(iter(stream), None)
    assert stream.bytes_read > 0


def test_counts_say_what_was_yielded_and_what_was_sent(world: World) -> None:
    kept = world.kept()
    for day in range(2):
        list(kept.scan(days(day, day + 4)))
    stream = kept.scan(days(2, 6))
    assert (stream.rows_read, stream.bytes_read) == (0, 0)
    list(stream)
    assert (stream.rows_read, stream.bytes_read) == (96, 2400)
    list(stream)
    assert (stream.rows_read, stream.bytes_read) == (192, 2400)


@pytest.mark.parametrize("columns", [(NUMBER, TIME), (NUMBER, TIME._replace(name="TIME")), (NUMBER,)])
def test_the_columns_are_those_of_the_scan(world: World, columns: tuple[ScanColumn, ...]) -> None:
    kept = world.kept()
    for day in range(3):
        stream = kept.scan(days(day, day + 4, *columns))
        assert stream.schema.names == [column.name for column in columns]
        assert all(batch.schema == stream.schema for batch in stream)


def test_a_scan_without_columns_still_has_its_rows(world: World) -> None:
    kept = world.kept()
    for day in range(3):
        scan = replace(days(day, day + 4), columns=())
        assert sum(batch.num_rows for batch in kept.scan(scan)) == 96


def test_half_a_reading_is_not_kept(world: World) -> None:
    kept = world.kept()
    for day in range(3):
        read_fetching(world, kept, days(day, day + 4))
    batches = iter(kept.scan(days(3, 7)))
    next(batches)
    assert kept.size_bytes > 0
    del batches
    assert kept.size_bytes == 0
    assert read_fetching(world, kept, days(4, 8)) == 96


@pytest.mark.parametrize("asked", ["within", "notes", "store_time"])
def test_what_fails_is_not_kept(world: World, monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    def away(*_: object) -> object:
        raise StoreUnavailable("away")

    kept = world.kept()
    for day in range(3):
        read_fetching(world, kept, days(day, day + 4))
    with monkeypatch.context() as patch:
        patch.setattr(World, asked, away)
        with pytest.raises(StoreUnavailable):
            list(kept.scan(days(3, 7)))
    assert kept.size_bytes == 0
    assert read_fetching(world, kept, days(4, 8)) == 96


def test_two_passes_at_once_do_not_share(world: World) -> None:
    kept = world.kept()
    for day in range(2):
        read_fetching(world, kept, days(day, day + 4))
    first, second = iter(kept.scan(days(2, 6))), iter(kept.scan(days(2, 6)))
    together = [batch for pair in zip(first, second, strict=False) for batch in pair]
    together += [*first, *second]
    found = sorted(number for batch in together for number in of_batch(batch))
    assert found == sorted(event.number for event in world.within(days(2, 6).time_range) for _ in "12")
    assert read_fetching(world, kept, days(3, 7)) == 24


@pytest.mark.parametrize("size_max_bytes", [2000, 2**20])
def test_threads_do_not_disturb_each_other(world: World, size_max_bytes: int) -> None:
    kept = world.kept(size_max_bytes)
    world.batch_rows = 1

    def backfill(columns: tuple[ScanColumn, ...]) -> list[list[int]]:
        return [numbers(kept, days(day, day + 4, *columns)) for day in range(6)]

    expected = [[event.number for event in world.within(days(day, day + 4).time_range)] for day in range(6)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(backfill, [(NUMBER,), (NUMBER,), (NUMBER, TIME), (TIME, NUMBER)]))
    assert found == [expected] * 4
    assert 0 < kept.size_bytes <= size_max_bytes


@pytest.mark.parametrize("size_max_bytes", [1, 200, 600, 1000])
def test_what_there_is_room_for_is_kept(world: World, size_max_bytes: int) -> None:
    kept = world.kept(size_max_bytes)
    fetched = 0
    for day in range(6):
        for _ in kept.scan(days(day, day + 4)):
            assert kept.size_bytes <= size_max_bytes
        fetched = read_fetching(world, kept, days(day, day + 4))
    assert (fetched == 96) == (size_max_bytes == 1)


def test_nothing_is_kept_where_that_is_switched_off(world: World) -> None:
    kept = world.kept(0)
    assert [read_fetching(world, kept, days(day, day + 4)) for day in range(3)] == [96] * 3


def test_an_event_whose_time_is_not_that_of_its_id_keeps_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = world.kept()
    odd = days(0, 4).time_range
    within = World.within
    monkeypatch.setattr(
        World, "within", lambda world, _: within(world, TimeRange(odd.start, START_S + 9 * DAY_S))
    )
    for day in range(3):
        numbers(kept, days(day, day + 4))
    assert kept.size_bytes == 0
