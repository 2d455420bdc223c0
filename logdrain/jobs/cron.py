"""Cron with Treasure Data's rules: five fields or an alias, in an IANA time zone.

An expression names wall clock times. One that a clock change skips does not run; one that it repeats
runs twice; a job that runs every hour runs every hour that passes. Zones have IANA names. Abbreviations are
refused: they name offsets, and several of them two.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from croniter import CroniterBadDateError, croniter

from logdrain.errors import CronInvalid, ZoneInvalid
from logdrain.model.names import did_you_mean, nearest_hint

_ALIASES = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@monthly": "0 0 1 * *"}
_ITEM = re.compile(
    r"(?:(?P<all>\*)|(?P<first>[0-9a-z]+)(?:-(?P<last>[0-9a-z]+))?)(?:/(?P<step>[0-9]{1,4}))?", re.IGNORECASE
)
_FORMS_OF_OTHERS = tuple(
    (re.compile(form, re.IGNORECASE), hint)
    for form, hint in (
        (r"\?", "`?` of Quartz is `*` here"),
        (
            r"l|lw|l-[0-9]+|[0-9a-z]+l",
            "there is no `L` for the last day: run on 28-31, and let the query look at the date",
        ),
        (r"[0-9]+w", "there is no `W` for the nearest weekday: name the days"),
        (
            r"[0-9a-z]+#[0-9]*",
            "there is no `#` for the nth weekday: run on all, and let the query look at the date",
        ),
        (r"h(\(.*\))?(/[0-9]+)?", "there is no `H` of Jenkins: name a value"),
        (r"[0-9]+/[0-9]+", "a step needs a range: */10, or 5-59/10"),
    )
)
_ABBREVIATIONS = {
    "BST": "Europe/London",
    "CEST": "Europe/Berlin",
    "CET": "Europe/Berlin",
    "CDT": "America/Chicago",
    "CST": "America/Chicago",
    "EDT": "America/New_York",
    "EST": "America/New_York",
    "GMT": "UTC",
    "IST": "Asia/Kolkata",
    "JST": "Asia/Tokyo",
    "KST": "Asia/Seoul",
    "MDT": "America/Denver",
    "MST": "America/Denver",
    "PDT": "America/Los_Angeles",
    "PST": "America/Los_Angeles",
    "Z": "UTC",
}
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_DAYS_IN_MONTH = (31, 28.2425, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)  # mean February


class _Field(NamedTuple):
    """One of the five fields: its name, range (both ends inclusive), and names of values."""

    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()  # names[0] is `low`


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field(
        "month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
    ),
    _Field("day of week", 0, 6, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)
_DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK = 2, 3, 4


@dataclass(frozen=True, slots=True)
class Cron:
    """A readable expression in a zone; make it with `parse`.

    Attributes:
        matching: Five plain fields for the matcher, or "" for never.
    """

    matching: str
    zone: ZoneInfo

    def next_after(self, instant: datetime) -> datetime | None:
        """The first instant after this one (UTC), or None where there is none."""
        return next(self.iterate(instant), None)

    def iterate(self, after: datetime) -> Iterator[datetime]:
        """All instants after this one, in order, in UTC; endless but for dates that never come."""
        if not self.matching:
            return
        # The matcher counts on the wall clock, which keeps its offset between two clock changes.
        matcher = croniter(self.matching, ret_type=datetime)
        instant = after.astimezone(UTC).replace(microsecond=0)
        try:
            offset = self._offset(instant)
            while True:
                wall = instant.replace(tzinfo=None) + offset
                match = matcher.get_next(datetime, start_time=wall).replace(tzinfo=UTC) - offset
                change = self._clock_change(instant, match, offset)
                if change is None:
                    yield match
                    instant = match
                else:
                    instant, offset = change - _SECOND, self._offset(change)
        except (CroniterBadDateError, OverflowError, ValueError):
            return  # no such date, or only after the year 9999: the matcher has several ways to say so

    def _offset(self, instant: datetime) -> timedelta:
        return instant.astimezone(self.zone).utcoffset() or timedelta()

    def _clock_change(self, after: datetime, until: datetime, offset: timedelta) -> datetime | None:
        """The first instant in (after, until] whose offset is another one; no change is undone in a day."""
        same = after
        while same < until:
            probe = same + min(_DAY, until - same)  # in this order: `same` may be in the last day of all
            if self._offset(probe) != offset:
                return self._bisect(same, probe, offset)
            same = probe
        return None

    def _bisect(self, same: datetime, other: datetime, offset: timedelta) -> datetime:
        while other - same > _SECOND:
            middle = (same + (other - same) / 2).replace(microsecond=0)
            if self._offset(middle) == offset:
                same = middle
            else:
                other = middle
        return other


def instants_from(cron: Cron, start: datetime, count: int) -> list[datetime]:
    """The first `count` instants at or after `start`, fewer where there are no more."""
    return list(islice(cron.iterate(start - timedelta(microseconds=1)), count))


def parse(expression: str, timezone: str) -> Cron:
    """Read a cron expression.

    Five fields (minute, hour, day of month, month, day of week) of `*`, a value, `a-b`, `*/n`, `a-b/n`
    and comma lists of these; months and days also by name (`jan`, `mon`), days of the week from 0, Sunday;
    `@hourly`, `@daily`, `@monthly`; and `""`, which never runs. Where both kinds of day are given, the one
    that comes more often decides alone: `0 0 1 * 1` is every Monday. (Treasure Data's rules, and `a-b/n`.)

    Raises:
        CronInvalid: The expression cannot be read.
        ZoneInvalid: The zone is not in the IANA database.
    """
    local = zone(timezone)
    text = expression.strip()
    if text.startswith("@"):
        if text.lower() not in _ALIASES:
            raise CronInvalid(
                f"no cron alias is called {expression!r}", hint=f"there are {', '.join(_ALIASES)}"
            )
        text = _ALIASES[text.lower()]
    if not text:
        return Cron("", local)
    words = text.split()
    if len(words) != len(_FIELDS):
        raise CronInvalid(
            f"cron {expression!r} has {len(words)} fields instead of 5",
            hint="minute hour day-of-month month day-of-week, such as '0 * * * *'",
        )
    allowed = [_values(field, word, expression) for field, word in zip(_FIELDS, words, strict=True)]
    if words[_DAY_OF_MONTH] != "*" and words[_DAY_OF_WEEK] != "*":
        loser = _DAY_OF_MONTH if _weekdays_come_more_often(allowed) else _DAY_OF_WEEK
        allowed[loser] = _all_values(_FIELDS[loser])
    return Cron(" ".join(map(_as_word, _FIELDS, allowed)), local)


def zone(name: str) -> ZoneInfo:
    """The zone of this name: `UTC`, or an IANA name with a slash, such as `Asia/Tokyo`.

    Names without a slash are refused even where the zone database has such a file (`EST`, `Japan`):
    what they mean depends on the database's version.

    Raises:
        ZoneInvalid: Anything else; the hint has the likely name.
    """
    if "/" in name or name == "UTC":
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass  # said below, with a hint
    raise ZoneInvalid(f"{name!r} is not an IANA time zone", hint=_zone_hint(name))


def _values(field: _Field, word: str, expression: str) -> frozenset[int]:
    found: set[int] = set()
    for item in word.split(","):
        match = _ITEM.fullmatch(item)
        if match is None or (match["step"] and not match["all"] and not match["last"]):
            raise _invalid(field, item, expression, _why_no_item(item))
        first = field.low if match["all"] else _value(field, match["first"], expression)
        last = field.high if match["all"] else first
        if match["last"]:
            last = _value(field, match["last"], expression)
        step = int(match["step"] or 1)
        if last < first:
            raise _invalid(field, item, expression, f"a range goes up, within {field.low} to {field.high}")
        if not 1 <= step <= field.high - field.low + 1:
            raise _invalid(field, item, expression, f"a step is 1 to {field.high - field.low + 1}")
        found.update(range(first, last + 1, step))
    return frozenset(found)


def _value(field: _Field, word: str, expression: str) -> int:
    if word.lower() in field.names:
        return field.low + field.names.index(word.lower())
    if word.isdecimal() and field.low <= int(word) <= field.high:
        return int(word)
    hint = f"it is {field.low} to {field.high}"
    if field.names:
        hint += f", or {field.names[0]} to {field.names[-1]}"
    if field is _FIELDS[_DAY_OF_WEEK]:
        hint += "; Sunday is 0, not 7" if word == "7" else "; Sunday is 0"
    raise _invalid(field, word, expression, _of_other_crons(word) or hint)


def _why_no_item(item: str) -> str:
    return _of_other_crons(item) or "forms are *, 5, 2-5, */10, 2-20/5 and comma lists of these"


def _of_other_crons(item: str) -> str:
    """What to do without the forms that some other crons have; "" for what is none of them."""
    return next((hint for form, hint in _FORMS_OF_OTHERS if form.fullmatch(item)), "")


def _invalid(field: _Field, word: str, expression: str, hint: str) -> CronInvalid:
    return CronInvalid(f"cron {expression!r}: {word!r} is no {field.name}", hint=hint)


def _weekdays_come_more_often(allowed: list[frozenset[int]]) -> bool:
    months = [_DAYS_IN_MONTH[month - 1] for month in allowed[_MONTH]]
    by_weekday = sum(months) * len(allowed[_DAY_OF_WEEK]) / 7
    by_date = sum(max(0.0, min(1.0, days - day + 1)) for days in months for day in allowed[_DAY_OF_MONTH])
    return by_weekday >= by_date


def _all_values(field: _Field) -> frozenset[int]:
    return frozenset(range(field.low, field.high + 1))


def _as_word(field: _Field, values: frozenset[int]) -> str:
    return "*" if values == _all_values(field) else ",".join(map(str, sorted(values)))


def _zone_hint(name: str) -> str:
    if name.upper() in _ABBREVIATIONS:
        return f"write {_ABBREVIATIONS[name.upper()]}: abbreviations are ambiguous"
    known = sorted(zone for zone in available_timezones() if "/" in zone or zone == "UTC")
    city = name.rpartition("/")[2].replace(" ", "_").casefold()
    same_city = [zone for zone in known if zone.rpartition("/")[2].casefold() == city]
    if same_city:
        return did_you_mean(same_city[0])
    return nearest_hint(name, known, "names look like Asia/Tokyo, Europe/Berlin or UTC")
