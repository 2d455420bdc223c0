"""The queue: what a schedule's row says of its slices, so that a claim need not look at all of them.

Whoever moves slices of a schedule holds the lock on its row, and calls `requeue` before letting go. A renewed
lease is the one thing that is not written through: who finds it run out looks at the slice, and requeues.
"""

from logdrain.ports import Transaction

_REQUEUE = """
UPDATE logdrain.schedules AS schedule
SET (runnable_from, runnable_late, running_until) = (
    SELECT least(timely.start, late.start), timely.start IS NULL AND late.start IS NOT NULL, running.until
    FROM (SELECT (SELECT coalesce(not_before, '-infinity') FROM logdrain.slices
                  WHERE slices.schedule = schedule.name AND state = 'waiting' AND cause <> 'late'
                    AND (schedule.paused_at IS NULL OR cause = 'manual')
                  ORDER BY scheduled_at LIMIT 1) AS start) AS timely,
         (SELECT (SELECT coalesce(not_before, '-infinity') FROM logdrain.slices
                  WHERE slices.schedule = schedule.name AND state = 'waiting' AND cause = 'late'
                    AND schedule.paused_at IS NULL
                  ORDER BY scheduled_at LIMIT 1) AS start) AS late,
         (SELECT max(lease_until) AS until FROM logdrain.slices
          WHERE slices.schedule = schedule.name AND state = 'running') AS running)
WHERE name = ANY (%s::text[])
"""


def requeue(transaction: Transaction, *schedules: str) -> None:
    """Say in the rows of these schedules what their slices say."""
    transaction.execute(_REQUEUE, (list(schedules),))


def lock(transaction: Transaction, schedule: str) -> None:
    """Hold a schedule's row until the transaction ends; nothing happens where there is none."""
    transaction.execute("SELECT FROM logdrain.schedules WHERE name = %s FOR NO KEY UPDATE", (schedule,))
