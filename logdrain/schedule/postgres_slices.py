"""Slices in the ledger: how they come to be, and where they stand."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import kwargs_row

from logdrain import log
from logdrain.errors import CronInvalid, ZoneInvalid
from logdrain.model.jobs import Cause, Schedule, ScheduleStatus, SliceState, SliceStatus
from logdrain.ports import Transaction
from logdrain.schedule import cron, due, postgres_claims, postgres_queue, postgres_schedules

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
# What was forced once and still waits stays forced, whoever else asks for it.
_ASK = """
INSERT INTO logdrain.slices AS kept (schedule, scheduled_at, state, cause, forced)
SELECT DISTINCT %(schedule)s, instant, 'waiting', %(cause)s, %(forced)s
FROM unnest(%(instants)s::timestamptz[]) AS instant
ON CONFLICT (schedule, scheduled_at) DO UPDATE
SET state = 'waiting', cause = excluded.cause, reason = '', attempts = 0, not_before = NULL,
    forced = excluded.forced OR (kept.forced AND kept.state = 'waiting'),
    error_code = '', error_message = '', error_hint = ''
WHERE kept.state <> 'running'
"""
_MOVE_ON = """
UPDATE logdrain.schedules AS schedule SET next_at = planned.next_at
FROM unnest(%(names)s::text[], %(next_at)s::timestamptz[]) AS planned (name, next_at)
WHERE schedule.name = planned.name
"""
_STATUSES = """
SELECT scheduled_at, state, error_message, error_hint
FROM logdrain.slices
WHERE schedule = %s AND scheduled_at = ANY (%s::timestamptz[])
ORDER BY scheduled_at
"""


def plan_some(transaction: Transaction, now: datetime, count: int, left_out: list[str]) -> tuple[int, int]:
    """Turn the due instants of some schedules into slices, the longest due first.

    Args:
        transaction: Where; the schedules stay locked until it ends.
        now: The end of what is due.
        count: At most so many schedules.
        left_out: Names of schedules to pass over; gets those that turn out to be unreadable.

    Returns (how many schedules, how many slices wait now that were not there before). A schedule that
    another worker is at is left to that worker.
    """
    due_now = postgres_schedules.lock_due(transaction, now, count=count, left_out=left_out)
    plans = [(found.schedule, plan) for found in due_now if (plan := _plan(found, now, left_out)) is not None]
    waiting = [(schedule, at) for schedule, plan in plans for at in plan.waiting]
    slices = _insert(transaction, SliceState.WAITING, waiting)
    skipped = [(schedule, at) for schedule, plan in plans for at in plan.skipped]
    _insert(transaction, SliceState.SKIPPED, skipped)
    names = [schedule.name for schedule, _ in plans]
    next_at = [plan.next_at for _, plan in plans]
    transaction.execute(_MOVE_ON, {"names": names, "next_at": next_at})
    postgres_queue.requeue(transaction, *names)
    return len(due_now), slices


def _plan(found: ScheduleStatus, now: datetime, left_out: list[str]) -> due.Due | None:
    """What becomes of a schedule's due instants; None where its cron or zone cannot be read."""
    schedule = found.schedule
    try:
        times = cron.parse(schedule.cron, schedule.timezone)
    except (CronInvalid, ZoneInvalid) as error:  # readable when it was made: the zone database has changed
        log.warning("schedule_unreadable", schedule=schedule.name, error=error)
        left_out.append(schedule.name)
        return None
    plan = due.plan(
        times,
        found.next_at or now,
        now,
        delay_s=schedule.delay_s,
        catch_up=schedule.catch_up,
        catch_up_max=schedule.catch_up_max,
    )
    if plan.skipped or plan.unrecorded:
        _log_skipped(schedule, plan)
    return plan


def ask(
    transaction: Transaction, name: str, instants: Sequence[datetime], cause: Cause, *, force: bool
) -> None:
    """Ask for slices to run at once, again where they ran before; a running one is left to finish.

    Raises:
        UnknownSchedule: With the nearest name.
    """
    found = postgres_schedules.lock(transaction, name)
    if found is None:
        raise postgres_schedules.unknown(transaction, name)
    postgres_claims.give_up_lost(transaction, found.schedule)
    transaction.execute(_ASK, {"schedule": name, "instants": list(instants), "cause": cause, "forced": force})
    postgres_queue.requeue(transaction, name)


def statuses(transaction: Transaction, name: str, instants: Sequence[datetime]) -> list[SliceStatus]:
    """Where these slices stand, in order of time; those that nobody asked for are left out."""
    with transaction.cursor(row_factory=kwargs_row(_status)) as cursor:
        return cursor.execute(_STATUSES, (name, list(instants))).fetchall()


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


def _log_skipped(schedule: Schedule, plan: due.Due) -> None:
    start, end = plan.unrecorded or (None, None)
    log.warning(
        "slices_skipped",
        schedule=schedule.name,
        catch_up=schedule.catch_up,
        recorded=len(plan.skipped),
        unrecorded_from=start and start.isoformat(),
        unrecorded_until=end and end.isoformat(),
    )


def _status(*, scheduled_at: datetime, state: str, error_message: str, error_hint: str) -> SliceStatus:
    return SliceStatus(scheduled_at, SliceState(state), error_message, error_hint)
