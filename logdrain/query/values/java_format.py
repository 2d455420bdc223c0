"""Java's SimpleDateFormat, as TD_TIME_FORMAT takes it: the letters of a pattern, in English.

Weeks are those of the United States, as in Java's default locale: they begin on Sunday, and the first week
of a year is the one with January 1. (https://docs.oracle.com/javase/8/docs/api/java/text/SimpleDateFormat.html)
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache

PATTERN_PART = re.compile(
    r"(?P<quote>'')|'(?P<quoted>(?:[^']|'')*)'|(?P<field>([A-Za-z])\4*)|(?P<text>[^A-Za-z']+)"
)
MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_ABBREVIATION = re.compile(r"[A-Z]{3,5}")
_LONG = 4  # so many letters ask for a full name
_NAMED = 3  # so many for a name at all

_LONG_ZONES = {
    "UTC": "Coordinated Universal Time",
    "GMT": "Greenwich Mean Time",
    "JST": "Japan Standard Time",
    "KST": "Korea Standard Time",
    "IST": "India Standard Time",
    "CET": "Central European Time",
    "CEST": "Central European Summer Time",
    "EET": "Eastern European Time",
    "EEST": "Eastern European Summer Time",
    "MSK": "Moscow Standard Time",
    "EST": "Eastern Standard Time",
    "EDT": "Eastern Daylight Time",
    "CST": "Central Standard Time",
    "CDT": "Central Daylight Time",
    "MST": "Mountain Standard Time",
    "MDT": "Mountain Daylight Time",
    "PST": "Pacific Standard Time",
    "PDT": "Pacific Daylight Time",
}
_SHANGHAI_S = 8 * 3_600  # CST of China, where it is not Central

Field = Callable[[datetime, int], str]
"""A local time with its zone, and how often the letter is repeated -> text."""

Part = tuple[Field, int] | str


@lru_cache(maxsize=256)
def pattern_parts(pattern: str) -> tuple[Part, ...] | None:
    """A pattern as fields and literal text; None where it has an unknown letter or an open quote."""
    parts: list[Part] = []
    position = 0
    while position < len(pattern):
        found = PATTERN_PART.match(pattern, position)
        if found is None:
            return None
        letter = found[4]
        if letter is None:
            parts.append("'" if found["quote"] else (found["text"] or found["quoted"].replace("''", "'")))
        elif letter in _FIELDS:
            parts.append((_FIELDS[letter], len(found["field"])))
        else:
            return None
        position = found.end()
    return tuple(parts)


def has_seconds(parts: Sequence[Part]) -> bool:
    """Whether the text can change within a minute."""
    return any(part[0] in (_FIELDS["s"], _FIELDS["S"]) for part in parts if not isinstance(part, str))


def formatted(local: datetime, parts: Sequence[Part], *, zone_names: bool) -> str:
    """The time in the form of the pattern.

    Args:
        local: Aware, in the zone to print.
        parts: From `pattern_parts`.
        zone_names: Whether `z` prints `JST` (Hive) or `GMT+09:00` (Trino).
    """
    texts = []
    for part in parts:
        if isinstance(part, str):
            texts.append(part)
        elif part[0] is _zone_name and not zone_names and local.tzname() != "UTC":
            texts.append(f"GMT{_offset(local, ':')}")
        else:
            texts.append(part[0](local, part[1]))
    return "".join(texts)


def _number(value: Callable[[datetime], int]) -> Field:
    return lambda local, count: str(value(local)).zfill(count)


def _year(value: Callable[[datetime], int]) -> Field:
    def field(local: datetime, count: int) -> str:
        year = value(local)
        return f"{year % 100:02}" if count == len("yy") else str(year).zfill(count)

    return field


def _month(local: datetime, count: int) -> str:
    if count < _NAMED:
        return str(local.month).zfill(count)
    name = MONTHS[local.month - 1]
    return name if count >= _LONG else name[:3]


def _day_name(local: datetime, count: int) -> str:
    name = DAYS[local.weekday()]
    return name if count >= _LONG else name[:3]


def _week_start(day: date) -> date:
    """The Sunday on or before; ordinals start on a Monday, January 1 of the year 1."""
    return date.fromordinal(max(1, day.toordinal() - day.isoweekday() % 7))


def _week_year(local: datetime) -> int:
    saturday = local.date().toordinal() + (6 - local.isoweekday() % 7)
    return date.fromordinal(min(saturday, date.max.toordinal())).year


def _week_of_year(local: datetime) -> int:
    first = _week_start(date(_week_year(local), 1, 1))
    return (local.date() - first).days // 7 + 1


def _week_of_month(local: datetime) -> int:
    return (local.day - 1 + local.replace(day=1).isoweekday() % 7) // 7 + 1


def _zone_name(local: datetime, count: int) -> str:
    name = local.tzname() or ""
    if not _ABBREVIATION.fullmatch(name):
        return f"GMT{_offset(local, ':')}"
    if count < _LONG:
        return name
    if name == "CST" and _offset_s(local) == _SHANGHAI_S:
        return "China Standard Time"
    return _LONG_ZONES.get(name, f"GMT{_offset(local, ':')}")


def _iso_zone(local: datetime, count: int) -> str:
    if not _offset_s(local):
        return "Z"
    text = _offset(local, ":" if count >= _NAMED else "")
    return text[:3] if count == 1 else text


def _offset(local: datetime, separator: str) -> str:
    minutes = abs(_offset_s(local)) // 60
    return f"{'-' if _offset_s(local) < 0 else '+'}{minutes // 60:02}{separator}{minutes % 60:02}"


def _offset_s(local: datetime) -> int:
    return (local.utcoffset() or timedelta()) // timedelta(seconds=1)


_FIELDS: dict[str, Field] = {
    "G": lambda _, __: "AD",  # the engine of time here has no years before 1
    "y": _year(lambda local: local.year),
    "Y": _year(_week_year),
    "M": _month,
    "L": _month,
    "w": _number(_week_of_year),
    "W": _number(_week_of_month),
    "D": _number(lambda local: local.timetuple().tm_yday),
    "d": _number(lambda local: local.day),
    "F": _number(lambda local: (local.day - 1) // 7 + 1),
    "E": _day_name,
    "u": _number(lambda local: local.isoweekday()),
    "a": lambda local, _: "AM" if local.hour < 12 else "PM",  # noqa: PLR2004  noon
    "H": _number(lambda local: local.hour),
    "k": _number(lambda local: local.hour or 24),
    "K": _number(lambda local: local.hour % 12),
    "h": _number(lambda local: local.hour % 12 or 12),
    "m": _number(lambda local: local.minute),
    "s": _number(lambda local: local.second),
    "S": _number(lambda local: local.microsecond // 1000),
    "z": _zone_name,
    "Z": lambda local, _: _offset(local, ""),
    "X": _iso_zone,
}
