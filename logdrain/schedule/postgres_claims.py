"""Claims: how workers share slices without ever running two of a schedule, or one twice at once.

Who takes, plans or asks for slices of a schedule holds the lock on its row. What a run writes afterwards
is fenced: it counts only while the slice runs under the fence of that run's claim.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from psycopg.rows import DictRow, dict_row, scalar_row

from logdrain.errors import LeaseLost
from logdrain.model.jobs import Cause, Claim, RunFailure, RunOutcome, RunState, Schedule
from logdrain.ports import Transaction
from logdrain.schedule import postgres_schedules

LOST_RUNS_MAX = 5
"""So many runs of a slice may vanish beyond its retry limit, before it counts as what kills the workers."""

_NEXT_SCHEDULE = """
SELECT schedule.name
FROM logdrain.schedules AS schedule
WHERE (%(schedule)s::text IS NULL OR schedule.name = %(schedule)s)
  AND schedule.name <> ALL (%(tried)s::text[])
  AND CASE
      WHEN EXISTS (SELECT FROM logdrain.slices AS slice
                   WHERE slice.schedule = schedule.name AND slice.state = 'running')
      THEN EXISTS (SELECT FROM logdrain.slices AS slice
                   WHERE slice.schedule = schedule.name AND slice.state = 'running'
                     AND slice.lease_until <= clock_timestamp())
      ELSE (SELECT slice.not_before IS NULL OR slice.not_before <= %(now)s
            FROM logdrain.slices AS slice
            WHERE slice.schedule = schedule.name AND slice.state = 'waiting'
            ORDER BY slice.scheduled_at LIMIT 1)
      END
ORDER BY schedule.last_claimed_at NULLS FIRST, schedule.name
LIMIT 1
FOR NO KEY UPDATE OF schedule SKIP LOCKED
"""
_TAKE_OLDEST = """
UPDATE logdrain.slices
SET state = 'running', owner = %(owner)s, attempts = attempts + 1, fence = fence + 1,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE schedule = %(schedule)s
  AND scheduled_at = (SELECT oldest.scheduled_at FROM logdrain.slices AS oldest
                      WHERE oldest.schedule = %(schedule)s AND oldest.state = 'waiting'
                      ORDER BY oldest.scheduled_at LIMIT 1)
  AND (not_before IS NULL OR not_before <= %(now)s)
  AND NOT EXISTS (SELECT FROM logdrain.slices AS other
                  WHERE other.schedule = %(schedule)s AND other.state = 'running')
RETURNING scheduled_at, cause, fence, attempts AS attempt, forced, ever_succeeded AS ran_before
"""
_START_RUN = """
INSERT INTO logdrain.runs (schedule, scheduled_at, cause, attempt, fence, owner)
SELECT schedule, scheduled_at, cause, attempts, fence, owner
FROM logdrain.slices
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s
RETURNING id
"""
# A row that is locked belongs to a run that is just writing its success: it is not lost.
_GIVE_UP_LOST = """
UPDATE logdrain.slices AS slice
SET lease_until = NULL, owner = '',
    state = CASE WHEN attempts > %(attempts_max)s THEN 'failed' ELSE 'waiting' END,
    error_code = 'lease_lost', error_message = %(message)s, error_hint = %(hint)s
FROM (SELECT schedule, scheduled_at FROM logdrain.slices
      WHERE schedule = %(schedule)s AND state = 'running' AND lease_until <= clock_timestamp()
      FOR UPDATE SKIP LOCKED) AS lost
WHERE slice.schedule = lost.schedule AND slice.scheduled_at = lost.scheduled_at
RETURNING slice.scheduled_at, slice.fence
"""
_END_LOST_RUN = """
UPDATE logdrain.runs
SET state = 'lost', finished_at = clock_timestamp(),
    error_code = 'lease_lost', error_message = %(message)s, error_hint = %(hint)s
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s
"""
_RENEW = """
UPDATE logdrain.slices
SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s AND state = 'running'
"""
_SUCCEED = """
UPDATE logdrain.slices
SET state = 'succeeded', ever_succeeded = true, forced = false, not_before = NULL, lease_until = NULL,
    owner = '', error_code = '', error_message = '', error_hint = ''
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s AND state = 'running'
"""
_FAIL = """
UPDATE logdrain.slices
SET state = CASE WHEN %(retry_at)s::timestamptz IS NULL THEN 'failed' ELSE 'waiting' END,
    not_before = %(retry_at)s, lease_until = NULL, owner = '',
    error_code = %(error_code)s, error_message = %(error_message)s, error_hint = %(error_hint)s
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s AND state = 'running'
"""
_RELEASE = """
UPDATE logdrain.slices
SET state = 'waiting', attempts = attempts - 1, lease_until = NULL, owner = ''
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s AND state = 'running'
"""
_END_RUN = """
UPDATE logdrain.runs
SET state = %(state)s, finished_at = clock_timestamp(), rows_read = %(rows_read)s,
    rows_written = %(rows_written)s, warnings = %(warnings)s::text[],
    error_code = %(error_code)s, error_message = %(error_message)s, error_hint = %(error_hint)s
