"""Late events in the ledger: which hours they were noted for, and which slices have to run again for them.

A note is looked up once, when it has settled: all of its events are stored by then, or never will be. A
slice that was running or waiting meanwhile is looked up when it has succeeded. So every pair of the two is
looked at after both are there, and a slice runs again where it began to read before the note had settled.
One that fails for good then keeps its old rows: it is looked up again after a rest, until its window ends.
One that failed because a table had no events yet comes back with the first note of the table.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import LiteralString, NamedTuple

from psycopg.rows import args_row

from logdrain.ledger import chains, queue
from logdrain.ledger.connections import Connections
from logdrain.model.jobs import Cause
from logdrain.model.late import LATE_SETTLES_S, LateNote
from logdrain.ports.transactions import Transaction

_HOURS_NAMED_MAX = 3
_KEEP_NOTES = """
INSERT INTO logdrain.late AS kept (table_name, hour_s, noted_at)
SELECT table_name, hour_s, max(noted_at)
FROM unnest(%(tables)s::text[], %(hours)s::bigint[], %(times)s::timestamptz[])
  AS note (table_name, hour_s, noted_at)
GROUP BY table_name, hour_s
ORDER BY table_name, hour_s
ON CONFLICT (table_name, hour_s) DO UPDATE
SET noted_at = excluded.noted_at, is_open = true
WHERE kept.noted_at < excluded.noted_at
"""
_SETTLED = "SELECT table_name, hour_s, noted_at FROM logdrain.late WHERE is_open AND noted_at <= %(settled)s"
_CLOSE = """
UPDATE logdrain.late AS note SET is_open = false
FROM (SELECT table_name, hour_s FROM logdrain.late
      JOIN unnest(%(tables)s::text[], %(hours)s::bigint[], %(times)s::timestamptz[])
        AS looked_up (table_name, hour_s, noted_at) USING (table_name, hour_s, noted_at)
      FOR UPDATE OF late SKIP LOCKED) AS same
WHERE note.table_name = same.table_name AND note.hour_s = same.hour_s
"""
_UNCHECKED = """
SELECT schedule, scheduled_at, scan_started_at FROM logdrain.slices
WHERE is_unchecked AND (state = 'succeeded' OR (state = 'failed' AND not_before <= %(now)s)) LIMIT 10000
"""
_CHECK = """
UPDATE logdrain.slices AS slice SET is_unchecked = false
FROM (SELECT schedule, scheduled_at FROM logdrain.slices
      JOIN unnest(%(schedules)s::text[], %(instants)s::timestamptz[], %(scans)s::timestamptz[])
        AS checked (schedule, scheduled_at, scan_started_at) USING (schedule, scheduled_at, scan_started_at)
      FOR UPDATE OF slices SKIP LOCKED) AS same
WHERE slice.schedule = same.schedule AND slice.scheduled_at = same.scheduled_at
"""
_FOUND = """
SELECT slice.schedule, slice.scheduled_at, slice.scan_started_at, note.table_name, note.hour_s
FROM logdrain.slices AS slice
JOIN logdrain.schedules AS schedule ON schedule.name = slice.schedule
JOIN logdrain.slice_reads AS reads
  ON reads.schedule = slice.schedule AND reads.scheduled_at = slice.scheduled_at
JOIN logdrain.late AS note
  ON note.table_name = reads.table_name
 AND (reads.start_s IS NULL OR reads.start_s < note.hour_s + 3600)
 AND (reads.end_s IS NULL OR reads.end_s > note.hour_s)
"""
_STALE = """
WHERE (slice.state = 'succeeded' OR (slice.state = 'failed' AND slice.not_before <= %(now)s))
  AND note.noted_at <= %(settled)s
  AND slice.scan_started_at < note.noted_at + make_interval(secs => %(settles_s)s)
  AND slice.scheduled_at > %(now)s - make_interval(secs => schedule.late_s)
  AND (NOT (slice.is_newest_only OR reads.start_s IS NULL OR reads.end_s IS NULL)
       OR slice.scheduled_at = (SELECT max(scheduled_at) FROM logdrain.slices AS newest
                                WHERE newest.schedule = slice.schedule AND newest.ever_succeeded))
