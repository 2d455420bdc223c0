"""Planning: cron instants that are due become slices."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from logdrain import log
from logdrain.errors import CronInvalid, ZoneInvalid
from logdrain.ledger import queue, schedules
from logdrain.model.jobs import CatchUp, Due, Schedule, ScheduleStatus, SliceState
from logdrain.ports.ledger import Calendar
from logdrain.ports.transactions import Transaction

# What one transaction plans: the others' turn comes after it.
_SCHEDULES_AT_ONCE = 500
_INSTANTS_AT_ONCE = 20_000
# A slice that is there already was asked for by hand. Where it ran before its time, when its hour was not
# over, it runs again now that it is due.
_INSERT = """
INSERT INTO logdrain.slices AS kept (schedule, scheduled_at, state, cause, not_before)
SELECT schedule, instant, state, 'schedule', instant + make_interval(secs => delay_s)
FROM unnest(%(schedules)s::text[], %(instants)s::timestamptz[], %(states)s::text[], %(delays_s)s::integer[])
  AS planned (schedule, instant, state, delay_s)
ON CONFLICT (schedule, scheduled_at) DO UPDATE
SET state = 'waiting', cause = 'schedule', reason = '', not_before = excluded.not_before, attempts = 0,
    error_code = '', error_message = '', error_hint = ''
WHERE excluded.state = 'waiting' AND kept.state IN ('succeeded', 'failed') AND NOT EXISTS (
    SELECT FROM logdrain.runs
    WHERE runs.schedule = kept.schedule AND runs.scheduled_at = kept.scheduled_at
      AND runs.started_at >= excluded.not_before
)
"""
_MOVE_ON = """
UPDATE logdrain.schedules AS schedule SET next_at = planned.next_at
FROM unnest(%(names)s::text[], %(next_at)s::timestamptz[]) AS planned (name, next_at)
WHERE schedule.name = planned.name
"""
# min(), which is the first of the index; EXISTS would read the whole table where statistics are out of date.
IS_ANY_DUE = """
SELECT coalesce(min(next_at) <= %(now)s, false) FROM logdrain.schedules
WHERE next_at IS NOT NULL AND paused_at IS NULL
"""
"""Whether there is something to plan, at the price of a look at an index."""


class PlannedCount(NamedTuple):
    """What one transaction of planning has done.

    Attributes:
        schedules: How many have been planned.
        slices: How many wait now that were not there before.
        has_more: There may be more schedules that are due.
    """

    schedules: int
    slices: int
    has_more: bool


def plan_some(
    transaction: Transaction, calendar: Calendar, now: datetime, schedules_max: float, left_out: list[str]
) -> PlannedCount:
    """Turn the due instants of some schedules into slices, the longest due first.

    A schedule that another worker is at is left to that worker.

    Args:
        transaction: Where; the schedules stay locked until it ends.
        calendar: When schedules are due.
        now: The end of what is due.
        schedules_max: At most this many schedules.
        left_out: Names of schedules to pass over; gets those that turn out to be unreadable.
    """
    count = int(min(schedules_max, _SCHEDULES_AT_ONCE))
    due_now = schedules.lock_due(transaction, now, count=count, left_out=left_out)
    plans = _plans(due_now, calendar, now, left_out)
    if plans:
        waiting = [(schedule, at) for schedule, plan in plans for at in plan.waiting]
        slices = _insert(transaction, SliceState.WAITING, waiting)
        skipped = [(schedule, at) for schedule, plan in plans for at in plan.skipped]
        _insert(transaction, SliceState.SKIPPED, skipped)
        names = [schedule.name for schedule, _ in plans]
        next_at = [plan.next_at for _, plan in plans]
        transaction.execute(_MOVE_ON, {"names": names, "next_at": next_at})
        queue.requeue(transaction, *names)
    else:
        slices = 0
    has_more = len(due_now) == count or len(plans) < len(due_now)
    return PlannedCount(len(due_now), slices, has_more)


def _plans(
    due_now: Sequence[ScheduleStatus], calendar: Calendar, now: datetime, left_out: list[str]
) -> list[tuple[Schedule, Due]]:
    """What becomes of due instants, of as many schedules as have a bounded number of them together."""
    plans: list[tuple[Schedule, Due]] = []
    made: dict[tuple[object, ...], Due] = {}  # very many schedules, but few different times
    instants = 0
    for schedule, next_at, _ in due_now:
        if instants >= _INSTANTS_AT_ONCE:
            break
        key = (next_at, *_times(schedule))
        try:
            plan = made.get(key) or calendar.due(schedule, next_at or now, now)
        except (CronInvalid, ZoneInvalid) as error:  # the zone database has changed since it was made
            log.warning("schedule_unreadable", schedule=schedule.name, error=error)
            left_out.append(schedule.name)
            continue
        made[key] = plan
        if plan.skipped or plan.unrecorded:
            _log_skipped(schedule, plan)
        plans.append((schedule, plan))
        instants += len(plan.waiting) + len(plan.skipped)
    return plans


def _times(schedule: Schedule) -> tuple[str, str, int, CatchUp, int]:
    """What its due instants depend on."""
    return (
        schedule.cron,
        schedule.timezone,
        schedule.delay_s,
        schedule.catch_up,
        schedule.catch_up_max,
    )


def _insert(transaction: Transaction, state: SliceState, slices: Sequence[tuple[Schedule, datetime]]) -> int:
    if not slices:
        return 0
    return transaction.execute(
        _INSERT,
        {
            "schedules": [schedule.name for schedule, _ in slices],
            "instants": [instant for _, instant in slices],
            "states": [state] * len(slices),
            "delays_s": [schedule.delay_s for schedule, _ in slices],
        },
    ).rowcount


def _log_skipped(schedule: Schedule, plan: Due) -> None:
    start, end = plan.unrecorded or (None, None)
    log.warning(
        "slices_skipped",
        schedule=schedule.name,
        catch_up=schedule.catch_up,
        recorded=len(plan.skipped),
        unrecorded_from=start and start.isoformat(),
        unrecorded_until=end and end.isoformat(),
    )
