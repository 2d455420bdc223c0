from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logdrain.drain.times import record_time_ms


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
            "1330560000",
            "2012-03-01T00:00:00",
            "2012-03-01",
            "1969-12-31T23:59:59Z",
            "9999-12-31T23:59:59-12:00",
        ),
    ],
)
def test_what_is_not(value: object) -> None:
    assert record_time_ms(value) is None


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001  # made aware below
def test_iso_text_is_cut_to_the_millisecond(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    expected = int(aware.replace(microsecond=0).timestamp()) * 1000 + aware.microsecond // 1000
    assert record_time_ms(aware.isoformat()) == expected


@given(st.one_of(st.integers(), st.floats(), st.text(), st.none(), st.booleans()))
def test_never_out_of_range(value: object) -> None:
    found = record_time_ms(value)
    assert found is None or 0 <= found < 253_402_300_800_000
