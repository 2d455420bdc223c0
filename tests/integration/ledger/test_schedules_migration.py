"""A ledger of the first release, with schedules and slices in it, goes on after the migration."""

from datetime import UTC, datetime

import psycopg

from logdrain.jobs.due import CronCalendar
from logdrain.ledger.postgres_ledger import PostgresLedger
from logdrain.ledger.schema.migrate import migrate, migrations
from logdrain.model.jobs import LATE_DEFAULT_S, RunOutcome, Schedule, SliceState

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
OLD = """
INSERT INTO logdrain.schedules (name, cron, timezone, delay_s, database, sql, dialect, result, retry_limit,
                                catch_up, catch_up_max, source, result_table)
SELECT name, '', 'UTC', 0, 'production', 'SELECT 1', 'trino', '', 5, 'all', 1000, '', ''
FROM unnest('{waits,runs,rests}'::text[]) AS name;
INSERT INTO logdrain.slices (schedule, scheduled_at, state, cause, fence, lease_until, ever_succeeded) VALUES
    ('waits', '2024-05-01 10:00Z', 'succeeded', 'schedule', 1, NULL, true),
    ('waits', '2024-05-01 11:00Z', 'waiting', 'schedule', 0, NULL, false),
    ('runs', '2024-05-01 11:00Z', 'running', 'schedule', 1, now() - interval '1 second', false),
    ('rests', '2024-05-01 11:00Z', 'succeeded', 'schedule', 1, NULL, true);
INSERT INTO logdrain.runs (schedule, scheduled_at, cause, attempt, fence, owner, state, finished_at) VALUES
    ('waits', '2024-05-01 10:00Z', 'schedule', 1, 1, 'w', 'succeeded', now()),
    ('runs', '2024-05-01 11:00Z', 'schedule', 1, 1, 'w', 'running', NULL);
"""


def test_slices_that_wait_or_run_are_in_the_queue(postgres_url: str) -> None:
    [first] = [migration for migration in migrations() if migration.number == 1]
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA logdrain")
        connection.execute(
            "CREATE TABLE logdrain.migrations"
            " (number integer PRIMARY KEY, file text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        connection.execute(first.ddl)
        connection.execute("INSERT INTO logdrain.migrations (number, file) VALUES (1, %s)", (first.file,))
        connection.execute(OLD)
    assert migrate(postgres_url) == len(migrations()) - 1

    ledger = PostgresLedger(postgres_url, CronCalendar())
    claims = {}
    while (claim := ledger.claim("worker", 60, NOW)) is not None:
        claims[claim.schedule.name] = claim
    assert sorted(claims) == ["runs", "waits"]
    assert (claims["runs"].fence, claims["runs"].attempt) == (2, 1)
    assert claims["waits"].schedule == Schedule(
        "waits", "", "UTC", 0, "production", "SELECT 1", late_s=LATE_DEFAULT_S
    )
    for claim in claims.values():
        ledger.succeed(claim, RunOutcome(1, 1, 1))
    [status] = ledger.slice_statuses("runs", [claims["runs"].scheduled_at])
    assert status.state is SliceState.SUCCEEDED
    assert [run.state for run in ledger.history("runs", 10)] == ["succeeded", "lost"]
    ledger.close()
