"""Whatever a query does, the worker that runs it goes on with the slices of others."""

import threading
from datetime import timedelta
from pathlib import Path

import psycopg

from logdrain.model.jobs import RunState
from logdrain.worker.loop import Worker
from tests.integration.worker.world import MIDNIGHT, opened_world

HOURS = [MIDNIGHT - timedelta(hours=number) for number in reversed(range(12))]
JOB = """
cron = ""
database = "production"
result = "heroku_db:NAME"
sql = '''SELECT TD_SCHEDULED_TIME() AS time, EXPRESSION AS number FROM pay
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME()) GROUP BY 1'''
"""
HOSTILE = {
    "memory": "SUM(LENGTH(RPAD(category, 2000000000, 'b')))",
    "distances": "SUM(LEVENSHTEIN_DISTANCE(RPAD(category, 100000, 'b'), RPAD('c', 100000, 'd')))",
}
SETTINGS = {"LOGDRAIN_QUERY_MEMORY_MAX_BYTES": str(128 * 1024 * 1024), "LOGDRAIN_QUERY_TIMEOUT_S": "3"}


def test_a_worker_survives_any_sql_and_loses_no_slice(
    mongodb_uri: str, ledger_url: str, tmp_path: Path
) -> None:
    with opened_world(mongodb_uri, ledger_url, tmp_path / "jobs", **SETTINGS) as world:
        world.pay(*((hour - timedelta(minutes=1), "a", number) for number, hour in enumerate(HOURS)))
        for name, expression in {**HOSTILE, "users": "COUNT(DISTINCT price)"}.items():
            world.apply(f"{name}.toml", JOB.replace("NAME", name).replace("EXPRESSION", expression))
        world.ask("users", *HOURS)
        for name in HOSTILE:
            world.ask(name, HOURS[-1])
        worker = Worker(
            world.parts.ledger.slices, world.parts.runner.run, world.parts.ledger.clock, lease_s=30
        )
        working = threading.Thread(target=worker.run_forever, args=(2,))
        working.start()
        try:
            wait_for_runs(ledger_url, len(HOURS) + len(HOSTILE))
        finally:
            worker.stop()
            working.join()
        assert world.rows("SELECT COUNT(*), SUM(number) FROM users") == [(len(HOURS), len(HOURS))]
        for name in HOSTILE:
            run = world.newest(name)
            assert run.state is RunState.FAILED
            assert run.error_code in {"query_memory", "query_timeout"}


def wait_for_runs(ledger_url: str, count: int) -> None:
    """Until so many runs have ended."""
    pause = threading.Event()
    with psycopg.connect(ledger_url, autocommit=True) as connection:
        while True:
            found = connection.execute("SELECT COUNT(*) FROM logdrain.runs WHERE finished_at IS NOT NULL")
            (ended,) = found.fetchone() or (0,)
            if ended >= count:
                return
            pause.wait(0.1)
