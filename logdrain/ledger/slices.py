"""Slices in the ledger: how workers share them, and never run two of a schedule, or one twice at once.

Who claims, plans, asks for or ends slices of a schedule holds the lock on its row. What a run writes is
fenced: it counts only while the slice runs under the fence of its claim.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import DictRow, dict_row, kwargs_row

from logdrain.errors import LeaseLost, LedgerUnavailable
from logdrain.ledger import notices, planning, queue, schedules
from logdrain.ledger.chains import MISSED
from logdrain.ledger.connections import Connections, named_errors, storable
from logdrain.model.jobs import Cause, Claim, Reads, RunFailure, RunOutcome, RunState, Schedule
from logdrain.model.plans import TimeRange
from logdrain.ports.ledger import Calendar
from logdrain.ports.transactions import Transaction

_PICK = f"""
SELECT {schedules.COLUMNS}, next_at, paused_at, running_until IS NOT NULL AS is_running
FROM logdrain.schedules
WHERE (runnable_from IS NOT NULL OR running_until IS NOT NULL)
  AND CASE WHEN running_until IS NULL THEN runnable_from <= %(now)s
      ELSE running_until <= clock_timestamp() END
  AND (%(schedule)s::text IS NULL OR name = %(schedule)s)
  AND name <> ALL (%(tried)s::text[])
ORDER BY priority DESC, runnable_late, last_claimed_at NULLS FIRST, name
LIMIT %(count)s
FOR NO KEY UPDATE SKIP LOCKED
""".encode()  # noqa: S608  # only names of columns
# Slices run oldest first. Those that run again for late events stand behind: they run when nothing else may.
# One that has to wait for another schedule's runs only where that is forced.
_TAKE = (
    """
WITH head AS (
    SELECT schedule.name, schedule.after, first.scheduled_at
    FROM logdrain.schedules AS schedule
    CROSS JOIN LATERAL (
        SELECT scheduled_at
        FROM ((SELECT scheduled_at, not_before, forced, false AS is_late FROM logdrain.slices
               WHERE slices.schedule = schedule.name AND state = 'waiting' AND cause <> 'late'
                 AND (cause = 'manual' OR schedule.paused_at IS NULL)
               ORDER BY scheduled_at LIMIT 1)
              UNION ALL
              (SELECT scheduled_at, not_before, forced, true FROM logdrain.slices
               WHERE slices.schedule = schedule.name AND state = 'waiting' AND cause = 'late'
                 AND schedule.paused_at IS NULL
               ORDER BY scheduled_at LIMIT 1)) AS waiting
        WHERE (not_before IS NULL OR not_before <= %(now)s)
          AND (forced OR schedule.after = '{}' OR NOT logdrain.has_to_wait(schedule.after, scheduled_at))
        ORDER BY is_late LIMIT 1) AS first
    WHERE schedule.name = %(name)s
      AND NOT EXISTS (SELECT FROM logdrain.slices AS other
                      WHERE other.schedule = schedule.name AND other.state = 'running')
), taken AS (
    UPDATE logdrain.slices AS slice
    SET state = 'running', owner = %(owner)s, attempts = attempts + 1, fence = fence + 1,
        lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
    FROM head
    WHERE slice.schedule = head.name AND slice.scheduled_at = head.scheduled_at
    RETURNING slice.*, head.after
), queued AS (
    UPDATE logdrain.schedules AS schedule
    SET last_claimed_at = clock_timestamp(), running_until = taken.lease_until
    FROM taken WHERE schedule.name = taken.schedule
), run AS (
    INSERT INTO logdrain.runs (schedule, scheduled_at, cause, attempt, fence, owner, reason, due_at)
    SELECT schedule, scheduled_at, cause, attempts, fence, owner,
           concat_ws('; ', nullif(reason, ''), """  # noqa: S608  # what is added is a constant
    + MISSED
    + """), not_before
    FROM taken
    RETURNING id, schedule
)
SELECT run.id AS run_id, scheduled_at, cause, fence, attempts AS attempt, forced,
       ever_succeeded AS ran_before
