"""Schedules that run after others: who waits for whom, and who has to run again.

A slice is claimed only when no schedule before it has an open slice up to its time (`logdrain.has_to_wait`);
until then its schedule is held, out of the queue. One that has failed for good is not open: the slice runs
without it, its run says so, and it runs again once that one has succeeded after all.

Each success of a schedule that others follow is kept until it has been looked at: slices that began to read
before it are asked again; while one of them is still running, it is kept. As with late events, a slice that
has read the table without a time range runs again only while it is the newest one.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from psycopg.rows import args_row, scalar_row

from logdrain.errors import ScheduleCycle, ScheduleNeeded, UnknownSchedule
from logdrain.ledger import queue
from logdrain.model.jobs import Cause, Schedule
from logdrain.model.names import nearest_hint
from logdrain.ports.transactions import Transaction

MISSED = """
(SELECT format('without %%s failed %%s of %%s, the first %%s',
               count(*), CASE count(*) WHEN 1 THEN 'slice' ELSE 'slices' END,
               string_agg(DISTINCT missed.schedule, ', '),
               to_char(min(missed.scheduled_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'))
 FROM logdrain.slices AS missed
 WHERE taken.after <> '{}' AND missed.schedule = ANY (taken.after) AND missed.state IN ('failed', 'cancelled')
   AND missed.scheduled_at <= taken.scheduled_at
   AND missed.scheduled_at > greatest(
       taken.scheduled_at - interval '31 days',
       (SELECT max(scheduled_at) FROM logdrain.slices AS previous
        WHERE previous.schedule = taken.schedule AND previous.scheduled_at < taken.scheduled_at))
 HAVING count(*) > 0)
"""
"""What the run of a slice `taken` has to do without, in words; NULL for nothing."""

_FREE = """
SELECT schedule.name FROM logdrain.schedules AS schedule
WHERE schedule.is_held AND NOT logdrain.has_to_wait(
    schedule.after, (SELECT min(scheduled_at) FROM logdrain.slices
                     WHERE slices.schedule = schedule.name AND state = 'waiting'))
ORDER BY schedule.name LIMIT 1000 FOR NO KEY UPDATE SKIP LOCKED
"""
_TAKE = """
SELECT id, schedule, scheduled_at, succeeded_at FROM logdrain.successes
ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED
"""
_FOUND = """
SELECT slice.schedule, slice.scheduled_at, slice.fence, slice.state = 'running',
       success.id, success.schedule, success.scheduled_at
FROM logdrain.successes AS success
JOIN logdrain.schedules AS upstream ON upstream.name = success.schedule
JOIN logdrain.schedules AS follower
  ON follower.after @> ARRAY[success.schedule] AND follower.after <> '{}'
JOIN logdrain.slices AS slice
  ON slice.schedule = follower.name AND slice.scheduled_at >= success.scheduled_at
 AND slice.scheduled_at > %(now)s - make_interval(secs => follower.late_s)
LEFT JOIN logdrain.runs AS run
  ON run.schedule = slice.schedule AND run.scheduled_at = slice.scheduled_at AND run.fence = slice.fence
WHERE success.id = ANY (%(ids)s)
  AND coalesce(run.started_at < success.succeeded_at, true)
  AND (slice.state = 'running'
       OR slice.state = 'succeeded' AND slice.scan_started_at IS NOT NULL
          AND (NOT (slice.is_newest_only
                    OR EXISTS (SELECT FROM logdrain.slice_reads AS reads
                               WHERE reads.schedule = slice.schedule
                                 AND reads.scheduled_at = slice.scheduled_at
                                 AND reads.table_name = upstream.result_table
                                 AND (reads.start_s IS NULL OR reads.end_s IS NULL)))
               OR slice.scheduled_at = (SELECT max(scheduled_at) FROM logdrain.slices AS newest
                                        WHERE newest.schedule = slice.schedule AND newest.ever_succeeded)))
ORDER BY slice.schedule, slice.scheduled_at, success.id
"""
_ASK = """
UPDATE logdrain.slices
SET state = 'waiting', cause = %(cause)s, reason = %(reason)s, attempts = 0, not_before = NULL
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND fence = %(fence)s
  AND state = 'succeeded'
"""
# Whoever changes what runs after what, does so alone: two changes together could close a circle.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('logdrain:after', 0))"
_ABOVE = """
WITH RECURSIVE above (name, path) AS (
    SELECT name, ARRAY[name] FROM unnest(%(after)s::text[]) AS name
    UNION ALL
    SELECT before.name, above.path || before.name
    FROM above JOIN logdrain.schedules AS schedule ON schedule.name = above.name
    CROSS JOIN unnest(schedule.after) AS before (name)
    WHERE above.name <> ALL (%(names)s::text[])
)
SELECT path FROM above WHERE name = ANY (%(names)s::text[]) LIMIT 1
"""


class _Stale(NamedTuple):
    """A slice that has read what a success has changed since."""

    schedule: str
    scheduled_at: datetime
    fence: int
    is_running: bool
    success: int
    upstream: str
    upstream_at: datetime


def check_after(transaction: Transaction, schedule: Schedule, *, kept_name: str = "") -> None:
    """Refuse what a schedule shall run after, where that is not there or would make a circle.

    Args:
        transaction: Where the schedule is written next.
        schedule: As it shall be.
        kept_name: The name that it has until now.

    Raises:
        UnknownSchedule: with the nearest name.
        ScheduleCycle: it would wait for itself.
    """
    if not schedule.after:
        return
    transaction.execute(_ALONE)
    own = [name for name in (schedule.name, kept_name) if name]
    with transaction.cursor(row_factory=scalar_row) as cursor:
        known = cursor.execute("SELECT name FROM logdrain.schedules").fetchall()
        for name in schedule.after:
            if name not in known and name not in own:
                raise UnknownSchedule(
                    f"schedule {schedule.name!r} shall run after {name!r}, which does not exist",
                    hint=nearest_hint(name, known, "`logdrain sched:list` shows them all"),
                )
        path = cursor.execute(_ABOVE, {"after": list(schedule.after), "names": own}).fetchone()
    if path is not None:
        circle = " after ".join([schedule.name, *path])
        raise ScheduleCycle(
            f"schedule {schedule.name!r} would wait for itself: {circle}", hint="leave one of them out"
        )


def check_not_needed(transaction: Transaction, name: str) -> None:
    """Refuse to let go of a schedule that others run after.

    Raises:
        ScheduleNeeded: with their names.
    """
    with transaction.cursor(row_factory=scalar_row) as cursor:
        followers = cursor.execute(
            "SELECT name FROM logdrain.schedules"
            " WHERE after @> ARRAY[%s::text] AND after <> '{}' ORDER BY name",
            (name,),
        ).fetchall()
    if followers:
        raise ScheduleNeeded(
            f"{', '.join(map(str, followers))} run{'s' if len(followers) == 1 else ''} after {name!r}",
            hint=f"`logdrain sched:update {followers[0]} --after ''` first",
        )


def rename(transaction: Transaction, name: str, new_name: str) -> None:
    """Follow a schedule that gets another name."""
    transaction.execute(
        "UPDATE logdrain.schedules SET after = array_replace(after, %(name)s, %(new_name)s)"
        " WHERE after @> ARRAY[%(name)s::text] AND after <> '{}'",
        {"name": name, "new_name": new_name},
    )


def free(transaction: Transaction) -> None:
    """Put held schedules back into the queue that nothing holds any more.

    What ends a slice does that at once, but for schedules that somebody else has locked just then.
    """
    with transaction.cursor(row_factory=scalar_row) as cursor:
        names = [str(name) for name in cursor.execute(_FREE).fetchall()]
    if names:
        queue.requeue(transaction, *names)


def ask_followers(transaction: Transaction, now: datetime) -> int:
    """Ask for the slices that have read what has been written again since; returns how many.

    Args:
        transaction: Where; the schedules asked stay locked until it ends.
        now: What the windows of schedules end at.
    """
    taken = [row[0] for row in transaction.execute(_TAKE).fetchall()]
    if not taken:
        return 0
    with transaction.cursor(row_factory=args_row(_Stale)) as cursor:
        found = cursor.execute(_FOUND, {"ids": taken, "now": now}).fetchall()
    kept = {stale.success for stale in found if stale.is_running}
    count = 0
    done = [stale for stale in found if stale.success not in kept]
    for schedule, of_schedule in groupby(done, key=lambda stale: stale.schedule):
        queue.lock(transaction, schedule)
        for _, of_slice in groupby(of_schedule, key=lambda stale: stale.scheduled_at):
            count += _ask(transaction, list(of_slice))
        queue.requeue(transaction, schedule)
    transaction.execute(
        "DELETE FROM logdrain.successes WHERE id = ANY (%s) AND id <> ALL (%s)", (taken, list(kept))
    )
    return count


def _ask(transaction: Transaction, of_slice: Sequence[_Stale]) -> int:
    first = of_slice[0]
    times = sorted({(stale.upstream, stale.upstream_at) for stale in of_slice})
    more = f" and {len(times) - 1} more" if len(times) > 1 else ""
    upstream, upstream_at = times[0]
    values = {
        "schedule": first.schedule,
        "scheduled_at": first.scheduled_at,
        "fence": first.fence,
        "cause": Cause.LATE,
        "reason": f"new rows of {upstream} {upstream_at:%Y-%m-%dT%H:%MZ}{more}",
    }
    return transaction.execute(_ASK, values).rowcount
