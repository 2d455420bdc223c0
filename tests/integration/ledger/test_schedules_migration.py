"""A ledger of an earlier release, with schedules and slices in it, goes on after the migration."""

from datetime import UTC, datetime

import psycopg
import pytest

from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import connect
from logdrain.ledger.schema.migrate import migrate, migrations
from logdrain.model.jobs import LATE_DEFAULT_S, RunOutcome, Schedule, SliceState
from tests.integration.ledger.ledger_slices import claim_one

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


RUNS = "SELECT schedule, scheduled_at, fence, state, started_at FROM logdrain.runs ORDER BY id"
ONE_BY_HAND = """
INSERT INTO logdrain.runs (cause, attempt, fence, owner, state, finished_at)
VALUES ('manual', 1, 1, 'w', 'succeeded', now())
"""


def migrated_to(url: str, number: int) -> None:
    """The tables as they were with this migration, and something in those of the first one."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA logdrain")
        connection.execute(
            "CREATE TABLE logdrain.migrations"
            " (number integer PRIMARY KEY, file text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        for migration in migrations()[:number]:
            connection.execute(migration.ddl)
            connection.execute(
                "INSERT INTO logdrain.migrations (number, file) VALUES (%s, %s)",
                (migration.number, migration.file),
            )
            if migration.number == 1:
                connection.execute(OLD)


def test_slices_that_wait_or_run_are_in_the_queue(postgres_url: str) -> None:
    migrated_to(postgres_url, 1)
    assert migrate(postgres_url) == len(migrations()) - 1

    ledger = connect(postgres_url, CronCalendar())
    claims = {}
    while (claim := claim_one(ledger)) is not None:
        claims[claim.schedule.name] = claim
    assert sorted(claims) == ["runs", "waits"]
    assert (claims["runs"].fence, claims["runs"].attempt) == (2, 1)
    assert claims["waits"].schedule == Schedule(
        "waits", "", "UTC", 0, "production", "SELECT 1", late_s=LATE_DEFAULT_S
    )
    for claim in claims.values():
        ledger.slices.succeed(claim, RunOutcome(1, 1, 1))
    [status] = ledger.history.slice_statuses("runs", [claims["runs"].scheduled_at])
    assert status.state is SliceState.SUCCEEDED
    assert [run.state for run in ledger.history.of_schedule("runs", 10)] == ["succeeded", "lost"]
    ledger.close()


def test_runs_stay_and_need_no_schedule_any_more(postgres_url: str) -> None:
    migrated_to(postgres_url, 5)
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        before = connection.execute(RUNS).fetchall()
        with pytest.raises(psycopg.errors.NotNullViolation):
            connection.execute(ONE_BY_HAND)
        assert migrate(postgres_url) == len(migrations()) - 5
        assert connection.execute(RUNS).fetchall() == before
        connection.execute(ONE_BY_HAND)
        with pytest.raises(psycopg.errors.CheckViolation, match="runs_of_a_schedule_have_a_time"):
            connection.execute("UPDATE logdrain.runs SET scheduled_at = NULL")