WHERE id = %(run_id)s
"""


def take(
    transaction: Transaction,
    owner: str,
    lease_s: float,
    now: datetime,
    *,
    schedule: str | None,
    tried: Sequence[str],
) -> Claim | str | None:
    """Try one schedule that looks as if it had a slice to run: those served longest ago come first.

    Returns the claim; or the schedule's name where another worker was quicker, to be passed in `tried`
    of the next call, which needs a new transaction to see what that one did; or None where none is left.
    """
    with transaction.cursor(row_factory=scalar_row) as cursor:
        name = cursor.execute(
            _NEXT_SCHEDULE, {"schedule": schedule, "tried": list(tried), "now": now}
        ).fetchone()
    if name is None:
        return None
    chosen = postgres_schedules.one(transaction, name)
    give_up_lost(transaction, chosen)
    with transaction.cursor(row_factory=dict_row) as cursor:
        taken = cursor.execute(
            _TAKE_OLDEST, {"schedule": name, "owner": owner, "lease_s": lease_s, "now": now}
        ).fetchone()
    return name if taken is None else _start_run(transaction, chosen, taken)


def give_up_lost(transaction: Transaction, schedule: Schedule) -> None:
    """End the run of a schedule whose lease has run out; its slice waits again, or fails."""
    about: dict[str, object] = {
        "schedule": schedule.name,
        "attempts_max": schedule.retry_limit + LOST_RUNS_MAX,
        "message": "the worker vanished in the middle of the run, or lost touch with Postgres",
        "hint": "look at the worker's log; memory is a frequent reason",
    }
    with transaction.cursor(row_factory=dict_row) as cursor:
        lost = cursor.execute(_GIVE_UP_LOST, about).fetchone()
    if lost is not None:
        transaction.execute(_END_LOST_RUN, about | lost)
        _count(transaction, RunState.LOST)


def renew(transaction: Transaction, claim: Claim, lease_s: float) -> None:
    """Keep a claim alive for so long from now.

    Raises:
        LeaseLost: Another worker has the slice.
    """
    _write_fenced(transaction, _RENEW, claim, {"lease_s": lease_s})


def succeed(transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
    """Write "succeeded". From here to the end of the transaction nobody can take the slice over.

    Raises:
        LeaseLost: Another worker has the slice; the transaction must be rolled back.
    """
    _write_fenced(transaction, _SUCCEED, claim, {})
    _end_run(transaction, claim, RunState.SUCCEEDED, outcome, None)


def fail(transaction: Transaction, claim: Claim, failure: RunFailure, retry_at: datetime | None) -> None:
    """Write "failed"; the slice waits until `retry_at`, or fails for good where that is None.

    Raises:
        LeaseLost: Another worker has the slice.
    """
    _write_fenced(transaction, _FAIL, claim, {"retry_at": retry_at, **_errors(failure)})
    _end_run(transaction, claim, RunState.FAILED, None, failure)


def release(transaction: Transaction, claim: Claim) -> None:
    """Give a slice back unrun: the attempt does not count, and its run is forgotten.

    Raises:
        LeaseLost: Another worker has the slice.
    """
    _write_fenced(transaction, _RELEASE, claim, {})
    transaction.execute("DELETE FROM logdrain.runs WHERE id = %s", (claim.run_id,))


def totals(transaction: Transaction) -> dict[str, int]:
    """How many runs ended in each state, ever."""
    rows = transaction.execute("SELECT state, count FROM logdrain.run_totals ORDER BY state").fetchall()
    return {str(state): int(str(count)) for state, count in rows}


def _start_run(transaction: Transaction, schedule: Schedule, taken: DictRow) -> Claim:
    with transaction.cursor(row_factory=scalar_row) as cursor:
        (run_id,) = cursor.execute(_START_RUN, {"schedule": schedule.name, **taken})
    transaction.execute(
        "UPDATE logdrain.schedules SET last_claimed_at = clock_timestamp() WHERE name = %s",
        (schedule.name,),
    )
    return Claim(schedule=schedule, run_id=run_id, **{**taken, "cause": Cause(taken["cause"])})


def _write_fenced(
    transaction: Transaction, statement: LiteralString, claim: Claim, values: Mapping[str, object]
) -> None:
    place = {"schedule": claim.schedule.name, "scheduled_at": claim.scheduled_at, "fence": claim.fence}
    if transaction.execute(statement, {**values, **place}).rowcount != 1:
        raise LeaseLost(
            f"run {claim.run_id} of schedule {claim.schedule.name!r} at {claim.scheduled_at.isoformat()}"
            " does not hold the slice any more",
            hint="another worker has taken it over; what this run has read is not written",
        )


def _end_run(
    transaction: Transaction,
    claim: Claim,
    state: RunState,
    outcome: RunOutcome | None,
    failure: RunFailure | None,
) -> None:
    values = {
        "run_id": claim.run_id,
        "state": state,
        "rows_read": outcome and outcome.rows_read,
        "rows_written": outcome and outcome.rows_written,
        "warnings": [_storable(warning) for warning in outcome.warnings] if outcome else [],
        **_errors(failure),
    }
    transaction.execute(_END_RUN, values)
    _count(transaction, state)


def _errors(failure: RunFailure | None) -> dict[str, object]:
    return {
        "error_code": failure.code if failure else "",
        "error_message": _storable(failure.message) if failure else "",
        "error_hint": _storable(failure.hint) if failure else "",
    }


def _storable(text: str) -> str:
    """What Postgres cannot hold is replaced: that a run failed must not fail to be written down."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


def _count(transaction: Transaction, state: RunState) -> None:
    transaction.execute("UPDATE logdrain.run_totals SET count = count + 1 WHERE state = %s", (state,))
