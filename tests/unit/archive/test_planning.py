"""What is built when: few files, no hour twice, none forgotten."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logdrain.archive.planning import (
    DAY_S,
    EVENTS_MIN,
    HOUR_S,
    Build,
    WaitingHour,
    builds,
    day_of,
    ended_before_s,
    month_of,
    stem_of,
    uncovered,
)
from logdrain.model.archive import ArchiveFile, ArchiveHours, ContentFacts
from logdrain.model.events import Table

PAY = Table("production", "pay")
JULY = datetime(2026, 7, 1, tzinfo=UTC)
JULY_S = int(JULY.timestamp())
MEBIBYTE = 2**20


def file_of(
    hours: ArchiveHours, *, size_bytes: int = 1000, read: datetime = JULY, key: int = 0
) -> ArchiveFile:
    return ArchiveFile(
        table=PAY,
        hours=hours,
        name=str(hours),
        digest="",
        size_bytes=size_bytes,
        content=ContentFacts(1, bytes(16), bytes(16), ()),
        read_began=read,
        key=key,
        place="here",
        committed_at=read,
    )


def hour(number: int) -> ArchiveHours:
    return ArchiveHours(JULY_S + number * HOUR_S, JULY_S + (number + 1) * HOUR_S)


def waits(number: int, events: int = EVENTS_MIN) -> WaitingHour:
    return WaitingHour(JULY_S + number * HOUR_S, events)


def at(hours: float, seconds: float = 0) -> datetime:
    return JULY + timedelta(hours=hours, seconds=seconds)


def test_an_hour_ends_a_minute_later() -> None:
    assert ended_before_s(at(1, 59)) == JULY_S
    assert ended_before_s(at(1, 60)) == JULY_S + HOUR_S


def test_an_hour_with_many_events_has_a_file() -> None:
    assert builds([], [waits(8), waits(9)], {}, at(10.5)) == [Build(hour(9)), Build(hour(8))]


def test_small_hours_wait_for_their_day() -> None:
    small = [waits(8, 600), waits(9, 600)]
    assert builds([], small, {}, at(23.5)) == []
    assert builds([], small, {}, at(24, 60)) == [Build(day_of(JULY_S))]


def test_sparse_days_wait_for_their_month() -> None:
    sparse = [waits(24 * day, 3) for day in range(31)]
    assert builds([], sparse, {}, at(24 * 30.9)) == []
    assert builds([], sparse, {}, at(24 * 31.1)) == [Build(month_of(JULY_S))]


def test_hours_are_compacted_to_their_day() -> None:
    files = [file_of(hour(8)), file_of(hour(9))]
    assert builds(files, [waits(7, 3)], {}, at(23)) == []
    assert builds(files, [waits(7, 3)], {}, at(25)) == [Build(day_of(JULY_S), tuple(files))]


def test_large_days_stay_as_they_are() -> None:
    files = [file_of(hour(8), size_bytes=600 * MEBIBYTE)]
    assert builds(files, [], {}, at(25)) == []
    assert builds(files, [waits(7, 3)], {}, at(25)) == [Build(hour(7))]


def test_days_are_compacted_to_a_month_where_they_are_small() -> None:
    days = [file_of(day_of(JULY_S + number * DAY_S), size_bytes=MEBIBYTE) for number in (0, 5)]
    assert builds(days, [], {}, at(24 * 32)) == [Build(month_of(JULY_S), tuple(days))]
    large = [file_of(file.hours, size_bytes=50 * MEBIBYTE) for file in days]
    assert builds(large, [], {}, at(24 * 32)) == []
    third = day_of(JULY_S + 2 * DAY_S)
    assert builds(large, [WaitingHour(third.begins_s, 3)], {}, at(24 * 32)) == [Build(third)]


@pytest.mark.parametrize(
    ("noted", "is_built"),
    [(at(2), False), (at(3, -31), False), (at(3, -29), True), (at(5), True), (at(6, -29), False)],
    ids=["older", "settled-before", "meanwhile", "later", "not-settled"],
)
def test_late_events_have_their_hour_built_again(noted: datetime, is_built: bool) -> None:  # noqa: FBT001  # a parameter
    file = file_of(hour(1), read=at(3))
    expected = [Build(hour(1), (file,))] if is_built else []
    assert builds([file], [], {hour(1).begins_s: noted, hour(2).begins_s: at(5)}, at(6)) == expected


def test_a_wide_file_is_rewritten_once_a_day() -> None:
    file = file_of(day_of(JULY_S), read=at(25))
    notes = {hour(9).begins_s: at(30)}
    assert builds([file], [], notes, at(48)) == []
    assert builds([file], [], notes, at(49)) == [Build(file.hours, (file,))]


def test_gaps_are_between_files_newest_first() -> None:
    files = [file_of(hour(1)), file_of(hour(2)), file_of(hour(4))]
    until_s = hour(6).begins_s
    assert uncovered(files, until_s) == [
        ArchiveHours(hour(5).begins_s, until_s),
        hour(3),
        ArchiveHours(0, hour(1).begins_s),
    ]
    assert uncovered([], 0) == []
    assert uncovered(files, hour(4).begins_s) == [hour(3), ArchiveHours(0, hour(1).begins_s)]


def test_months() -> None:
    december = int(datetime(2026, 12, 31, 23, tzinfo=UTC).timestamp())
    assert month_of(december).ends_s == int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())


def test_where_a_file_belongs() -> None:
    assert stem_of("a.b", hour(9)) == "a/b/day=2026-07-01/09"
    assert stem_of("a.b", day_of(JULY_S)) == "a/b/day=2026-07-01/day"
    assert stem_of("a.b", month_of(JULY_S)) == "a/b/day=2026-07-01/month"


@settings(max_examples=50)
@given(
    events=st.dictionaries(st.integers(0, 24 * 70), st.sampled_from([1, 3, 400, EVENTS_MIN, 10**6])),
    rounds=st.lists(st.integers(1, 24 * 30), max_size=6),
)
def test_all_ended_months_are_covered_once_and_work_ends(events: dict[int, int], rounds: list[int]) -> None:
    files: dict[ArchiveHours, ArchiveFile] = {}
    now = JULY
    for pause in [*rounds, 24 * 70]:
        now += timedelta(hours=pause)
        for _ in range(5):
            current = sorted(files.values(), key=lambda file: file.hours)
            until_s = ended_before_s(now)
            gaps = uncovered(current, until_s)
            open_hours = [
                waits(number, min(count, EVENTS_MIN))
                for number, count in events.items()
                if any(gap.begins_s <= hour(number).begins_s < gap.ends_s for gap in gaps)
            ]
            todo = builds(current, open_hours, {}, now)
            for build in todo:
                assert build.hours.ends_s <= until_s
                for old in build.old:
                    del files[old.hours]
                rows = sum(
                    n
                    for at_, n in events.items()
                    if build.hours.begins_s <= hour(at_).begins_s < build.hours.ends_s
                )
                files[build.hours] = file_of(build.hours, size_bytes=rows * 40, read=now)
            ordered = sorted(files)
            assert all(one.ends_s <= other.begins_s for one, other in pairwise(ordered))
            if not todo:
                break
        else:
            pytest.fail("work does not end")
    this_month = month_of(ended_before_s(now))
    for number in events:
        begins_s = hour(number).begins_s
        if begins_s < this_month.begins_s:
            assert len([file for file in files if file.begins_s <= begins_s < file.ends_s]) == 1
