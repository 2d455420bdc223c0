from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.errors import ScheduleError, TimeInvalid, ZoneInvalid
from logdrain.jobs.cron import instants_from, parse
from logdrain.jobs.option_values import check_schedule_name, duration_s, read_priority, read_time


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1330560000", "2012-03-01T00:00:00Z"),
        ("0", "1970-01-01T00:00:00Z"),
        ("2012-03-01", "2012-03-01T00:00:00Z"),
        ("2012-03-01 09:30", "2012-03-01T09:30:00Z"),
        (" 2012-03-01 00:00:01 ", "2012-03-01T00:00:01Z"),
        ("2012-03-01T00:00:00Z", "2012-03-01T00:00:00Z"),
        ("2012-03-01T00:00:00.250Z", "2012-03-01T00:00:00.250Z"),
        ("2012-03-01T09:00:00+09:00", "2012-03-01T00:00:00Z"),
        ("2012-03-01 09:00:00 +0900", "2012-03-01T00:00:00Z"),
        ("2012-02-29 16:00:00-08:00", "2012-03-01T00:00:00Z"),
        ("2012-03-01 00:00:00 UTC", "2012-03-01T00:00:00Z"),
        ("2012-03-01 00:00:00 Asia/Tokyo", "2012-02-29T15:00:00Z"),
        ("2012-03-01 Asia/Tokyo", "2012-02-29T15:00:00Z"),
    ],
)
def test_times_as_people_type_them(text: str, expected: str) -> None:
    assert read_time(text) == datetime.fromisoformat(expected)
    assert read_time(text).tzinfo is UTC


def test_the_default_zone_holds_where_none_is_written() -> None:
    assert read_time("2012-03-01", "Asia/Tokyo") == datetime(2012, 2, 29, 15, tzinfo=UTC)
    assert read_time("2012-03-01Z", "Asia/Tokyo") == datetime(2012, 3, 1, tzinfo=UTC)


def test_a_repeated_time_is_its_first_and_a_skipped_one_has_the_offset_before() -> None:
    repeated = read_time("2015-11-01 01:00:00", "America/Los_Angeles")
    assert repeated == datetime.fromisoformat("2015-11-01T01:00:00-07:00")
    skipped = read_time("2015-03-08 02:30:00", "America/Los_Angeles")
    assert skipped == datetime.fromisoformat("2015-03-08T03:30:00-07:00")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "20120301",
        "2012-3-1",
        "2012-13-01",
        "2012-02-30",
        "2012-03-01 24:30",
        "2012-03-01 00:00:00 JST",
        "2012-03-01T00:00:00+99:00",
        "1330560000000",  # milliseconds
        "99999999999999999999",
        "2012-03-01; DROP TABLE x",
    ],
)
def test_anything_else_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(TimeInvalid) as caught:
        read_time(text)
    assert caught.value.hint


def test_a_wrong_default_zone_is_named_as_such() -> None:
    with pytest.raises(ZoneInvalid, match="Asia/Tokyo"):
        read_time("2012-03-01", "JST")


@given(st.integers(-(10**10), 10**11))
def test_unix_seconds_come_back(seconds: int) -> None:
    try:
        assert read_time(str(seconds)).timestamp() == seconds
    except TimeInvalid:
        assert 19000000 <= seconds < 21000000


def test_instants_begin_with_the_start_if_it_is_one() -> None:
    start = datetime(2012, 3, 1, tzinfo=UTC)
    hourly = parse("@hourly", "UTC")
    assert instants_from(hourly, start, 2) == [start, start.replace(hour=1)]
    assert instants_from(hourly, start.replace(microsecond=1), 1) == [start.replace(hour=1)]
    assert instants_from(parse("", "UTC"), start, 2) == []


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("600", 600),
        ("0", 0),
        ("10m", 600),
        ("1h30m", 5400),
        ("24h", 86_400),
        ("1d12h1m1s", 129_661),
        ("", None),
        ("10 m", None),
        ("-1h", None),
        ("1.5h", None),
        ("m", None),
        ("30m1h", None),
        ("٣", None),
    ],
)
def test_durations(text: str, seconds: int | None) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    ("value", "priority"),
    [
        ("very-low", -2),
        ("VERY HIGH", 2),
        ("normal", 0),
        ("-1", -1),
        (1, 1),
        (3, None),
        ("3", None),
        (True, None),
        (1.0, None),
        ("urgent", None),
    ],
)
def test_priorities(value: object, priority: int | None) -> None:
    assert read_priority(value) == priority


@pytest.mark.parametrize("name", ["pay_hourly", "pay-2.hourly", "7", "\u58f2\u4e0a", "a" * 100])
def test_names(name: str) -> None:
    check_schedule_name(name)


@pytest.mark.parametrize("name", ["", " ", "bad name!", "a,b", "-n", ".a", "a:b", "a/b", "a\n", "a" * 101])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(ScheduleError, match="is no name of a schedule"):
        check_schedule_name(name)
