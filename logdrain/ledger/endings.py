"""How runs end. Every write is fenced: it counts only while the slice runs under the fence of its claim."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString

from logdrain.ledger import notices, queue
from logdrain.ledger.claims import count, lease_lost, place
from logdrain.log import mask
from logdrain.model.jobs import Claim, Reads, RunFailure, RunOutcome, RunState
from logdrain.model.plans import TimeRange
from logdrain.ports.transactions import Transaction

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
_TOTALS = """
SELECT state, sum(count) FROM (SELECT state, count FROM logdrain.run_totals
                               UNION ALL SELECT state, count FROM logdrain.run_counts) AS part
GROUP BY state ORDER BY state
"""


def succeed(transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
    """Write "succeeded". From here to the end of the transaction nobody can take the slice over.

    Raises:
        LeaseLost: Another worker has the slice; the transaction must be rolled back.
    """
    values = {
        **place(claim),
        **_reads(outcome.reads),
        "run_id": claim.run_id,
        "rows_read": outcome.rows_read,
        "bytes_read": outcome.bytes_read,
        "rows_written": outcome.rows_written,
        "warnings": [_storable(warning) for warning in outcome.warnings],
    }
    ended = transaction.execute(_SUCCEED, values).fetchone()
    if ended is None:
        raise lease_lost(claim)
    if ended[0] is not None:
        notices.note_recovery(transaction, claim)
    queue.requeue(transaction, claim.schedule.name)


def fail(
    transaction: Transaction,
    claim: Claim,
    failure: RunFailure,
    retry_at: datetime | None,
    revive_at: datetime | None,
) -> None:
    """Write "failed"; the slice waits until `retry_at`, or fails for good where that is None.

    One that failed for good still has the rows of its last success: what these lack is looked for once more
    from `revive_at` on; never where that is None.

    Raises:
        LeaseLost: Another worker has the slice.
    """
    values = {
        "retry_at": retry_at,
        "revive_at": revive_at,
        "awaits_table": failure.awaits_table,
        **_errors(failure),
    }
    _write_fenced(transaction, _FAIL, claim, values)
    _end_run(transaction, claim, RunState.FAILED, failure)
    if retry_at is None:
        notices.note_failure(transaction, claim.schedule, claim.scheduled_at, claim.run_id, failure)
    queue.requeue(transaction, claim.schedule.name)


def cancel(transaction: Transaction, claim: Claim, failure: RunFailure) -> None:
    """Write "killed": somebody wished the run to end; its slice is not tried again.

    Raises:
        LeaseLost: Another worker has the slice.
    """
    _write_fenced(transaction, _CANCEL, claim, _errors(failure))
    _end_run(transaction, claim, RunState.KILLED, failure)
    queue.requeue(transaction, claim.schedule.name)


def release(transaction: Transaction, claim: Claim) -> None:
    """Give a slice back unrun: the attempt does not count, and its run is forgotten.

    Raises:
        LeaseLost: Another worker has the slice.
    """
    _write_fenced(transaction, _RELEASE, claim, {})
    transaction.execute("DELETE FROM logdrain.runs WHERE id = %s", (claim.run_id,))
    queue.requeue(transaction, claim.schedule.name)


def totals(transaction: Transaction) -> dict[str, int]:
    """How many runs ended in each state, ever."""
    rows = transaction.execute(_TOTALS).fetchall()
    return {str(state): int(str(number)) for state, number in rows}


def _write_fenced(
    transaction: Transaction, statement: LiteralString, claim: Claim, values: Mapping[str, object]
) -> None:
    queue.lock(transaction, claim.schedule.name)
    if transaction.execute(statement, {**values, **place(claim)}).rowcount != 1:
        raise lease_lost(claim)


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
        "warnings": [_storable(warning) for warning in failure.warnings],
        **_errors(failure),
    }
    transaction.execute(_END_RUN, values)
    count(transaction, state)


def _errors(failure: RunFailure) -> dict[str, object]:
    return {
        "error_code": failure.code,
        "error_message": _storable(failure.message),
        "error_hint": _storable(failure.hint),
    }


def _storable(text: str) -> str:
    """What Postgres cannot hold is replaced: that a run failed must not fail to be written down."""
    return mask(text).replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")
