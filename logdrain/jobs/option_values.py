"""Values of options as people type them: points in time, durations, priorities, names of schedules."""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from logdrain.errors import ScheduleError, TimeInvalid, ZoneInvalid
from logdrain.jobs.cron import zone

_EXAMPLES = "such as 1330560000, 2012-03-01, '2012-03-01 09:00:00' or '2012-03-01T09:00:00+09:00'"
_UNIX_SECONDS = re.compile(r"-?[0-9]+")
_WITHOUT_DASHES = re.compile(r"(?:19|20)[0-9]{6}")
_CALENDAR = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?))?"
    r" ?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2}|[A-Za-z][A-Za-z0-9_+/-]*)?"
)
_DURATION = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,7})h)?(?:(\d{1,8})m)?(?:(\d{1,10})s)?")
_UNITS_S = (86_400, 3_600, 60, 1)
_NAME_SIZE_MAX = 100
_NAME = re.compile(r"\w[\w.-]*")
_PRIORITIES = {"very-low": -2, "low": -1, "normal": 0, "high": 1, "very-high": 2}

PRIORITY_HINT = f"-2 to 2 or {', '.join(_PRIORITIES)}"
"""Priorities as td names them."""


def read_time(text: str, default_zone: str = "UTC") -> datetime:
    """Read a TIME as `td sched:run` takes it; UTC.

    Unix seconds, or a date with an optional time and an optional zone (`Z`, an offset, an IANA name);
    without one the default zone holds. A wall clock time that a clock change repeats is its first; one
    that a clock change skips is read with the offset before it.

    Raises:
        TimeInvalid: Anything else.
        ZoneInvalid: The default zone is not in the IANA database.
    """
    default = zone(default_zone)
    text = text.strip()
    try:
        if _UNIX_SECONDS.fullmatch(text):
            return _from_unix_seconds(text)
        match = _CALENDAR.fullmatch(text)
        if match is not None:
            naive = datetime.fromisoformat(f"{match['date']}T{match['time'] or '00:00'}")
            return naive.replace(tzinfo=_offset_or_zone(match["zone"], default)).astimezone(UTC)
    except ZoneInvalid as error:
        raise TimeInvalid(f"{text!r} is not a time: {error.message}", hint=error.hint) from error
    except (ValueError, OverflowError) as error:
        raise TimeInvalid(f"{text!r} is not a time: {error}", hint=_EXAMPLES) from error
    raise TimeInvalid(f"{text!r} is not a time", hint=_EXAMPLES)


def duration_s(text: str) -> int | None:
    """Seconds of `1d12h`, `10m`, `1h30m`, `45s`, or of a bare number; None for anything else."""
    if text.isascii() and text.isdecimal():
        return int(text)
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    counts = (int(count or 0) for count in match.groups())
    return sum(count * unit_s for count, unit_s in zip(counts, _UNITS_S, strict=True))


def read_priority(value: object) -> int | None:
    """A number from -2 to 2, or td's word for it (`very-low` to `very-high`); None for anything else."""
    if isinstance(value, str):
        word = value.strip().lower().replace(" ", "-").replace("_", "-")
        numbers = {str(number): number for number in _PRIORITIES.values()}
        return _PRIORITIES.get(word, numbers.get(word))
    if isinstance(value, int) and not isinstance(value, bool) and value in _PRIORITIES.values():
        return value
    return None


def check_schedule_name(name: str) -> None:
    """Check a new schedule's name: commands take it as a word, `--after` takes several with commas.

    Raises:
        ScheduleError: It is empty, longer than 100 characters, or has others than letters, digits, `_-.`.
    """
    if not _NAME.fullmatch(name) or len(name) > _NAME_SIZE_MAX:
        raise ScheduleError(
            f"{name!r} is no name of a schedule",
            hint=f"1 to {_NAME_SIZE_MAX} letters, digits, _ - and ., not - or . first",
        )


def _from_unix_seconds(text: str) -> datetime:
    if _WITHOUT_DASHES.fullmatch(text):  # a second in August 1970 is not what anybody means
        raise TimeInvalid(f"{text!r} looks like a date without dashes", hint=_EXAMPLES)
    return datetime.fromtimestamp(int(text), UTC)


def _offset_or_zone(text: str | None, default: ZoneInfo) -> ZoneInfo | timezone:
    if text is None:
        return default
    if text == "Z":
        return UTC
    if text[0] in "+-":
        minutes = int(text[1:3]) * 60 + int(text[-2:])
        return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
    return zone(text)