FROM taken JOIN run USING (schedule)
"""
)
_RENEW = """
UPDATE logdrain.slices
SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s AND state = 'running'
RETURNING (SELECT kill_asked_at IS NOT NULL FROM logdrain.runs WHERE id = %(run_id)s)
"""
_RUNNING_HERE = """
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s AND state = 'running'
"""
# All in one statement: the slice, if it is still the run's; and only then what goes with it.
_SUCCEED = """
WITH locked AS (
    SELECT name, failing_since FROM logdrain.schedules WHERE name = %(schedule)s FOR NO KEY UPDATE
), ended AS (
    UPDATE logdrain.slices
    SET state = 'succeeded', ever_succeeded = true, forced = false, not_before = NULL, lease_until = NULL,
        owner = '', reason = '', error_code = '', error_message = '', error_hint = '',
        scan_started_at = %(scan_started_at)s, is_newest_only = %(newest_only)s,
        is_unchecked = %(scan_started_at)s::timestamptz IS NOT NULL
    FROM locked
    WHERE schedule = locked.name AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s
      AND state = 'running'
    RETURNING schedule, scheduled_at, locked.failing_since
), forgotten AS (
    DELETE FROM logdrain.slice_reads AS reads USING ended
    WHERE reads.schedule = ended.schedule AND reads.scheduled_at = ended.scheduled_at
), kept AS (
    INSERT INTO logdrain.slice_reads (schedule, scheduled_at, table_name, start_s, end_s)
    SELECT DISTINCT schedule, scheduled_at, table_name, start_s, end_s
    FROM ended, unnest(%(tables)s::text[], %(starts)s::bigint[], %(ends)s::bigint[])
      AS reads (table_name, start_s, end_s)
), run AS (
    UPDATE logdrain.runs
    SET state = 'succeeded', finished_at = clock_timestamp(), rows_read = %(rows_read)s,
        bytes_read = %(bytes_read)s, rows_written = %(rows_written)s, warnings = %(warnings)s::text[]
    FROM ended
    WHERE id = %(run_id)s
)
SELECT failing_since, logdrain.count_run('succeeded'), logdrain.note_success(schedule, scheduled_at)
FROM ended
"""
_FAIL = (
    """
UPDATE logdrain.slices
SET state = CASE WHEN %(retry_at)s::timestamptz IS NULL THEN 'failed' ELSE 'waiting' END,
    not_before = coalesce(%(retry_at)s, %(revive_at)s::timestamptz), lease_until = NULL, owner = '',
    is_unchecked = is_unchecked OR (%(retry_at)s::timestamptz IS NULL AND scan_started_at IS NOT NULL),
    awaits_table = %(awaits_table)s,
    error_code = %(error_code)s, error_message = %(error_message)s, error_hint = %(error_hint)s
"""
    + _RUNNING_HERE
)
_CANCEL = (
    """
UPDATE logdrain.slices
SET state = 'cancelled', not_before = NULL, lease_until = NULL, owner = '',
    error_code = %(error_code)s, error_message = %(error_message)s, error_hint = %(error_hint)s
"""
    + _RUNNING_HERE
)
_RELEASE = (
    """
UPDATE logdrain.slices
SET state = 'waiting', attempts = attempts - 1, lease_until = NULL, owner = ''
"""
    + _RUNNING_HERE
)
_END_RUN = """
UPDATE logdrain.runs
SET state = %(state)s, finished_at = clock_timestamp(), warnings = %(warnings)s::text[],
    error_code = %(error_code)s, error_message = %(error_message)s, error_hint = %(error_hint)s
