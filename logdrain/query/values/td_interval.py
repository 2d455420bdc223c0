"""TD_INTERVAL's ranges: `-1d`, `-7d/-2d`, `-1h/now`, `-1M/2016-05-20`.

`[+-]N unit [/ offset]`; units s m h d w M q y; the offset is `now`, a date with or without a time, or
`[+-]N unit`, and may have an offset itself.
"""

import re
from datetime import tzinfo

from logdrain.query.values.td_calendar import Unit, boundary, shifted, start_of
from logdrain.query.values.td_time import unix_time

_DURATION = re.compile(r"([+-]?[0-9]{1,9})([smhdwMqy])")


def interval(spec: str, base: int, zone: tzinfo) -> tuple[int, int] | None:
    """The half-open range of unix seconds; None where the spec cannot be read.

    The range goes from the offset's instant to the boundary of the unit N units from it. Without an offset
    that instant is where the base's unit began.

    Args:
        spec: As in the module's text.
        base: What it counts from, unix seconds.
        zone: Whose days and months are meant.

    Raises:
        OverflowError: the range leaves the years 1 to 9999.
    """
    first, _, offset = spec.strip().partition("/")
    duration = _duration(first)
    if duration is None or spec.strip().endswith("/"):
        return None
    count, unit = duration
    point = _point(offset, base, unit, zone) if offset else start_of(unit, base, zone)
    if point is None:
        return None
    end = boundary(unit, point, count, zone)
    return min(point, end), max(point, end)


def _point(offset: str, base: int, window: Unit, zone: tzinfo) -> int | None:
    """The instant that an offset means: its last part is the place, the parts before it move that."""
    *moves, place = offset.split("/")
    duration = _duration(place)
    if place.strip() == "now":
        point: int | None = base
    elif duration is not None:
        count, unit = duration
        point = boundary(unit, base, count, zone)
    else:
        point = unix_time(place, zone)
    for move in reversed(moves):
        found = _duration(move)
        if found is None or point is None:
            return None
        point = shifted(point, *found, zone)
    is_date = duration is None and place.strip() != "now"
    return start_of(window, point, zone) if is_date and point is not None else point


def _duration(text: str) -> tuple[int, Unit] | None:
    found = _DURATION.fullmatch(text.strip())
    return (int(found[1]), Unit(found[2])) if found else None
