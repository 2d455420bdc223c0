"""Which files of a table are to be built: hours, then days, then months; and again what late events touched.

Small hours wait for their day, sparse days for their month: a thousand old hours in one body make no thousand
files. Newest first, so that old history never holds up what people look at.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from logdrain.model.archive import ArchiveFile, ArchiveHours
from logdrain.model.late import LATE_SETTLES_S

HOUR_S = 3600
DAY_S = 86_400
SETTLES_S = 60
"""So long after an hour has ended it is built, by MongoDB's clock."""

EVENTS_MIN = 1_000
"""Fewer events make no file of their own: an hour waits for its day, a day for its month."""

_DAY_MAX_BYTES = 512 * 1024**2
_MONTH_MAX_BYTES = 64 * 1024**2
_WIDE_REWRITTEN_EVERY = timedelta(days=1)


class WaitingHour(NamedTuple):
    """An hour of MongoDB that is in no file; the count stops at EVENTS_MIN."""

    begins_s: int
    events: int


class Build(NamedTuple):
    """A file to make of these hours, in the place of others."""

    hours: ArchiveHours
    old: tuple[ArchiveFile, ...] = ()


def ended_before_s(store_time: datetime) -> int:
    """The end of the last hour that may be built."""
    return int(store_time.timestamp() - SETTLES_S) // HOUR_S * HOUR_S


def day_of(time_s: int) -> ArchiveHours:
    """The UTC day around a time."""
    begins_s = time_s // DAY_S * DAY_S
    return ArchiveHours(begins_s, begins_s + DAY_S)


def month_of(time_s: int) -> ArchiveHours:
    """The UTC month around a time."""
    first = datetime.fromtimestamp(time_s, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    after = (first + timedelta(days=31)).replace(day=1)
    return ArchiveHours(int(first.timestamp()), int(after.timestamp()))


def stem_of(file_table: str, hours: ArchiveHours) -> str:
    """Where a file belongs, without its digest: `production/pay/day=2026-07-01/09`."""
    database, _, table = file_table.partition(".")
    begin = datetime.fromtimestamp(hours.begins_s, UTC)
    if hours == month_of(hours.begins_s):
        return f"{database}/{table}/day={begin:%Y-%m}-01/month"
    hour = "day" if hours.ends_s - hours.begins_s == DAY_S else f"{begin:%H}"
    return f"{database}/{table}/day={begin:%Y-%m-%d}/{hour}"


def uncovered(files: Sequence[ArchiveFile], until_s: int) -> list[ArchiveHours]:
    """The stretches before a time that no file covers, newest first."""
    gaps, at_s = [], 0
    for file in files:
        if file.hours.begins_s > at_s:
            gaps.append(ArchiveHours(at_s, min(file.hours.begins_s, until_s)))
        at_s = max(at_s, file.hours.ends_s)
    if at_s < until_s:
        gaps.append(ArchiveHours(at_s, until_s))
    return [gap for gap in reversed(gaps) if gap.begins_s < gap.ends_s]


def builds(
    files: Sequence[ArchiveFile],
    waiting: Iterable[WaitingHour],
    notes: Mapping[int, datetime],
    store_time: datetime,
) -> list[Build]:
    """What there is to do for a table, in this order.

    Args:
        files: The current ones, in order of time.
        waiting: Ended hours in no file that have events.
        notes: When each hour was last noted to have late events, by its start.
        store_time: MongoDB's clock.
    """
    hours = sorted(waiting, reverse=True)
    ended_s = ended_before_s(store_time)
    again = [Build(file.hours, (file,)) for file in reversed(files) if _is_late(file, notes, store_time)]
    busy = {build.hours for build in again}
    single = [
        Build(ArchiveHours(hour.begins_s, hour.begins_s + HOUR_S))
        for hour in hours
        if hour.events >= EVENTS_MIN
    ]
    busy |= {build.hours for build in single}
    days = _compactions(files, hours, ended_s, busy)
    return [*again, *single, *days]


def _is_late(file: ArchiveFile, notes: Mapping[int, datetime], store_time: datetime) -> bool:
    """Whether events may be in MongoDB that the file lacks, and all of them are there by now."""
    settles = timedelta(seconds=LATE_SETTLES_S)
    begins_s, ends_s = file.hours
    newest = max((noted for hour, noted in notes.items() if begins_s <= hour < ends_s), default=None)
    if newest is None or newest < file.read_began - settles or newest > store_time - settles:
        return False
    is_wide = ends_s - begins_s > HOUR_S
    return not is_wide or store_time - file.read_began >= _WIDE_REWRITTEN_EVERY


def _compactions(
    files: Sequence[ArchiveFile], waiting: Sequence[WaitingHour], ended_s: int, busy: set[ArchiveHours]
) -> list[Build]:
    """Small months, and days; not those that another build of this round touches."""
    found: list[Build] = []
    for span in (month_of, day_of):
        pieces: dict[ArchiveHours, tuple[list[ArchiveFile], list[WaitingHour]]] = defaultdict(
            lambda: ([], [])
        )
        for file in files:
            around = span(file.hours.begins_s)
            if file.hours.ends_s - file.hours.begins_s < around.ends_s - around.begins_s:
                pieces[around][0].append(file)
        for hour in waiting:
            pieces[span(hour.begins_s)][1].append(hour)
        for around in sorted(pieces, reverse=True):
            inside, hours = pieces[around]
            if around.ends_s <= ended_s and not any(_touch(around, other) for other in busy):
                made = _merged(around, inside, hours, is_month=span is month_of)
                found += made
                busy |= {build.hours for build in made}
    return found


def _merged(
    around: ArchiveHours, files: Sequence[ArchiveFile], waiting: Sequence[WaitingHour], *, is_month: bool
) -> list[Build]:
    size_bytes = sum(file.size_bytes for file in files)
    if is_month:
        if size_bytes <= _MONTH_MAX_BYTES:
            return [Build(around, tuple(files))] if len(files) > 1 or waiting else []
        days = {day_of(hour.begins_s) for hour in waiting}
        return [
            Build(day, tuple(file for file in files if _touch(day, file.hours)))
            for day in sorted(days, reverse=True)
        ]
    if size_bytes <= _DAY_MAX_BYTES:
        is_enough = bool(files) or sum(hour.events for hour in waiting) >= EVENTS_MIN
        return [Build(around, tuple(files))] if is_enough else []
    return [Build(ArchiveHours(hour.begins_s, hour.begins_s + HOUR_S)) for hour in waiting]


def _touch(one: ArchiveHours, other: ArchiveHours) -> bool:
    return one.begins_s < other.ends_s and other.begins_s < one.ends_s
