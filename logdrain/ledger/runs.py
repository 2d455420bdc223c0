"""Runs in the ledger, to look at, to end and to forget."""

from datetime import datetime
from typing import Any

from psycopg.rows import kwargs_row, scalar_row

from logdrain.errors import RunEnded, UnknownRun
from logdrain.ledger import queue, schedules
from logdrain.model.jobs import Cause, Run, RunState
from logdrain.ports.transactions import Transaction

_SELECT = """
SELECT id AS run_id, schedule, scheduled_at, cause, attempt, state, started_at, finished_at, rows_read,
       bytes_read, rows_written, warnings, error_code, error_message, error_hint, reason, due_at
FROM logdrain.runs
"""
_ASK_TO_END = """
UPDATE logdrain.runs SET kill_asked_at = coalesce(kill_asked_at, clock_timestamp())
WHERE id = %s AND state = 'running'
"""
_CANCEL_WAITING = """
UPDATE logdrain.slices AS slice
SET state = 'cancelled', not_before = NULL, error_code = 'run_killed',
    error_message = 'cancelled while it waited', error_hint = '`logdrain sched:run` runs it'
FROM logdrain.runs AS run
WHERE run.id = %s AND slice.schedule = run.schedule AND slice.scheduled_at = run.scheduled_at
  AND slice.state = 'waiting'
"""
_FORGET = """
DELETE FROM logdrain.runs
WHERE id IN (SELECT id FROM logdrain.runs WHERE finished_at < %s ORDER BY finished_at LIMIT 10000)
"""
# Only what could have started counts: not a schedule whose slice runs, nor one asked for by hand.
_LATENESS = """
SELECT coalesce(max(extract(epoch FROM %(now)s - runnable_from)), 0)::float
FROM logdrain.schedules
WHERE runnable_from > '-infinity' AND runnable_from <= %(now)s AND running_until IS NULL
"""


def history(transaction: Transaction, name: str, limit: int) -> list[Run]:
    """The newest runs of a schedule, newest first.

    Raises:
        UnknownSchedule: With the nearest name.
    """
    schedules.one(transaction, name)
    with transaction.cursor(row_factory=kwargs_row(_run)) as cursor:
        return cursor.execute(
            _SELECT + "WHERE schedule = %s ORDER BY id DESC LIMIT %s", (name, limit)
        ).fetchall()


def newest(transaction: Transaction, limit: int, state: RunState | None) -> list[Run]:
    """The newest runs of all schedules, newest first; of one state, or of any."""
    with transaction.cursor(row_factory=kwargs_row(_run)) as cursor:
        return cursor.execute(
            _SELECT + "WHERE %(state)s::text IS NULL OR state = %(state)s ORDER BY id DESC LIMIT %(limit)s",
            {"state": state, "limit": limit},
        ).fetchall()


def one(transaction: Transaction, run_id: int) -> Run:
    """A run by its number.

    Raises:
        UnknownRun: There is none.
    """
    with transaction.cursor(row_factory=kwargs_row(_run)) as cursor:
        found = cursor.execute(_SELECT + "WHERE id = %s", (run_id,)).fetchone()
    if found is None:
        raise UnknownRun(f"there is no run {run_id}", hint="`logdrain job:list` shows the newest")
    return found


def kill(transaction: Transaction, run_id: int) -> bool:
    """End a run. True: its worker has been asked to; False: it had failed, and its retry is cancelled.

    Raises:
        UnknownRun: There is none.
        RunEnded: It has ended, and its slice does not wait to be tried again.
    """
    run = one(transaction, run_id)
    queue.lock(transaction, run.schedule)
    if transaction.execute(_ASK_TO_END, (run_id,)).rowcount:
        return True
    if not transaction.execute(_CANCEL_WAITING, (run_id,)).rowcount:
        run = one(transaction, run_id)
        raise RunEnded(f"run {run_id} has ended: {run.state}", hint="there is nothing to end")
    queue.requeue(transaction, run.schedule)
    return False


def forget(transaction: Transaction, before: datetime) -> int:
    """Delete runs that ended before this time, some at a time; totals stay. Returns how many."""
    return transaction.execute(_FORGET, (before,)).rowcount


def lateness_s(transaction: Transaction, now: datetime) -> float:
    """For how long the slice that has waited longest for a worker could have started; 0 for none."""
    with transaction.cursor(row_factory=scalar_row) as cursor:
        return float(cursor.execute(_LATENESS, {"now": now}).fetchone() or 0)


def _run(*, cause: str, state: str, warnings: list[str], **fields: Any) -> Run:
    return Run(cause=Cause(cause), state=RunState(state), warnings=tuple(warnings), **fields)
