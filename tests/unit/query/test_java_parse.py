"""Times that Java's pattern prints are read by the same pattern."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from logdrain.query.values.java_format import formatted, pattern_parts
from logdrain.query.values.java_parse import time_reader, unix_seconds

PATTERNS = (
    *("yyyy-MM-dd HH:mm:ss", "yyyyMMddHHmmss", "dd/MMM/yyyy:HH:mm:ss Z", "EEEE, d MMMM yyyy h:mm:ss a"),
    *(
        "yyyy-MM-dd kk:mm:ss.SSS",
        "K:mm:ss a dd.MM.yyyy z",
        "yyyy-MM-dd'T'HH:mm:ssXXX",
        "L/d/y H 'o''clock' m s",
    ),
)


@given(some.sampled_from(PATTERNS), some.integers(-62135596800, 253402300799))
def test_what_is_printed_is_read(pattern: str, seconds: int) -> None:
    parts, reader = pattern_parts(pattern), time_reader(pattern)
    assert parts is not None
    assert reader is not None
    text = formatted(datetime.fromtimestamp(seconds, UTC), parts, zone_names=True)
    assert unix_seconds(text, reader) == seconds


@given(some.sampled_from(PATTERNS), some.text())
def test_any_text_is_a_time_or_none(pattern: str, text: str) -> None:
    reader = time_reader(pattern)
    assert reader is not None
    assert isinstance(unix_seconds(text, reader), (int, type(None)))


@pytest.mark.parametrize(
    ("pattern", "text", "seconds"),
    [
        ("yyyy-MM-dd", "1970-01-02 and more", 86400),
        ("yyyy-MM-dd", "1970-1-2", 86400),
        ("HH:mm", " 1: 2", 3720),
        ("hh a", "12 am", 0),
        ("hh a", "13 am", None),
        ("kk", "24", 0),
        ("kk", "0", None),
        ("yyyy z", "1970 Asia/Tokyo", -32400),
        ("yyyy Z", "1970 -0100", 3600),
        ("yyyy z", "1970 Nowhere", None),
        ("yyyy", "0", None),
        ("yyyy", "9" * 5000, None),
        ("d", "٣", None),
    ],
)
def test_times(pattern: str, text: str, seconds: int | None) -> None:
    reader = time_reader(pattern)
    assert reader is not None
    assert unix_seconds(text, reader) == seconds


@pytest.mark.parametrize("pattern", ["yy", "Q", "w", "D", "yyyy yyyy", "M L", "'open"])
def test_patterns_that_are_not_read(pattern: str) -> None:
    assert time_reader(pattern) is None