WHERE id = %(run_id)s
"""


class PostgresSlices:
    """`ports.Slices` in Postgres."""

    def __init__(self, connections: Connections, calendar: Calendar) -> None:
        self._connections = connections
        self._calendar = calendar
        self._identity = ""

    def identity(self) -> str:
        """The UUID that the migration has made; asked for once."""
        if not self._identity:
            ((identity,),) = self._connections.ask("SELECT id FROM logdrain.identity")
            self._identity = str(identity)
        return self._identity

    def plan(self, now: datetime, *, schedules_max: int | None = None) -> int:
        """Turn cron instants into waiting slices, some schedules in one transaction."""
        ((is_any_due,),) = self._connections.ask(planning.IS_ANY_DUE, {"now": now})
        if not is_any_due:
            return 0
        count = 0
        left = math.inf if schedules_max is None else schedules_max
        left_out: list[str] = []
        while left > 0:
            with self._connections.transaction() as transaction:
                done = planning.plan_some(transaction, self._calendar, now, left, left_out)
            count += done.slices
            left = left - done.schedules if done.has_more else 0
        return count

    def claim(
        self, owner: str, lease_s: float, now: datetime, *, count: int, schedule: str | None = None
    ) -> list[Claim]:
        """Try schedules in the queue's order until enough slices are found, or none is left."""
        found: list[Claim] = []
        tried: list[str] = []
        lease = {"owner": owner, "lease_s": lease_s, "now": now}
        while True:
            wanted = {"now": now, "count": count - len(found), "schedule": schedule, "tried": tried}
            try:
                with self._connections.transaction() as transaction:
                    picked = _pick(transaction, wanted)
                    claimed, idle = _take(transaction, picked, lease)
            except LedgerUnavailable:
                if not found:
                    raise
                return found  # nobody else may run them
            found += claimed
            tried += idle
            if not idle:
                return found

    def renew(self, claim: Claim, lease_s: float) -> bool:
        """Extend a lease, from now; returns whether somebody has asked for the end of the run."""
        values = {**_place(claim), "lease_s": lease_s, "run_id": claim.run_id}
        with self._connections.transaction() as transaction:
            row = transaction.execute(_RENEW, values).fetchone()
        if row is None:
            raise _lease_lost(claim)
        return bool(row[0])

    def note_success(self, transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" inside the caller's transaction."""
        with named_errors():
            _succeed(transaction, claim, outcome)

    def succeed(self, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" in a transaction of its own."""
        with self._connections.transaction() as transaction:
            _succeed(transaction, claim, outcome)

    def fail(
        self,
        claim: Claim,
        failure: RunFailure,
        retry_at: datetime | None,
        *,
        revive_at: datetime | None = None,
    ) -> None:
        """Write "failed"; the slice waits until `retry_at`, or fails for good where that is None."""
        times = {"retry_at": retry_at, "revive_at": revive_at, "awaits_table": failure.awaits_table}
        with self._connections.transaction() as transaction:
            _write_fenced(transaction, _FAIL, claim, {**times, **_errors(failure)})
            _end_run(transaction, claim, RunState.FAILED, failure)
            if retry_at is None:
                notices.note_failure(transaction, claim.schedule, claim.scheduled_at, claim.run_id, failure)
            queue.requeue(transaction, claim.schedule.name)

    def cancel(self, claim: Claim, failure: RunFailure) -> None:
        """Write "killed"; the slice is not tried again."""
        with self._connections.transaction() as transaction:
            _write_fenced(transaction, _CANCEL, claim, _errors(failure))
            _end_run(transaction, claim, RunState.KILLED, failure)
            queue.requeue(transaction, claim.schedule.name)

    def release(self, claim: Claim) -> None:
        """Give a slice back unrun."""
        with self._connections.transaction() as transaction:
            _write_fenced(transaction, _RELEASE, claim, {})
            transaction.execute("DELETE FROM logdrain.runs WHERE id = %s", (claim.run_id,))
            queue.requeue(transaction, claim.schedule.name)


def _pick(transaction: Transaction, wanted: Mapping[str, object]) -> list[Schedule]:
    """Lock the next schedules of the queue: the highest priority first, then those served longest ago."""
    with transaction.cursor(row_factory=kwargs_row(_picked)) as cursor:
        picked = cursor.execute(_PICK, wanted).fetchall()
    for schedule, is_running in picked:
        if is_running:
            queue.give_up_lost(transaction, schedule)
    return [schedule for schedule, _ in picked]


def _take(
    transaction: Transaction, picked: Sequence[Schedule], lease: Mapping[str, object]
) -> tuple[list[Claim], list[str]]:
    """Claims of the schedules that have something to run, and the names of those that have nothing."""
    if not picked:
        return [], []
    values = [{**lease, "name": schedule.name} for schedule in picked]
    with transaction.cursor(row_factory=dict_row) as cursor:
        if len(values) == 1:
            cursor.execute(_TAKE, values[0])
        else:  # all in one round trip, which takes longer than to execute one
            cursor.executemany(_TAKE, values, returning=True)
        taken = [each.fetchone() for each in cursor.results()]
    idle = [schedule.name for schedule, row in zip(picked, taken, strict=True) if row is None]
    queue.requeue(transaction, *idle)
    return [_claim(schedule, row) for schedule, row in zip(picked, taken, strict=True) if row], idle


def _picked(*, is_running: bool, **row: Any) -> tuple[Schedule, bool]:
    return schedules.read(**row).schedule, is_running


def _claim(schedule: Schedule, taken: DictRow) -> Claim:
    return Claim(schedule=schedule, **{**taken, "cause": Cause(taken["cause"])})


def _place(claim: Claim) -> dict[str, object]:
    """What names a claim's slice in a statement."""
    return {"schedule": claim.schedule.name, "scheduled_at": claim.scheduled_at, "fence": claim.fence}


def _lease_lost(claim: Claim) -> LeaseLost:
    return LeaseLost(
        f"run {claim.run_id} of schedule {claim.schedule.name!r} at {claim.scheduled_at.isoformat()}"
        " does not hold the slice any more",
        hint="another worker has taken it over; what this run has read is not written",
    )


def _succeed(transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
    values = {
        **_place(claim),
        **_reads(outcome.reads),
        "run_id": claim.run_id,
        "rows_read": outcome.rows_read,
        "bytes_read": outcome.bytes_read,
        "rows_written": outcome.rows_written,
        "warnings": [storable(warning) for warning in outcome.warnings],
    }
    ended = transaction.execute(_SUCCEED, values).fetchone()
    if ended is None:
        raise _lease_lost(claim)
    if ended[0] is not None:
        notices.note_recovery(transaction, claim)
    queue.requeue(transaction, claim.schedule.name)


def _write_fenced(
    transaction: Transaction, statement: LiteralString, claim: Claim, values: Mapping[str, object]
) -> None:
    queue.lock(transaction, claim.schedule.name)
    if transaction.execute(statement, {**values, **_place(claim)}).rowcount != 1:
        raise _lease_lost(claim)


def _reads(reads: Reads | None) -> dict[str, object]:
    ranges: list[tuple[str, TimeRange]] = []
    if reads is not None:
        ranges = [*((table.name, time_range) for table, time_range in reads.ranges), *reads.results]
    return {
        "scan_started_at": reads and reads.started_at,
        "newest_only": reads is not None and reads.newest_only,
        "tables": [name for name, _ in ranges],
        "starts": [time_range.start for _, time_range in ranges],
        "ends": [time_range.end for _, time_range in ranges],
    }


def _end_run(transaction: Transaction, claim: Claim, state: RunState, failure: RunFailure) -> None:
    values = {
        "run_id": claim.run_id,
        "state": state,
        "warnings": [storable(warning) for warning in failure.warnings],
        **_errors(failure),
    }
    transaction.execute(_END_RUN, values)
    queue.count_run(transaction, state)


def _errors(failure: RunFailure) -> dict[str, object]:
    return {
        "error_code": failure.code,
        "error_message": storable(failure.message),
        "error_hint": storable(failure.hint),
    }
