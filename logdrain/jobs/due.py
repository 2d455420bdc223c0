"""What is due: which cron instants become slices, also after a pause."""

from collections import deque
from datetime import datetime, timedelta

from logdrain.jobs.cron import Cron, parse
from logdrain.model.jobs import CatchUp, Due, Schedule

ON_TIME_S = 600
"""A slice that starts at most this late was not missed: deploys and restarts take minutes."""

SKIPPED_ROWS_MAX = 10_000
"""So many skipped slices are recorded one by one, the newest; older ones only as a range."""

_JUST_BEFORE = timedelta(microseconds=1)


class CronCalendar:
    """`ports.Calendar` by the cron expressions of schedules."""

    def first_after(self, schedule: Schedule, moment: datetime) -> datetime | None:
        """The first instant of a schedule after a moment, or None for never."""
        return parse(schedule.cron, schedule.timezone).next_after(moment)

    def last_before(self, schedule: Schedule, moment: datetime) -> datetime | None:
        """The last instant of a schedule before a moment, or None where there is none."""
        return parse(schedule.cron, schedule.timezone).last_before(moment)

    def due(self, schedule: Schedule, next_at: datetime, now: datetime) -> Due:
        """What becomes of a schedule's instants in [next_at, now]."""
        return plan(
            parse(schedule.cron, schedule.timezone),
            next_at,
            now,
            delay_s=schedule.delay_s,
            catch_up=schedule.catch_up,
            catch_up_max=schedule.catch_up_max,
        )


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
