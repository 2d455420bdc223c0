from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.query.values.java_format import formatted, pattern_parts

AFTERNOON = datetime(2016, 6, 20, 16, 58, 27, tzinfo=ZoneInfo("Asia/Tokyo"))  # a Monday; 1466409507
NIGHT = datetime(2012, 1, 1, tzinfo=UTC)  # a Sunday
NEW_YEARS_EVE = datetime(2019, 12, 31, 12, tzinfo=ZoneInfo("America/Los_Angeles"))  # a Tuesday


def text(pattern: str, local: datetime, *, zone_names: bool = True) -> str:
    parts = pattern_parts(pattern)
    assert parts is not None
    return formatted(local, parts, zone_names=zone_names)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy/M/d", "2016/6/20"),
        ("hh:mm:ss a", "04:58:27 PM"),
        ("G yyyy yy y yyyyy", "AD 2016 16 2016 02016"),
        ("MMMM MMM MM M", "June Jun 06 6"),
        ("ww w W F", "26 26 4 3"),
        ("DDD dd d", "172 20 20"),
        ("EEEE E u", "Monday Mon 1"),
        ("HH H kk k KK K hh h", "16 16 16 16 04 4 04 4"),
        ("mm:ss.SSS S", "58:27.000 0"),
        ("z zzzz Z X XX XXX", "JST Japan Standard Time +0900 +09 +0900 +09:00"),
        ("yyyy-MM-dd'T'HH:mm:ss", "2016-06-20T16:58:27"),
        ("'it''s' h 'o''clock' ''", "it's 4 o'clock '"),
        ("''''", "''"),
        ("年yyyy", "年2016"),
        ("", ""),
    ],
)
def test_letters(pattern: str, expected: str) -> None:
    assert text(pattern, AFTERNOON) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("yyyy-MM-dd HH:mm:ss z", "2012-01-01 00:00:00 UTC"),
        ("h hh H k kk K a u", "12 12 0 24 24 0 AM 7"),
        ("zzzz Z X", "Coordinated Universal Time +0000 Z"),
        ("w W", "1 1"),
    ],
)
def test_midnight_in_utc(pattern: str, expected: str) -> None:
    assert text(pattern, NIGHT) == expected
    assert text(pattern, NIGHT, zone_names=False) == expected


def test_zones_of_trino_are_offsets() -> None:
    assert text("z zzzz", AFTERNOON, zone_names=False) == "GMT+09:00 GMT+09:00"


def test_zones_of_hive_know_daylight_time_and_may_have_no_name() -> None:
    assert text("z", NEW_YEARS_EVE) == "PST"
    assert text("z zzzz", NEW_YEARS_EVE.replace(month=6, day=1)) == "PDT Pacific Daylight Time"
    nameless = NIGHT.astimezone(timezone(timedelta(hours=-3, minutes=-30)))
    assert text("z zzzz", nameless) == "GMT-03:30 GMT-03:30"


def test_the_last_days_of_a_year_can_lie_in_week_one_of_the_next() -> None:
    assert text("yyyy YYYY ww", NEW_YEARS_EVE) == "2019 2020 01"


@pytest.mark.parametrize("pattern", ["b", "yyyy-MM-ddTHH", "'open", "'", "yyyy'"])
def test_what_is_no_pattern(pattern: str) -> None:
    assert pattern_parts(pattern) is None


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001  UTC
def test_digits_are_those_of_iso_8601(local: datetime) -> None:
    local = local.replace(microsecond=0, tzinfo=UTC)
    assert text("yyyy-MM-dd'T'HH:mm:ss", local) == local.isoformat()[:19]


@given(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001  UTC
def test_weeks_of_the_year_go_from_1_to_53(local: datetime) -> None:
    assert 1 <= int(text("w", local.replace(tzinfo=UTC))) <= 53
