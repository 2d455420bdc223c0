"""Notices in the ledger: one when a schedule begins to fail for good, one when it runs again.

They are written with the run's end, in its transaction, so that any number of workers make one of each; and
kept until one of the workers has sent them.
"""

from datetime import datetime

from psycopg.rows import kwargs_row, scalar_row
from psycopg.types.json import Jsonb

from logdrain.ledger.connections import Connections, storable
from logdrain.model.jobs import Claim, RunFailure, Schedule
from logdrain.model.notices import Notice
from logdrain.ports.transactions import Transaction

_BEGIN_FAILING = """
UPDATE logdrain.schedules SET failing_since = clock_timestamp()
WHERE name = %s AND failing_since IS NULL
RETURNING failing_since
"""
_STOP_FAILING = """
UPDATE logdrain.schedules AS schedule SET failing_since = NULL
FROM (SELECT name, failing_since FROM logdrain.schedules
      WHERE name = %s AND failing_since IS NOT NULL) AS before
WHERE schedule.name = before.name
RETURNING before.failing_since
"""
_ADD = "INSERT INTO logdrain.notices (url, body) VALUES (%s, %s)"
# Whoever takes one has a minute to send it; then it comes again, later and later, up to six hours.
_TAKE = """
UPDATE logdrain.notices AS notice
SET attempts = attempts + 1,
    next_try_at = clock_timestamp() + make_interval(secs => least(60 * power(2, least(attempts, 10)), 21600))
FROM (SELECT key FROM logdrain.notices WHERE next_try_at <= clock_timestamp()
      ORDER BY next_try_at LIMIT 1 FOR UPDATE SKIP LOCKED) AS next
WHERE notice.key = next.key
RETURNING notice.key::text, url, body, attempts
"""


class PostgresNotices:
    """`ports.Notices` in Postgres."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def take(self) -> Notice | None:
        """The next notice to send, for this worker alone."""
        with (
            self._connections.transaction() as transaction,
            transaction.cursor(row_factory=kwargs_row(Notice)) as cursor,
        ):
            return cursor.execute(_TAKE).fetchone()

    def drop(self, key: str) -> None:
        """Forget a notice."""
        with self._connections.transaction() as transaction:
            transaction.execute("DELETE FROM logdrain.notices WHERE key = %s", (key,))


def note_failure(
    transaction: Transaction, schedule: Schedule, scheduled_at: datetime, run_id: int, failure: RunFailure
) -> None:
    """A slice has failed for good: to be told, unless the schedule was failing already."""
    with transaction.cursor(row_factory=scalar_row) as cursor:
        since = cursor.execute(_BEGIN_FAILING, (schedule.name,)).fetchone()
    if since is not None:
        body = {
            "event": "schedule_failed",
            "schedule": schedule.name,
            "scheduled_at": scheduled_at.isoformat(),
            "run_id": run_id,
            "failing_since": since.isoformat(),
            "code": failure.code,
            "message": storable(failure.message),
            "hint": storable(failure.hint),
        }
        transaction.execute(_ADD, (schedule.notify, Jsonb(body)))


def note_recovery(transaction: Transaction, claim: Claim) -> None:
    """A slice has succeeded: to be told, if the schedule was failing."""
    with transaction.cursor(row_factory=scalar_row) as cursor:
        since = cursor.execute(_STOP_FAILING, (claim.schedule.name,)).fetchone()
    if since is not None:
        body = {
            "event": "schedule_recovered",
            "schedule": claim.schedule.name,
            "scheduled_at": claim.scheduled_at.isoformat(),
            "run_id": claim.run_id,
            "failing_since": since.isoformat(),
        }
        transaction.execute(_ADD, (claim.schedule.notify, Jsonb(body)))
