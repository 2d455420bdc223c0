"""Times, as headers and records have them -> unix milliseconds."""

import math
import re
from datetime import UTC, datetime, timedelta

from logdrain.drain.spelled_times import read_spelled

TIME_MAX_MS = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z: what a datetime can hold
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
# A number's unit follows from its size: 1e11 seconds is the year 5138, 1e11 milliseconds is 1973.
_SECONDS_BELOW = 10**11
_MILLISECONDS_BELOW = 10**14
_MICROSECONDS_BELOW = 10**17
# As text only with as many digits as times of our days have: "20120301" is a date.
_UNIX_TEXT = re.compile(r"(\d{9,10})(?:\.(\d{1,9}))?|\d{13}|\d{16}|\d{19}", re.ASCII)


def record_time_ms(value: object) -> int | None:
    """Read a record's `time`; None where it is no time we can be sure of.

    Args:
        value: Unix seconds (whole or fractional), milliseconds, microseconds or nanoseconds by
            magnitude, also as text; or text in one of many spellings with a zone. A zone is not guessed at.

    Returns:
        Unix milliseconds, cut not rounded (an instant must not move into the next hour), from 1970 to 9999.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _within(_whole_ms(value))
    if isinstance(value, float):
        return _within(_fractional_ms(value))
    if not isinstance(value, str):
        return None
    if unix := _UNIX_TEXT.fullmatch(value):
        fraction_ms = int((unix[2] or "")[:3].ljust(3, "0"))
        return _within(_whole_ms(int(unix[1] or value)) + fraction_ms)
    time = _read(value)
    return None if time is None else _instant_ms(time)


def is_local_time(value: object) -> bool:
    """Whether a record's `time` names a date, with a time or without, and no zone."""
    time = _read(value) if isinstance(value, str) else None
    return time is not None and time.tzinfo is None


def _read(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return read_spelled(text)


def text_time_ms(text: str) -> int | None:
    """Unix milliseconds of ISO 8601 text, cut not rounded; None without an offset or before 1970."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return _instant_ms(time)


def _instant_ms(time: datetime) -> int | None:
    return _within((time - _EPOCH) // _MILLISECOND) if time.tzinfo is not None else None


def _whole_ms(value: int) -> int:
    if value < _SECONDS_BELOW:
        return value * 1000
    if value < _MILLISECONDS_BELOW:
        return value
    if value < _MICROSECONDS_BELOW:
        return value // 1000
    return value // 1_000_000


def _fractional_ms(value: float) -> int:
    if not math.isfinite(value) or value < 0:
        return -1
    if value >= _SECONDS_BELOW:
        return _whole_ms(math.floor(value))
    # A double holds today's seconds to a quarter of a microsecond: 0.123 may be 0.1229999.
    return round(value * 1_000_000) // 1000


def _within(milliseconds: int) -> int | None:
    return milliseconds if 0 <= milliseconds <= TIME_MAX_MS else None
