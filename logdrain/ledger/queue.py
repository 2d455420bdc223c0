"""The queue: what a schedule's row says of its slices, so that a claim need not look at all of them.

Whoever moves slices of a schedule holds the lock on its row, and calls `requeue` before letting go. A renewed
lease is the one thing that is not written through: who finds it run out gives up the run, and requeues.
"""

from psycopg.rows import dict_row

from logdrain.ledger import notices
from logdrain.model.jobs import RunFailure, RunState, Schedule
from logdrain.ports.transactions import Transaction

LOST_RUNS_MAX = 5
"""How many runs of a slice may vanish beyond its retry limit, before it counts as what kills the workers."""

_LOST = RunFailure(
    "lease_lost",
    "the worker vanished in the middle of the run, or lost touch with Postgres",
    "look at the worker's log; memory is a frequent reason",
    retryable=True,
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


def lock(transaction: Transaction, schedule: str) -> None:
    """Hold a schedule's row until the transaction ends; nothing happens where there is none."""
    transaction.execute("SELECT FROM logdrain.schedules WHERE name = %s FOR NO KEY UPDATE", (schedule,))


def requeue(transaction: Transaction, *schedules: str) -> None:
    """Say in the rows of these schedules what their slices say.

    The same for schedules that were held by one of these and are free now. One that somebody else has locked
    is left to `LateWork.ask_followers`.
    """
    if schedules:
        transaction.execute(
            "SELECT logdrain.requeue(name) FROM unnest(%s::text[]) AS name", (list(schedules),)
        )


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
    count_run(transaction, RunState.LOST)
    if lost["state"] == "failed":
        notices.note_failure(transaction, schedule, lost["scheduled_at"], lost["run_id"], _LOST)


def count_run(transaction: Transaction, state: RunState) -> None:
    """Add a run that ended to the totals."""
    transaction.execute("SELECT logdrain.count_run(%s)", (state,))
