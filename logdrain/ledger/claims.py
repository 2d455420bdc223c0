"""Claims: how workers share slices without ever running two of a schedule, or one twice at once.

Who takes, plans, asks for or ends slices of a schedule holds the lock on its row. What a run writes
afterwards is fenced (`endings`): it counts only while the slice runs under the fence of its claim.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow, dict_row, kwargs_row

from logdrain.errors import LeaseLost
from logdrain.ledger import notices, queue, schedules
from logdrain.ledger.chains import MISSED
from logdrain.model.jobs import Cause, Claim, RunFailure, RunState, Schedule
from logdrain.ports.transactions import Transaction

LOST_RUNS_MAX = 5
"""So many runs of a slice may vanish beyond its retry limit, before it counts as what kills the workers."""

_LOST = RunFailure(
    "lease_lost",
    "the worker vanished in the middle of the run, or lost touch with Postgres",
    "look at the worker's log; memory is a frequent reason",
    retryable=True,
)
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
"""  # noqa: S608  # only names of columns
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
# A row that is locked belongs to a run that is just writing its success: it is not lost.
_GIVE_UP_LOST = """
UPDATE logdrain.slices AS slice
SET lease_until = NULL, owner = '',
    state = CASE WHEN lost.is_killed THEN 'cancelled'
                 WHEN attempts > %(attempts_max)s THEN 'failed' ELSE 'waiting' END,
    error_code = %(code)s, error_message = %(message)s, error_hint = %(hint)s
FROM (SELECT slices.schedule, slices.scheduled_at, runs.id AS run_id,
             runs.kill_asked_at IS NOT NULL AS is_killed
      FROM logdrain.slices LEFT JOIN logdrain.runs USING (schedule, scheduled_at, fence)
      WHERE slices.schedule = %(schedule)s AND slices.state = 'running' AND lease_until <= clock_timestamp()
      FOR UPDATE OF slices SKIP LOCKED) AS lost
WHERE slice.schedule = lost.schedule AND slice.scheduled_at = lost.scheduled_at
RETURNING slice.scheduled_at, slice.state, lost.run_id
"""
_END_LOST_RUN = """
UPDATE logdrain.runs
SET state = 'lost', finished_at = clock_timestamp(),
    error_code = %(code)s, error_message = %(message)s, error_hint = %(hint)s
WHERE id = %(run_id)s
"""
_RENEW = """
UPDATE logdrain.slices
SET lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s AND state = 'running'
RETURNING (SELECT kill_asked_at IS NOT NULL FROM logdrain.runs WHERE id = %(run_id)s)
"""


def take(
    transaction: Transaction,
    owner: str,
    lease_s: float,
    now: datetime,
    *,
    count: int,
    schedule: str | None,
    tried: Sequence[str],
) -> tuple[list[Claim], list[str]]:
    """Try the next schedules of the queue: the highest priority, then those served longest ago.

    Args:
        transaction: Where; the schedules tried stay locked until it ends.
        owner: Who takes them.
        lease_s: For how long.
        now: What is due.
        count: At most so many; a schedule gives one slice.
        schedule: The only one to try, or None.
        tried: Those not to try.

    Returns the claims in the queue's order, and the schedules that had nothing to run after all: to be passed
    in `tried` of the next call. Both are empty where none is left.
    """
    with transaction.cursor(row_factory=kwargs_row(_picked)) as cursor:
        picked = cursor.execute(
            _PICK, {"schedule": schedule, "tried": list(tried), "now": now, "count": count}
        ).fetchall()
    if not picked:
        return [], []
    for found, is_running in picked:
        if is_running:
            give_up_lost(transaction, found)
    schedules = [found for found, _ in picked]
    values = {"owner": owner, "lease_s": lease_s, "now": now}
    with transaction.cursor(row_factory=dict_row) as cursor:
        if len(schedules) == 1:
            cursor.execute(_TAKE, {**values, "name": schedules[0].name})
        else:  # all in one round trip, which takes longer than to execute one
            cursor.executemany(_TAKE, [{**values, "name": found.name} for found in schedules], returning=True)
        taken = [each.fetchone() for each in cursor.results()]
    idle = [found.name for found, row in zip(schedules, taken, strict=True) if row is None]
    queue.requeue(transaction, *idle)
    return [_claim(found, row) for found, row in zip(schedules, taken, strict=True) if row], idle


def give_up_lost(transaction: Transaction, schedule: Schedule) -> None:
    """End the run of a schedule whose lease has run out; its slice waits again, or fails."""
    about: dict[str, object] = {
        "schedule": schedule.name,
        "attempts_max": schedule.retry_limit + LOST_RUNS_MAX,
        "code": _LOST.code,
        "message": _LOST.message,
        "hint": _LOST.hint,
    }
    with transaction.cursor(row_factory=dict_row) as cursor:
        lost = cursor.execute(_GIVE_UP_LOST, about).fetchone()
    if lost is None:
        return
    transaction.execute(_END_LOST_RUN, about | lost)
    count(transaction, RunState.LOST)
    if lost["state"] == "failed":
        notices.note_failure(transaction, schedule, lost["scheduled_at"], lost["run_id"], _LOST)


def renew(transaction: Transaction, claim: Claim, lease_s: float) -> bool:
    """Keep a claim alive for so long from now; returns whether somebody wants its run to end.

    Raises:
        LeaseLost: Another worker has the slice.
    """
    values = {**place(claim), "lease_s": lease_s, "run_id": claim.run_id}
    row = transaction.execute(_RENEW, values).fetchone()
    if row is None:
        raise lease_lost(claim)
    return bool(row[0])


def place(claim: Claim) -> dict[str, object]:
    """What names a claim's slice in a statement."""
    return {"schedule": claim.schedule.name, "scheduled_at": claim.scheduled_at, "fence": claim.fence}


def lease_lost(claim: Claim) -> LeaseLost:
    """The error of a run whose slice is another worker's."""
    return LeaseLost(
        f"run {claim.run_id} of schedule {claim.schedule.name!r} at {claim.scheduled_at.isoformat()}"
        " does not hold the slice any more",
        hint="another worker has taken it over; what this run has read is not written",
    )


def count(transaction: Transaction, state: RunState) -> None:
    """Add a run that ended to the totals."""
    transaction.execute("SELECT logdrain.count_run(%s)", (state,))


def _picked(*, is_running: bool, **row: Any) -> tuple[Schedule, bool]:
    return schedules.read(**row).schedule, is_running


def _claim(schedule: Schedule, taken: DictRow) -> Claim:
    return Claim(schedule=schedule, **{**taken, "cause": Cause(taken["cause"])})
