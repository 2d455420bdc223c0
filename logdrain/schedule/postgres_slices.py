"""Slices in the ledger: how they come to be, and where they stand."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row

from logdrain import log
from logdrain.errors import CronInvalid, ZoneInvalid
from logdrain.model.jobs import Cause, Run, RunState, Schedule, SliceState, SliceStatus
from logdrain.ports import Transaction
from logdrain.schedule import cron, due, postgres_claims, postgres_schedules

# A slice that is there already was asked for by hand. Where it ran before its time, when its hour was not
# over, it runs again now that it is due.
_INSERT = """
INSERT INTO logdrain.slices AS kept (schedule, scheduled_at, state, cause, not_before)
SELECT %(schedule)s, instant, %(state)s, 'schedule', instant + make_interval(secs => %(delay_s)s)
FROM unnest(%(instants)s::timestamptz[]) AS instant
ON CONFLICT (schedule, scheduled_at) DO UPDATE
SET state = 'waiting', cause = 'schedule', not_before = excluded.not_before, attempts = 0,
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
SET state = 'waiting', cause = excluded.cause, attempts = 0, not_before = NULL,
    forced = excluded.forced OR (kept.forced AND kept.state = 'waiting'),
    error_code = '', error_message = '', error_hint = ''
WHERE kept.state <> 'running'
"""
_STATUSES = """
SELECT scheduled_at, state, error_message, error_hint
FROM logdrain.slices
WHERE schedule = %s AND scheduled_at = ANY (%s::timestamptz[])
ORDER BY scheduled_at
"""
_HISTORY = """
SELECT id AS run_id, schedule, scheduled_at, cause, attempt, state, started_at, finished_at, rows_read,
       rows_written, warnings, error_code, error_message, error_hint
FROM logdrain.runs
WHERE schedule = %s
ORDER BY id DESC
LIMIT %s
"""


def plan_next(transaction: Transaction, now: datetime, after: str) -> tuple[str, int] | None:
    """Turn the due instants of the next schedule behind `after` (by name) into slices.

    Returns (its name, how many slices wait now that were not there before), or None where no schedule
    is due. A schedule that another worker is at is left to that worker.
    """
    found = postgres_schedules.lock_next_due(transaction, now, after)
    if found is None:
        return None
    schedule, next_at = found
    if next_at is None:
        return schedule.name, 0
    try:
        times = cron.parse(schedule.cron, schedule.timezone)
    except (CronInvalid, ZoneInvalid) as error:  # readable when it was made: the zone database has changed
        log.warning("schedule_unreadable", schedule=schedule.name, error=error)
        return schedule.name, 0
    plan = due.plan(
        times,
        next_at,
        now,
        delay_s=schedule.delay_s,
        catch_up=schedule.catch_up,
        catch_up_max=schedule.catch_up_max,
    )
    count = _insert(transaction, schedule, SliceState.WAITING, plan.waiting)
    _insert(transaction, schedule, SliceState.SKIPPED, plan.skipped)
    if plan.skipped or plan.unrecorded:
        _log_skipped(schedule, plan)
    transaction.execute(
        "UPDATE logdrain.schedules SET next_at = %s WHERE name = %s", (plan.next_at, schedule.name)
    )
    return schedule.name, count


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
    postgres_claims.give_up_lost(transaction, found[0])
    transaction.execute(_ASK, {"schedule": name, "instants": list(instants), "cause": cause, "forced": force})


def statuses(transaction: Transaction, name: str, instants: Sequence[datetime]) -> list[SliceStatus]:
    """Where these slices stand, in order of time; those that nobody asked for are left out."""
    with transaction.cursor(row_factory=kwargs_row(_status)) as cursor:
        return cursor.execute(_STATUSES, (name, list(instants))).fetchall()


def history(transaction: Transaction, name: str, limit: int) -> list[Run]:
    """The newest runs of a schedule, newest first.

    Raises:
        UnknownSchedule: With the nearest name.
    """
    postgres_schedules.one(transaction, name)
    with transaction.cursor(row_factory=kwargs_row(_run)) as cursor:
        return cursor.execute(_HISTORY, (name, limit)).fetchall()


def _insert(
    transaction: Transaction, schedule: Schedule, state: SliceState, instants: Sequence[datetime]
) -> int:
    if not instants:
        return 0
    return transaction.execute(
        _INSERT,
        {
            "schedule": schedule.name,
            "state": state,
            "delay_s": schedule.delay_s,
            "instants": list(instants),
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


def _run(*, cause: str, state: str, warnings: list[str], **fields: Any) -> Run:
    return Run(cause=Cause(cause), state=RunState(state), warnings=tuple(warnings), **fields)
