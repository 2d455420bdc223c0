"""Points in time as people type them."""

import re
from datetime import UTC, datetime, timedelta, timezone
from itertools import islice
from zoneinfo import ZoneInfo

from logdrain.errors import TimeInvalid, ZoneInvalid
from logdrain.jobs.cron import Cron
from logdrain.jobs.time_zones import zone

_EXAMPLES = "such as 1330560000, 2012-03-01, '2012-03-01 09:00:00' or '2012-03-01T09:00:00+09:00'"
_UNIX_SECONDS = re.compile(r"-?[0-9]+")
_WITHOUT_DASHES = re.compile(r"(?:19|20)[0-9]{6}")
_CALENDAR = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?))?"
    r" ?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2}|[A-Za-z][A-Za-z0-9_+/-]*)?"
)


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


def instants_from(cron: Cron, start: datetime, count: int) -> list[datetime]:
    """The first `count` instants at or after `start`, fewer where there are no more."""
    return list(islice(cron.iterate(start - timedelta(microseconds=1)), count))


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
