"""Times as programs print them -> a datetime: RFC 2822, `date`, Go, Java, JavaScript, Ruby, web servers."""

import re
from datetime import datetime

_SIZE_MAX = 100
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# RFC 2822 4.3. Elsewhere these names mean several zones.
_MAIL_ZONES = {"EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}

_CLOCK = r"(?P<clock>\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)"
# An offset may have the zone's name behind it, which says the same.
_ZONE = (
    r"(?P<zone>(?:(?:UTC|GMT)?[+-]\d\d(?::?\d\d)?|Z|[A-Z]{2,5})"
    r"(?: [A-Z]{2,5}| ?\([\w +:-]+\)|\[[\w/+-]+\])?)"
)
_MONTH = "(?P<month_name>" + "|".join(_MONTHS) + ")"
_GO = r"(?: m=[+-][\d.]+)?"  # its monotonic clock
_WEEKDAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? +)?"
_PATTERNS = tuple(
    re.compile(pattern, re.ASCII | re.IGNORECASE)
    for pattern in (
        # 2026-07-01 12:00:00.5 -0500 | 2026-07-01t12:00:00z | 2026-07-01 12:00:00 +0000 UTC m=+0.5
        rf"(?P<year>\d{{4}})[-/](?P<month>\d\d)[-/](?P<day>\d\d)(?:T| +){_CLOCK}(?: ?{_ZONE})?{_GO}",
        # Wed, 01 Jul 2026 12:00:00 GMT | 01/Jul/2026:12:00:00 +0000 | Wednesday, 01-Jul-2026 12:00:00 UTC
        rf"{_WEEKDAY}(?P<day>\d\d?)[ /-]{_MONTH}[ /-](?P<year>\d{{4}})[ :]{_CLOCK}(?: {_ZONE})?",
        # Wed Jul  1 12:00:00 UTC 2026
        rf"{_WEEKDAY}{_MONTH} +(?P<day>\d\d?) {_CLOCK}(?: {_ZONE})? (?P<year>\d{{4}})",
        # Wed Jul 01 2026 12:00:00 GMT+0000 (Coordinated Universal Time)
        rf"{_WEEKDAY}{_MONTH} (?P<day>\d\d?) (?P<year>\d{{4}}) {_CLOCK}(?: {_ZONE})?",
    )
)


def read_spelled(text: str) -> datetime | None:
    """The time that a text spells, naive where it names no zone that is known; None for any other text."""
    found = _find(text.strip())
    if found is None:
        return None
    parts = found.groupdict()
    month = parts.get("month") or f"{_MONTHS.index(parts['month_name'].title()) + 1:02}"
    zone = _offset(parts["zone"] or "", is_mail="," in text)
    try:
        return datetime.fromisoformat(
            f"{parts['year']}-{month}-{int(parts['day']):02}T{parts['clock']}{zone}"
        )
    except ValueError:  # a day or a clock that there is not
        return None


def _find(text: str) -> re.Match[str] | None:
    if len(text) > _SIZE_MAX:
        return None
    return next((found for pattern in _PATTERNS if (found := pattern.fullmatch(text))), None)


def _offset(zone: str, *, is_mail: bool) -> str:
    """A zone as ISO 8601 has it; "" for one that is not known."""
    name = zone.upper().partition("[")[0]
    if name in ("Z", "UTC", "GMT", "UT"):
        return "Z"
    if is_mail and name in _MAIL_ZONES:
        return f"{_MAIL_ZONES[name]:+03}:00"
    found = re.search(r"[+-]\d\d(?::?\d\d)?", zone)
    return found[0] if found else ""