"""
_BY_NOTE = (
    _FOUND
    + """
JOIN unnest(%(tables)s::text[], %(hours)s::bigint[]) AS settled (table_name, hour_s)
  ON settled.table_name = note.table_name AND settled.hour_s = note.hour_s
"""
    + _STALE
)
_BY_SLICE = (
    _FOUND
    + """
JOIN unnest(%(schedules)s::text[], %(instants)s::timestamptz[]) AS checked (schedule, scheduled_at)
  ON checked.schedule = slice.schedule AND checked.scheduled_at = slice.scheduled_at
"""
    + _STALE
)
_AWAITING = """
SELECT slice.schedule, slice.scheduled_at, slice.scan_started_at, note.table_name, note.hour_s
FROM logdrain.slices AS slice
JOIN logdrain.schedules AS schedule ON schedule.name = slice.schedule
JOIN unnest(%(tables)s::text[], %(hours)s::bigint[]) AS note (table_name, hour_s)
  ON note.table_name = slice.awaits_table
WHERE slice.state = 'failed' AND slice.awaits_table <> ''
  AND slice.scheduled_at > %(now)s - make_interval(secs => schedule.late_s)
"""
_ASK = """
UPDATE logdrain.slices
SET state = 'waiting', cause = %(cause)s, reason = %(reason)s, attempts = 0, not_before = NULL,
    error_code = '', error_message = '', error_hint = ''
WHERE schedule = %(schedule)s AND scheduled_at = %(scheduled_at)s AND state IN ('succeeded', 'failed')
  AND scan_started_at IS NOT DISTINCT FROM %(scan_started_at)s
"""
_FORGET = """
DELETE FROM logdrain.late WHERE NOT is_open AND noted_at < %s
"""
_FORGET_READS = """
DELETE FROM logdrain.slice_reads USING logdrain.schedules AS schedule
WHERE schedule.name = slice_reads.schedule
  AND slice_reads.scheduled_at < %s - make_interval(secs => schedule.late_s)
  AND slice_reads.scheduled_at < (SELECT max(scheduled_at) FROM logdrain.slices
                                  WHERE slices.schedule = slice_reads.schedule AND ever_succeeded)
"""


class _Stale(NamedTuple):
    """A slice, and an hour of a table that it has to see again; `hour_s` is its start, unix seconds."""

    schedule: str
    scheduled_at: datetime
    scan_started_at: datetime | None
    table_name: str
    hour_s: int


class _LateCheck(NamedTuple):
    """What was looked up: nothing of it needs to be again, once its slices have been asked for."""

    notes: Sequence[Sequence[object]]
    slices: Sequence[Sequence[object]]


class PostgresLateWork:
    """`ports.LateWork` in Postgres."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def ask_late(self, notes: Sequence[LateNote], store_time: datetime, now: datetime) -> int:
        """Keep notes of late events; ask for slices that have not seen events of settled ones."""
        with self._connections.transaction() as transaction:
            _keep_notes(transaction, notes)
        with self._connections.transaction() as transaction:
            count, looked = _ask_again(transaction, store_time, now)
        if any(looked):
            with self._connections.transaction() as transaction:
                _close(transaction, looked)
        return count

    def ask_followers(self, now: datetime) -> int:
        """Ask for slices that have read rows of another schedule which has written them again since."""
        with self._connections.transaction() as transaction:
            chains.free(transaction)
        with self._connections.transaction() as transaction:
            return chains.ask_followers(transaction, now)

    def forget(self, before: datetime, now: datetime) -> None:
        """Delete notes from before this time, and what slices have read that do not run again any more."""
        with self._connections.transaction() as transaction:
            transaction.execute(_FORGET, (before,))
            transaction.execute(_FORGET_READS, (now,))


