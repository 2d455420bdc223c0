from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.times import is_local_time, record_time_ms


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1330560000, 1330560000_000),
        (0, 0),
        (1330560000.5, 1330560000_500),
        (1330560000.123, 1330560000_123),
        (1330563599.9996, 1330563599_999),  # must not move into the next hour
        (1330560000123, 1330560000_123),
        (1330560000123456, 1330560000_123),
        (1330560000123456789, 1330560000_123),
        (1330560000123.9, 1330560000_123),
        ("2012-03-01T00:00:00Z", 1330560000_000),
        ("2012-03-01T09:00:00+09:00", 1330560000_000),
        ("2012-03-01T00:00:00.123999+00:00", 1330560000_123),
        ("1330560000", 1330560000_000),
        ("1330560000.1239", 1330560000_123),
        ("1330560000.5", 1330560000_500),
        ("1330560000123", 1330560000_123),
        ("1330560000123456", 1330560000_123),
        ("1330560000123456789", 1330560000_123),
    ],
)
def test_what_is_a_time(value: object, expected: int) -> None:
    assert record_time_ms(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        *(-1, -0.001, 10**30, float("inf"), float("nan"), True, None, [], {}),
        *(
            "",
            "yesterday",
            "20120301",
            "20120301000000",
            "201203010000",
            "12.5",
            "2012-03-01T00:00:00",
            "2012-03-01",
            "1969-12-31T23:59:59Z",
            "9999-12-31T23:59:59-12:00",
        ),
    ],
)
def test_what_is_not(value: object) -> None:
    assert record_time_ms(value) is None


MARCH = 1330560000_000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2012-03-01 00:00:00 UTC", MARCH),
        ("2012-03-01T00:00:00 GMT", MARCH),
        ("2012-03-01 00:00:00.123 utc", MARCH + 123),
        ("2012-03-01t00:00:00z", MARCH),
        ("2012-03-01t09:00:00.5+09:00", MARCH + 500),
        (" 2012-03-01 00:00:00 Z\n", MARCH),
        ("2012-02-29 19:00:00.123 -0500", MARCH + 123),
        ("2012-02-29 19:00:00,123 -05:00", MARCH + 123),
        ("2012-03-01 09:00:00 +09", MARCH),
        ("2012/03/01 00:00:00 +0000", MARCH),
        ("Thu, 01 Mar 2012 00:00:00 +0000", MARCH),
        ("Thu, 1 Mar 2012 00:00:00 GMT", MARCH),
        ("1 Mar 2012 00:00 -0000", MARCH),
        ("Wed, 29 Feb 2012 19:00:00 EST", MARCH),
        ("Wed, 29 Feb 2012 17:00:00 PDT", MARCH),
        ("Thu, 01 Mar 2012 00:00:00 +0000 (UTC)", MARCH),
        ("Thursday, 01-Mar-2012 00:00:00 UTC", MARCH),
        ("01/Mar/2012:09:00:00 +0900", MARCH),
        ("Thu Mar  1 00:00:00 UTC 2012", MARCH),
        ("Thu Mar 01 2012 09:00:00 GMT+0900 (Japan Standard Time)", MARCH),
        ("2012-03-01 00:00:00.123456789 +0000 UTC m=+0.000012345", MARCH + 123),
        ("2012-03-01 09:00:00 +0900 JST", MARCH),
        ("2012-03-01T09:00:00+09:00[Asia/Tokyo]", MARCH),
        ("2012-03-01T00:00:00Z[UTC]", MARCH),
    ],
)
def test_spellings_with_a_zone(text: str, expected: int) -> None:
    assert record_time_ms(text) == expected
    assert not is_local_time(text)


@pytest.mark.parametrize(
    "text",
    [
        *("2012-03-01 00:00:00", "2012-03-01T00:00:00.123", "2012-03-01", "20120301", "2012/03/01 00:00:00"),
        *("Thu Mar  1 00:00:00 2012", "Thu, 01 Mar 2012 00:00:00", "2012-03-01 00:00:00 JST"),
        "Thu Mar  1 00:00:00 EST 2012",  # means one zone in mail only
    ],
)
def test_a_time_without_a_zone_is_a_local_one(text: str) -> None:
    assert record_time_ms(text) is None
    assert is_local_time(text)


@pytest.mark.parametrize(
    "text",
    ["", "12ms", "12:30", "yesterday", "2012-02-31 00:00:00 UTC", "31 Foo 2012 00:00:00 UTC", "9" * 200],
)
def test_what_is_no_time_is_no_local_one(text: str) -> None:
    assert record_time_ms(text) is None
    assert not is_local_time(text)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001  # made aware below
def test_iso_text_is_cut_to_the_millisecond(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    expected = int(aware.replace(microsecond=0).timestamp()) * 1000 + aware.microsecond // 1000
    assert record_time_ms(aware.isoformat()) == expected


@given(st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.booleans()))
def test_never_out_of_range(value: object) -> None:
    found = record_time_ms(value)
    assert found is None or 0 <= found < 253_402_300_800_000
