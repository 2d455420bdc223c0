from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.query.values.td_time import duration_s, find_zone, unix_time

BASE_S = 1576110613  # 2019-12-12 09:30:13 in Japan
LOS_ANGELES = ZoneInfo("America/Los_Angeles")
UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1d", 86_400),
        ("-2d", -172_800),
        ("1d12h30m", 1576242013 - BASE_S),
        ("-1h30m", -5_400),
        ("2w", 1_209_600),
        ("90s", 90),
        ("0d", 0),
        ("1d1d", 172_800),
    ],
)
def test_durations(text: str, seconds: int) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "-", "1", "d", "1M", "1y", "1 d", "+1d", "1d-2h", "--1d", "1.5h", "1d ", "\u0661d"]
)
def test_what_is_no_duration(text: str) -> None:
    assert duration_s(text) is None


@given(st.booleans(), st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from("wdhms")), min_size=1))
def test_a_duration_is_the_sum_of_its_steps(is_negative: bool, steps: list[tuple[int, str]]) -> None:  # noqa: FBT001  drawn
    text = ("-" if is_negative else "") + "".join(f"{number}{unit}" for number, unit in steps)
    total = sum(number * UNITS[unit] for number, unit in steps)
    assert duration_s(text) == (-total if is_negative else total)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2013-01-01", 1356998400),
        ("2013-01-01 00:00:00", 1356998400),
        ("2013-1-1 9:5:7", 1356998400 + 9 * 3600 + 5 * 60 + 7),
        ("2013-01-01 JST", 1356966000),
        ("2013-01-01 Asia/Tokyo", 1356966000),
        ("2013-01-01 00:00:00 +09:00", 1356966000),
        ("2013-01-01 00:00:00+0900", 1356966000),
        ("2013-01-01 00:00:00Z", 1356998400),
        ("2013-01-01 PDT", 1356998400 + 7 * 3600),
        ("2013-01-01 PST", 1356998400 + 8 * 3600),
        ("2013-07-01 PST", 1372636800 + 7 * 3600),  # a region: it is summer there
        ("2012-03-01 GMT+9", 1330560000 - 9 * 3600),
        ("1969-12-31 23:59:59", -1),
        ("0001-01-01", -62135596800),
        (" 2013-01-01 ", 1356998400),
        ("2013-01-01T00:00:00Z", 1356998400),
        ("2013-01-01T00:00:00", 1356998400),
        ("2013-01-01T09:00:00.5+09:00", 1356998400),
        ("2013-01-01 09:00:00+09", 1356998400),  # as Postgres prints it
        ("2013-01-01 09:00:00.25 GMT+09:00", 1356998400),
        ("2013-01-01 00:00", 1356998400),
        ("2013-01-01 00:00:00.999", 1356998400),
        ("1969-12-31 23:59:59.999", -1),
    ],
)
def test_times_in_utc_unless_they_say_otherwise(text: str, seconds: int) -> None:
    assert unix_time(text, UTC) == seconds


@pytest.mark.parametrize(
    "text",
    [
        *("", "JST", "now", "2013", "2013-01", "20130101", "2013-13-01", "2013-02-30"),
        *("2013-01-01 24:00:00", "2013-01-01 10", "2013-01-01T", "2013-01-01 00:00:00 +09:99"),
        *("2013-01-01 Nowhere/City", "2013-01-01 +25:00", "2013-01-01-05", "2013-01-01 +09"),
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert unix_time(text, UTC) is None


def test_the_zone_in_the_text_wins() -> None:
    assert unix_time("2013-01-01 UTC", ZoneInfo("Asia/Tokyo")) == 1356998400


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2015-03-08 01:59:59", "2015-03-08 09:59:59"),
        ("2015-03-08 02:30:00", "2015-03-08 10:30:00"),  # in the gap: read as 03:30 in summer time
        ("2015-03-08 03:30:00", "2015-03-08 10:30:00"),
        ("2015-11-01 01:30:00", "2015-11-01 08:30:00"),  # twice there: the first, in summer time
        ("2015-11-01 02:00:00", "2015-11-01 10:00:00"),
    ],
)
def test_daylight_time_as_java_resolves_it(text: str, utc: str) -> None:
    assert unix_time(text, LOS_ANGELES) == unix_time(utc, UTC)


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)), st.integers(-18 * 60, 18 * 60))  # noqa: DTZ001  local
def test_a_time_with_an_offset_is_that_instant(local: datetime, minutes: int) -> None:
    local = local.replace(microsecond=0)
    sign, (hours, rest) = "-" if minutes < 0 else "+", divmod(abs(minutes), 60)
    instant = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    text = f"{local.year:04}-{local:%m-%d %H:%M:%S} {sign}{hours:02}:{rest:02}"
    assert unix_time(text, LOS_ANGELES) == expected


@pytest.mark.parametrize(
    "name", ["", "Mars", "../etc/passwd", "Asia", "PPT", "+19:00", "+09:60", "Jaast", "asia", "Asia/Tokyo "]
)
def test_what_is_no_zone(name: str) -> None:
    assert find_zone(name) is None


@pytest.mark.parametrize("name", ["UTC", "GMT", "Z", "Etc/UTC", "+00:00", "GMT+0", "UTC-00:00"])
def test_names_of_utc(name: str) -> None:
    zone = find_zone(name)
    assert zone is not None
    assert zone.utcoffset(datetime(2020, 6, 1)) == timedelta(0)  # noqa: DTZ001  local


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("jst", "JST"),
        ("Pst", "PST"),
        ("edt", "EDT"),
        ("utc", "UTC"),
        ("gmt+9", "GMT+9"),
        ("asia/tokyo", "Asia/Tokyo"),
        ("AMERICA/NEW_YORK", "America/New_York"),
    ],
)
def test_zones_are_known_in_either_case(name: str, same: str) -> None:
    assert find_zone(name) is not None
    assert find_zone(name) == find_zone(same)
