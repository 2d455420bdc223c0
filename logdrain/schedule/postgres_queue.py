"""The queue: what a schedule's row says of its slices, so that a claim need not look at all of them.

Whoever moves slices of a schedule holds the lock on its row, and calls `requeue` before letting go. A renewed
lease is the one thing that is not written through: who finds it run out looks at the slice, and requeues.
"""

from logdrain.ports import Transaction

_REQUEUE = """
WITH followers AS (
    SELECT name FROM logdrain.schedules AS follower
    WHERE after && %(names)s::text[] AND after <> '{}' AND is_held AND name <> ALL (%(names)s::text[])
      AND NOT logdrain.has_to_wait(after, (SELECT min(scheduled_at) FROM logdrain.slices
                                           WHERE slices.schedule = follower.name AND state = 'waiting'))
    FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE logdrain.schedules AS schedule
SET (runnable_from, runnable_late, running_until, is_held) = (
    SELECT least(timely.start, late.start), timely.start IS NULL AND late.start IS NOT NULL, running.until,
           coalesce(timely.is_held OR late.is_held, timely.is_held, late.is_held, false)
    FROM (SELECT max(lease_until) AS until FROM logdrain.slices
          WHERE slices.schedule = schedule.name AND state = 'running') AS running
    LEFT JOIN (
        SELECT CASE WHEN NOT is_held THEN coalesce(not_before, '-infinity') END AS start, is_held
        FROM (SELECT not_before, NOT forced AND schedule.after <> '{}'
                     AND logdrain.has_to_wait(schedule.after, scheduled_at) AS is_held
              FROM logdrain.slices
              WHERE slices.schedule = schedule.name AND state = 'waiting' AND cause <> 'late'
                AND (schedule.paused_at IS NULL OR cause = 'manual')
              ORDER BY scheduled_at LIMIT 1) AS head) AS timely ON true
    LEFT JOIN (
        SELECT CASE WHEN NOT is_held THEN coalesce(not_before, '-infinity') END AS start, is_held
        FROM (SELECT not_before, NOT forced AND schedule.after <> '{}'
                     AND logdrain.has_to_wait(schedule.after, scheduled_at) AS is_held
              FROM logdrain.slices
              WHERE slices.schedule = schedule.name AND state = 'waiting' AND cause = 'late'
                AND schedule.paused_at IS NULL
              ORDER BY scheduled_at LIMIT 1) AS head) AS late ON true)
WHERE name = ANY (%(names)s::text[] || ARRAY(SELECT name FROM followers))
"""


def requeue(transaction: Transaction, *schedules: str) -> None:
    """Say in the rows of these schedules what their slices say.

    So it does with schedules that were held by one of these and are no more. One that somebody else has
    locked is left to `postgres_chains.free`.
    """
    transaction.execute(_REQUEUE, {"names": list(schedules)})


def lock(transaction: Transaction, schedule: str) -> None:
    """Hold a schedule's row until the transaction ends; nothing happens where there is none."""
    transaction.execute("SELECT FROM logdrain.schedules WHERE name = %s FOR NO KEY UPDATE", (schedule,))
