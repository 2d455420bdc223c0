"""The history in the ledger: how slices stand and how their runs went."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from psycopg.rows import args_row, kwargs_row

from logdrain.errors import RunEnded, UnknownRun
from logdrain.ledger import queue, schedules
from logdrain.ledger.connections import Connections
from logdrain.model.jobs import Cause, Queue, Run, RunState, SliceState, SliceStatus, Wait
from logdrain.ports.transactions import Transaction

# A field of `Run` is a column of its own name, but for the key.
_COLUMNS = ", ".join(field.name for field in fields(Run)).replace("run_id", "id AS run_id")
_SELECT = f"SELECT {_COLUMNS} FROM logdrain.runs"  # noqa: S608  # only names of columns
_ONE = f"{_SELECT} WHERE id = %s".encode()
_OF_SCHEDULE = f"{_SELECT} WHERE schedule = %s ORDER BY id DESC LIMIT %s".encode()
_NEWEST = f"""
{_SELECT} WHERE %(state)s::text IS NULL OR state = %(state)s ORDER BY id DESC LIMIT %(limit)s
""".encode()
_OF_SLICES = f"""
SELECT DISTINCT ON (scheduled_at) {_COLUMNS} FROM logdrain.runs
WHERE schedule = %s AND scheduled_at = ANY (%s::timestamptz[]) ORDER BY scheduled_at, id DESC
""".encode()  # noqa: S608  # only names of columns
_QUEUES = """
SELECT schedule, count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'running'),
       min(scheduled_at)
FROM logdrain.slices WHERE state IN ('waiting', 'running') GROUP BY schedule
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
_STATUSES = """
SELECT scheduled_at, state, error_message, error_hint
FROM logdrain.slices
WHERE schedule = %s AND scheduled_at = ANY (%s::timestamptz[])
ORDER BY scheduled_at
"""
_WAITS = """
SELECT head.scheduled_at, before.name, open.scheduled_at,
       CASE WHEN open.state = 'running' THEN 'running'
            WHEN open.error_message <> '' THEN 'tried again, after: ' || open.error_message
            WHEN open.state = 'waiting' AND before.paused_at IS NOT NULL THEN 'waiting, and paused'
            WHEN open.state = 'waiting' THEN 'waiting'
            WHEN before.paused_at IS NOT NULL THEN 'paused'
            ELSE 'not due yet' END
FROM logdrain.schedules AS schedule
CROSS JOIN LATERAL (SELECT min(scheduled_at) AS scheduled_at FROM logdrain.slices
                    WHERE slices.schedule = schedule.name AND state = 'waiting') AS head
JOIN logdrain.schedules AS before ON before.name = ANY (schedule.after)
LEFT JOIN LATERAL (SELECT scheduled_at, state, error_message FROM logdrain.slices
                   WHERE slices.schedule = before.name AND state IN ('waiting', 'running')
                     AND scheduled_at <= head.scheduled_at
                   ORDER BY scheduled_at LIMIT 1) AS open ON true
WHERE schedule.name = %s AND schedule.after <> '{}'
  AND (open.scheduled_at IS NOT NULL OR before.next_at <= head.scheduled_at)
ORDER BY before.name
"""
_TOTALS = """
SELECT state, sum(count) FROM (SELECT state, count FROM logdrain.run_totals
                               UNION ALL SELECT state, count FROM logdrain.run_counts) AS part
GROUP BY state ORDER BY state
"""


class PostgresHistory:
    """`ports.History` in Postgres."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def of_schedule(self, name: str, limit: int) -> list[Run]:
        """The newest runs of a schedule, newest first."""
        with self._connections.transaction() as transaction:
            schedules.one(transaction, name)
            with transaction.cursor(row_factory=kwargs_row(_run)) as cursor:
                return cursor.execute(_OF_SCHEDULE, (name, limit)).fetchall()

    def newest(self, limit: int, state: RunState | None = None) -> list[Run]:
        """The newest runs, of any schedule or of none, newest first."""
        with (
            self._connections.transaction() as transaction,
            transaction.cursor(row_factory=kwargs_row(_run)) as cursor,
        ):
            return cursor.execute(_NEWEST, {"state": state, "limit": limit}).fetchall()

    def get(self, run_id: int) -> Run:
        """One run."""
        with self._connections.transaction() as transaction:
            return _get(transaction, run_id)

    def kill(self, run_id: int) -> bool:
        """End a run, or cancel its retry."""
        with self._connections.transaction() as transaction:
            schedule = _get(transaction, run_id).schedule
            if schedule is not None:
                queue.lock(transaction, schedule)
            if transaction.execute(_ASK_TO_END, (run_id,)).rowcount:
                return True
            if schedule is None or not transaction.execute(_CANCEL_WAITING, (run_id,)).rowcount:
                state = _get(transaction, run_id).state
                raise RunEnded(f"run {run_id} has ended: {state}", hint="there is nothing to end")
            queue.requeue(transaction, schedule)
            return False

    def slice_statuses(self, name: str, instants: Sequence[datetime]) -> list[SliceStatus]:
        """Where these slices stand, in order of time."""
        with (
            self._connections.transaction() as transaction,
            transaction.cursor(row_factory=kwargs_row(_status)) as cursor,
        ):
            return cursor.execute(_STATUSES, (name, list(instants))).fetchall()

    def newest_of_slices(self, name: str, instants: Sequence[datetime]) -> list[Run]:
        """The newest run of each of these slices, in order of time."""
        with (
            self._connections.transaction() as transaction,
            transaction.cursor(row_factory=kwargs_row(_run)) as cursor,
        ):
            return cursor.execute(_OF_SLICES, (name, list(instants))).fetchall()

    def queues(self) -> dict[str, Queue]:
        """What waits and runs of each schedule."""
        with (
            self._connections.transaction() as transaction,
            transaction.cursor(row_factory=args_row(_queue)) as cursor,
        ):
            return dict(cursor.execute(_QUEUES).fetchall())

    def waits(self, name: str) -> list[Wait]:
        """What the oldest waiting slice of a schedule waits for."""
        with (
            self._connections.transaction() as transaction,
            transaction.cursor(row_factory=args_row(Wait)) as cursor,
        ):
            return cursor.execute(_WAITS, (name,)).fetchall()

    def totals(self) -> dict[str, int]:
        """How many runs ended in each state, ever."""
        return {str(state): int(count) for state, count in self._connections.ask(_TOTALS)}

    def lateness_s(self, now: datetime) -> float:
        """For how long the slice that has waited longest for a worker could have started."""
        ((lateness_s,),) = self._connections.ask(_LATENESS, {"now": now})
        return float(lateness_s)

    def forget(self, before: datetime) -> int:
        """Delete some of the runs that ended before this time."""
        with self._connections.transaction() as transaction:
            return transaction.execute(_FORGET, (before,)).rowcount


def _get(transaction: Transaction, run_id: int) -> Run:
    with transaction.cursor(row_factory=kwargs_row(_run)) as cursor:
        found = cursor.execute(_ONE, (run_id,)).fetchone()
    if found is None:
        raise UnknownRun(f"there is no run {run_id}", hint="`logdrain job:list` shows the newest")
    return found


def _run(*, cause: str, state: str, warnings: list[str], **fields: Any) -> Run:
    return Run(cause=Cause(cause), state=RunState(state), warnings=tuple(warnings), **fields)


def _queue(schedule: str, waiting: int, running: int, oldest_at: datetime) -> tuple[str, Queue]:
    return schedule, Queue(waiting, running, oldest_at)


def _status(*, state: str, **fields: Any) -> SliceStatus:
    return SliceStatus(state=SliceState(state), **fields)
