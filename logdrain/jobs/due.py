"""What is due: which cron instants become slices after a pause, and when a failed slice is tried again."""

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from logdrain.jobs.cron import Cron
from logdrain.model.jobs import CatchUp

ON_TIME_S = 600
"""A slice that starts at most this late was not missed: deploys and restarts take minutes."""

SKIPPED_ROWS_MAX = 10_000
"""So many skipped slices are recorded one by one, the newest; older ones only as a range."""

_JUST_BEFORE = timedelta(microseconds=1)
_RETRY_FIRST_S = 10
_RETRY_MAX_S = 600
_REVIVE_TRANSIENT = timedelta(minutes=10)
# What does not pass by itself is put right by people.
_REVIVE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Due:
    """What becomes of the instants up to now.

    Attributes:
        waiting: Instants whose slices shall run, in order.
        skipped: Instants to record as skipped, in order.
        unrecorded: First instant, and end, of those that are skipped without a record; or None.
        next_at: The first instant after now, or None for never.
    """

    waiting: tuple[datetime, ...]
    skipped: tuple[datetime, ...]
    unrecorded: tuple[datetime, datetime] | None
    next_at: datetime | None


def plan(
    cron: Cron, next_at: datetime, now: datetime, *, delay_s: int, catch_up: CatchUp, catch_up_max: int
) -> Due:
    """Decide what to do with the instants in [next_at, now].

    An instant whose delay has not passed is simply waiting, and so is the newest one whose delay has
    passed at most `ON_TIME_S` ago. All others were missed. Of these, `all` runs the newest
    `catch_up_max`, `latest` the newest unless a later one runs anyway, `none` runs none.

    Time and memory are bounded by `catch_up_max` and `SKIPPED_ROWS_MAX`, however long the pause.
    """
    limit = 1 + catch_up_max + SKIPPED_ROWS_MAX
    instants = _newest(cron, next_at, now, limit=limit)
    passed_until = now - timedelta(seconds=delay_s)
    passed = [instant for instant in instants if instant <= passed_until]
    waiting = instants[len(passed) :]
    if passed and passed_until - passed[-1] <= timedelta(seconds=ON_TIME_S):
        waiting.insert(0, passed.pop())
    made_up = {
        CatchUp.ALL: catch_up_max,
        CatchUp.LATEST: 0 if waiting else 1,
        CatchUp.NONE: 0,
    }[catch_up]
    first_kept = max(0, len(passed) - made_up)
    oldest = cron.next_after(next_at - _JUST_BEFORE) if len(instants) == limit else None
    unrecorded = (oldest, instants[0]) if oldest and instants and oldest < instants[0] else None
    return Due(
        waiting=(*passed[first_kept:], *waiting),
        skipped=tuple(passed[:first_kept]),
        unrecorded=unrecorded,
        next_at=cron.next_after(now),
    )


def retry_after(attempt: int) -> timedelta:
    """How long a slice waits that failed on this attempt (from 1): 10 s, 20 s, 40 s … 10 min."""
    doublings = min(attempt - 1, _RETRY_MAX_S.bit_length())
    return timedelta(seconds=min(_RETRY_FIRST_S << doublings, _RETRY_MAX_S))


def revive_after(*, is_transient: bool) -> timedelta:
    """How long a slice rests that has used up its retries, before late events that it lacks bring it back."""
    return _REVIVE_TRANSIENT if is_transient else _REVIVE


def _newest(cron: Cron, start: datetime, end: datetime, *, limit: int) -> list[datetime]:
    """The newest `limit` instants in [start, end], found in windows that grow backwards from the end."""
    window = timedelta(days=1)
    while True:
        after = max(start, end - window) - _JUST_BEFORE
        newest: deque[datetime] = deque(maxlen=limit)
        count = 0
        for instant in cron.iterate(after):
            if instant > end:
                break
            newest.append(instant)
            count += 1
        if count >= limit or after < start:
            return list(newest)
        window *= max(2, min(8, limit // max(count, 1) + 1))
