"""Slices that ran before their table had any events: the result equals a recomputation all the same."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from logdrain.bootstrap.events import open_late_notes
from logdrain.config import read_settings
from logdrain.model.jobs import Cause, RunState
from logdrain.model.late import LATE_SETTLES_S
from tests.integration.worker.world import MIDNIGHT, World, hours_of, opened_world

JOB = """
cron = ""
database = "production"
result = "heroku_db:sums"
late = "30d"
sql = '''
SELECT TD_SCHEDULED_TIME() AS time, SUM(price) AS sum FROM pay
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME())
GROUP BY 1
'''
"""
DAY = MIDNIGHT - timedelta(days=2)


@pytest.fixture
def world(mongodb_uri: str, ledger_url: str, tmp_path: Path) -> Iterator[World]:
    with opened_world(mongodb_uri, ledger_url, tmp_path / "jobs") as found:
        yield found


def test_slices_that_failed_without_the_table_run_when_its_events_come(world: World) -> None:
    [schedule] = world.apply("sums.toml", JOB)
    world.ask(schedule.name, *hours_of(DAY))
    world.work()
    assert world.newest("sums").error_code == "unknown_table"
    world.pay((DAY + timedelta(minutes=30), "food", 5), (DAY + timedelta(minutes=90), "food", 7))
    settings = read_settings({"MONGODB_URI": world.mongodb_uri})
    with open_late_notes(settings) as notes:
        settled = notes.store_time() + timedelta(seconds=LATE_SETTLES_S)
        now = world.parts.ledger.clock.now()
        assert world.parts.ledger.late_work.ask_late(notes.notes(DAY), settled, now) == len(hours_of(DAY))
    world.work()
    run = world.newest("sums")
    assert (run.state, run.cause) == (RunState.SUCCEEDED, Cause.LATE)
    assert world.rows("SELECT time, sum FROM sums ORDER BY 1") == [
        (DAY + timedelta(hours=1), 5),
        (DAY + timedelta(hours=2), 7),
    ]
