"""Units of the calendar in a zone: where one begins, and how to go from one to the next.

Hours, minutes and seconds are lengths of time. Days and longer are dates: one begins at its first instant,
also where a clock change repeats midnight or skips it.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache

UNIX_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a local time: the zone's offset is subtracted apart

_SECOND = timedelta(seconds=1)
_DECEMBER = 12
_WHOLE_MINUTES_FROM_S = 94_694_400  # 1973


class Unit(StrEnum):
    """Treasure Data's letters for units."""

    SECOND = "s"
    MINUTE = "m"
    HOUR = "h"
    DAY = "d"
    WEEK = "w"  # from Monday
    MONTH = "M"
    QUARTER = "q"
    YEAR = "y"


_LENGTHS_S = {Unit.SECOND: 1, Unit.MINUTE: 60, Unit.HOUR: 3_600}
_DAYS = {Unit.DAY: 1, Unit.WEEK: 7}
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


def local_time(seconds: int, zone: tzinfo) -> datetime:
    """The instant in the zone.

    Raises:
        OverflowError: the instant is not within the years 1 to 9999 there.
    """
    return (UNIX_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=UTC).astimezone(zone)


def unix_seconds(local: datetime, zone: tzinfo) -> int:
    """The instant at which a clock in the zone shows this; with its first offset where it shows it twice.

    What a clock change skips is read with the offset before it, so it moves forward by the gap.
    """
    local = local.replace(tzinfo=None, fold=0)
    return (local - UNIX_EPOCH - (zone.utcoffset(local) or timedelta())) // _SECOND


def start_of(unit: Unit, seconds: int, zone: tzinfo) -> int:
    """The first instant of the unit that the instant lies in.

    Raises:
        OverflowError: as `local_time`.
    """
    return _start_of(unit, minute_of(seconds) if unit is not Unit.SECOND else seconds, zone)


def minute_of(seconds: int) -> int:
    """The instant cut to its minute, where clocks everywhere are then in the same minute; else the instant.

    Since 1973 all offsets and their changes are whole minutes (Liberia was the last, with 44:30).
    """
    return seconds if seconds < _WHOLE_MINUTES_FROM_S else seconds // 60 * 60


@lru_cache(maxsize=65_536)  # columns have many times of few minutes
def _start_of(unit: Unit, seconds: int, zone: tzinfo) -> int:
    local = local_time(seconds, zone)
    start = _start(unit, local)
    offset = local.utcoffset() or timedelta()
    same_offset = (start - UNIX_EPOCH - offset) // _SECOND
    if unit in _LENGTHS_S and local_time(same_offset, zone).utcoffset() == offset:
        return same_offset  # the second of two hours that show the same begins where it begins
    return unix_seconds(start, zone)


def shifted(seconds: int, count: int, unit: Unit, zone: tzinfo) -> int:
    """The instant, so many units later; the same time of day for days and more, the last day of short months.

    Raises:
        OverflowError: as `local_time`.
    """
    if unit in _LENGTHS_S:
        return seconds + count * _LENGTHS_S[unit]
    local = local_time(seconds, zone).replace(tzinfo=None)
    if unit in _DAYS:
        return unix_seconds(local + timedelta(days=count * _DAYS[unit]), zone)
    return unix_seconds(_months_later(local, count * _MONTHS[unit]), zone)


def boundary(unit: Unit, seconds: int, count: int, zone: tzinfo) -> int:
    """The start of the unit so many units after the one that the instant lies in.

    A day that begins late, as a clock change skips its midnight, does not make its neighbours begin late.

    Raises:
        OverflowError: as `local_time`.
    """
    start = shifted(start_of(unit, seconds, zone), count, unit, zone)
    return start if unit in _LENGTHS_S else start_of(unit, start, zone)


def _start(unit: Unit, local: datetime) -> datetime:
    """When the unit began, on the local clock."""
    return _STARTS[unit](local.replace(tzinfo=None, microsecond=0))


def _midnight(clock: datetime) -> datetime:
    return clock.replace(hour=0, minute=0, second=0)


_STARTS: dict[Unit, Callable[[datetime], datetime]] = {
    Unit.SECOND: lambda clock: clock,
    Unit.MINUTE: lambda clock: clock.replace(second=0),
    Unit.HOUR: lambda clock: clock.replace(minute=0, second=0),
    Unit.DAY: _midnight,
    Unit.WEEK: lambda clock: _midnight(clock) - timedelta(days=clock.weekday()),
    Unit.MONTH: lambda clock: _midnight(clock).replace(day=1),
    Unit.QUARTER: lambda clock: _midnight(clock).replace(month=(clock.month - 1) // 3 * 3 + 1, day=1),
    Unit.YEAR: lambda clock: _midnight(clock).replace(month=1, day=1),
}


def _months_later(local: datetime, months: int) -> datetime:
    year, month = divmod(local.year * _DECEMBER + local.month - 1 + months, _DECEMBER)
    try:
        first = local.replace(year=year, month=month + 1, day=1)
        following = (first + timedelta(days=31)).replace(day=1)
    except ValueError:
        raise OverflowError(f"the year {year} is out of range") from None
    last_day = (following - timedelta(days=1)).day
    return first.replace(day=min(local.day, last_day))