def _reason(hours: Sequence[_Stale]) -> str:
    """Why a slice runs again: `late events in 2 hours: production.pay 2012-03-01T00:00Z, …`."""
    named = [
        f"{hour.table_name} {datetime.fromtimestamp(hour.hour_s, UTC):%Y-%m-%dT%H:%MZ}"
        for hour in hours[:_HOURS_NAMED_MAX]
    ]
    count = "1 hour" if len(hours) == 1 else f"{len(hours)} hours"
    return f"late events in {count}: {', '.join(named)}{', …' if len(hours) > _HOURS_NAMED_MAX else ''}"


def _keep_notes(transaction: Transaction, notes: Sequence[LateNote]) -> None:
    """Copy notes; those that are known already change nothing."""
    if notes:
        values = {
            "tables": [note.table.name for note in notes],
            "hours": [note.hour_s for note in notes],
            "times": [note.noted_at for note in notes],
        }
        transaction.execute(_KEEP_NOTES, values)


def _ask_again(transaction: Transaction, store_time: datetime, now: datetime) -> tuple[int, _LateCheck]:
    """Ask for the slices that have not seen events of a settled note; returns how many, and what is done.

    Any number of workers may do this at once: a slice that has begun to read since is not asked for.

    Args:
        transaction: Where; the schedules asked stay locked until it ends.
        store_time: The clock that notes and scans are dated by.
        now: What the windows of schedules end at.
    """
    about = {
        "settled": store_time - timedelta(seconds=LATE_SETTLES_S),
        "settles_s": LATE_SETTLES_S,
        "now": now,
    }
    looked = _LateCheck(
        transaction.execute(_SETTLED, about).fetchall(), transaction.execute(_UNCHECKED, about).fetchall()
    )
    found: set[_Stale] = set()
    if looked.notes:
        notes = about | _columns(looked.notes, "tables", "hours")
        found |= _stale(transaction, _BY_NOTE, notes) | _stale(transaction, _AWAITING, notes)
    if looked.slices:
        found |= _stale(transaction, _BY_SLICE, about | _columns(looked.slices, "schedules", "instants"))
    return _ask(transaction, sorted(found, key=_by_slice)), looked


def _close(transaction: Transaction, looked: _LateCheck) -> None:
    """Note that these were looked up, where they have not changed since; in a later transaction."""
    if looked.notes:
        transaction.execute(_CLOSE, _columns(looked.notes, "tables", "hours", "times"))
    if looked.slices:
        transaction.execute(_CHECK, _columns(looked.slices, "schedules", "instants", "scans"))


def _columns(rows: Sequence[Sequence[object]], *names: str) -> dict[str, object]:
    """The first columns of rows as lists, by name."""
    return {name: [row[at] for row in rows] for at, name in enumerate(names)}


def _stale(transaction: Transaction, query: LiteralString, values: dict[str, object]) -> set[_Stale]:
    with transaction.cursor(row_factory=args_row(_Stale)) as cursor:
        return set(cursor.execute(query, values).fetchall())


def _by_slice(stale: _Stale) -> tuple[str, datetime, str, int]:
    return stale.schedule, stale.scheduled_at, stale.table_name, stale.hour_s


def _ask(transaction: Transaction, found: Iterable[_Stale]) -> int:
    count = 0
    for schedule, of_schedule in groupby(found, key=lambda stale: stale.schedule):
        queue.lock(transaction, schedule)
        for (scheduled_at, scan_started_at), of_slice in groupby(of_schedule, key=lambda stale: stale[1:3]):
            values = {
                "schedule": schedule,
                "scheduled_at": scheduled_at,
                "scan_started_at": scan_started_at,
                "cause": Cause.LATE,
                "reason": _reason(list(of_slice)),
            }
            count += transaction.execute(_ASK, values).rowcount
        queue.requeue(transaction, schedule)
    return count
