from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from logdrain.query.values.td_calendar import Unit, boundary, local_time, minute_of, shifted, start_of
from logdrain.query.values.td_time import unix_time

TOKYO = ZoneInfo("Asia/Tokyo")
HAVANA = ZoneInfo("America/Havana")  # goes back from 01:00 to 00:00
SAO_PAULO = ZoneInfo("America/Sao_Paulo")  # went forward from 00:00 to 01:00

ZONES = st.sampled_from(
    [UTC, TOKYO, HAVANA, SAO_PAULO, *map(ZoneInfo, ("America/Los_Angeles", "Asia/Kolkata"))]
)
UNITS = st.sampled_from(Unit)
SECONDS = st.integers(0, 4_000_000_000)


def at(text: str, zone: tzinfo = UTC) -> int:
    seconds = unix_time(text, zone)
    assert seconds is not None
    return seconds


@pytest.mark.parametrize(
    ("unit", "start"),
    [
        (Unit.SECOND, "2019-12-12 09:30:13"),
        (Unit.MINUTE, "2019-12-12 09:30:00"),
        (Unit.HOUR, "2019-12-12 09:00:00"),
        (Unit.DAY, "2019-12-12"),
        (Unit.WEEK, "2019-12-09"),
        (Unit.MONTH, "2019-12-01"),
        (Unit.QUARTER, "2019-10-01"),
        (Unit.YEAR, "2019-01-01"),
    ],
)
def test_where_units_begin(unit: Unit, start: str) -> None:
    assert start_of(unit, 1576110613, TOKYO) == at(start, TOKYO)


def test_a_day_with_two_midnights_begins_at_the_first() -> None:
    first, second = at("2022-11-06 04:00:00"), at("2022-11-06 05:00:00")
    assert start_of(Unit.DAY, second + 60, HAVANA) == first
    assert start_of(Unit.HOUR, second + 60, HAVANA) == second  # but these are two hours


def test_a_day_without_midnight_begins_when_the_clock_has_moved() -> None:
    assert start_of(Unit.DAY, at("2018-11-04 12:00:00"), SAO_PAULO) == at("2018-11-04 03:00:00")


@given(UNITS, SECONDS, ZONES)
def test_a_start_is_its_own_start_and_not_later(unit: Unit, seconds: int, zone: tzinfo) -> None:
    start = start_of(unit, seconds, zone)
    assert start <= seconds
    assert start_of(unit, start, zone) == start


@given(UNITS, SECONDS, ZONES)
@example(Unit.DAY, 41403600, ZoneInfo("America/Havana"))  # its midnight is skipped
def test_a_unit_ends_where_the_next_begins(unit: Unit, seconds: int, zone: tzinfo) -> None:
    start = start_of(unit, seconds, zone)
    end = boundary(unit, seconds, 1, zone)
    assert seconds < end
    assert start_of(unit, end - 1, zone) == start
    assert start_of(unit, end, zone) == end


@pytest.mark.parametrize(
    ("text", "count", "unit", "later"),
    [
        ("2020-01-31 10:00:00", 1, Unit.MONTH, "2020-02-29 10:00:00"),
        ("2020-02-29", -1, Unit.YEAR, "2019-02-28"),
        ("2020-01-01", -1, Unit.QUARTER, "2019-10-01"),
        ("2020-12-31", 2, Unit.MONTH, "2021-02-28"),
        ("2020-01-01", 2, Unit.WEEK, "2020-01-15"),
    ],
)
def test_shifts(text: str, count: int, unit: Unit, later: str) -> None:
    assert shifted(at(text), count, unit, UTC) == at(later)


ALL_ZONES = sorted(available_timezones())


@given(st.sampled_from(ALL_ZONES), SECONDS)
def test_offsets_change_at_whole_minutes(name: str, seconds: int) -> None:
    zone = ZoneInfo(name)
    offset = local_time(seconds, zone).utcoffset()
    assert offset == local_time(minute_of(seconds), zone).utcoffset()
    if seconds >= at("1973-01-01"):
        assert offset is not None
        assert offset % timedelta(minutes=1) == timedelta(0)


def test_before_1973_seconds_count() -> None:
    monrovia = ZoneInfo("Africa/Monrovia")  # 44:30 behind until 1972
    assert start_of(Unit.DAY, at("1971-05-01 00:44:30"), monrovia) == at("1971-05-01 00:44:30")
    assert start_of(Unit.DAY, at("1971-05-01 00:44:29"), monrovia) == at("1971-04-30 00:44:30")


@pytest.mark.parametrize("seconds", [2**62, -(2**62), 253402300800])
def test_beyond_the_calendar(seconds: int) -> None:
    with pytest.raises(OverflowError):
        local_time(seconds, UTC)
    with pytest.raises(OverflowError):
        shifted(at("9999-12-01"), 1, Unit.YEAR, UTC)


def test_local_times_are_aware() -> None:
    assert local_time(0, TOKYO) == datetime(1970, 1, 1, 9, tzinfo=TOKYO)
