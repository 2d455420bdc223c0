"""Schedules whose results are files, on real servers: from events to files, again when events come late."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pyarrow.parquet as pq
import pytest

from logdrain.__main__ import run
from logdrain.errors import ResultRefused
from logdrain.ledger.slices import PostgresSlices
from logdrain.model.jobs import Cause, RunState
from logdrain.model.plans import Dialect
from logdrain.model.queries import QueryRequest
from logdrain.worker.loop import Worker
from tests.integration.worker.dying import Died
from tests.integration.worker.world import MIDNIGHT, World, opened_world

HOUR = timedelta(hours=1)
HOURLY = """
cron = ""
database = "production"
result = "{result}"
late = "30d"
sql = '''
SELECT category, SUM(price) AS sum FROM pay
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-1h'), TD_SCHEDULED_TIME()) GROUP BY 1 ORDER BY 1
'''
"""
READS = """
SELECT start_s, end_s FROM logdrain.slice_reads JOIN logdrain.slices USING (schedule, scheduled_at)
WHERE scan_started_at IS NOT NULL ORDER BY 1
"""
PYTHON = """
import logdrain

@logdrain.job(cron="", result="exports:counts?format=csv", database="production")
def counts(context):
    yield {"category": "abc", "n": 3}
"""


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    return folder


@pytest.fixture
def world(mongodb_uri: str, ledger_url: str, tmp_path: Path, exports: Path) -> Iterator[World]:
    setting = {"LOGDRAIN_RESULT_FOLDER": str(exports)}
    with opened_world(mongodb_uri, ledger_url, tmp_path / "jobs", **setting) as found:
        found.parts.ledger.results.create("exports", f"file://{exports}")
        yield found


def sums_of(exports: Path, hour: datetime) -> dict[str, int]:
    table = pq.read_table(exports / "sums" / f"{hour:%Y%m%dT%H%M%SZ}.parquet")
    return {row["category"]: row["sum"] for row in table.to_pylist()}


def test_a_slice_is_a_file_and_runs_again_when_events_come_late(world: World, exports: Path) -> None:
    """Without a slice column, too: a file is replaced whole."""
    start = MIDNIGHT - 5 * HOUR
    world.pay((start, "milk", 1), (start, "tea", 2), (start + HOUR, "milk", 3))
    world.apply("sums.toml", HOURLY.format(result="exports:sums"))
    hours = [start + HOUR, start + 2 * HOUR]
    world.ask("sums", *hours)
    world.work()
    assert [sums_of(exports, hour) for hour in hours] == [{"milk": 1, "tea": 2}, {"milk": 3}]
    world.pay((start + HOUR / 2, "tea", 40))
    reads = (
        "SELECT start_s, end_s FROM logdrain.slice_reads JOIN logdrain.slices USING (schedule, scheduled_at)"
    )
    assert sorted(world.rows(f"{reads} WHERE scan_started_at IS NOT NULL")) == [
        (int((hour - HOUR).timestamp()), int(hour.timestamp())) for hour in hours
    ]
    world.ask("sums", hours[0], cause=Cause.LATE)
    world.work()
    assert [sums_of(exports, hour) for hour in hours] == [{"milk": 1, "tea": 42}, {"milk": 3}]
    assert world.newest("sums").cause is Cause.LATE
    [freshness] = world.rows("SELECT result_table, last_slice, failing_since FROM logdrain.freshness")
    assert freshness == ("exports:sums", hours[-1], None)


def test_a_worker_that_dies_before_the_ledger_knows(world: World, exports: Path) -> None:
    world.pay((MIDNIGHT - HOUR, "milk", 1))
    world.apply("sums.toml", HOURLY.format(result="exports:sums"))
    world.ask("sums", MIDNIGHT)
    dying = Worker(world.parts.ledger.slices, world.parts.runner.run, world.parts.ledger.clock, lease_s=0.01)
    with patch.object(PostgresSlices, "succeed", side_effect=Died), pytest.raises(Died):
        dying.run_one()
    assert sums_of(exports, MIDNIGHT) == {"milk": 1}
    assert world.newest("sums").state is RunState.RUNNING
    world.pay((MIDNIGHT - HOUR, "milk", 2))
    world.work()
    assert sums_of(exports, MIDNIGHT) == {"milk": 3}
    assert [each.state for each in world.parts.ledger.history.of_schedule("sums", 9)] == [
        RunState.SUCCEEDED,
        RunState.LOST,
    ]
    assert [path.name for path in (exports / "sums").iterdir() if path.is_file()] == [
        f"{MIDNIGHT:%Y%m%dT%H%M%SZ}.parquet"
    ]


def test_a_job_in_python_writes_files(world: World, exports: Path) -> None:
    world.apply("counts.py", PYTHON)
    world.ask("counts", MIDNIGHT)
    world.work()
    [file] = (exports / "counts").glob("*.csv")
    assert file.read_text() == f"time,category,n\n{MIDNIGHT:%Y-%m-%d} 00:00:00Z,abc,3\n"


def test_what_is_not_below_the_folder_is_refused(world: World, tmp_path: Path) -> None:
    world.apply("sums.toml", HOURLY.format(result=f"file://{tmp_path}/sums"))
    world.pay((MIDNIGHT - HOUR, "milk", 1))
    world.ask("sums", MIDNIGHT)
    world.work()
    failed = world.newest("sums")
    assert (failed.state, failed.error_code) == (RunState.FAILED, "result_refused")
    assert f"{tmp_path}/sums is not below {tmp_path}/exports" in failed.error_message


def test_a_query_does_not_read_files(world: World) -> None:
    request = QueryRequest("SELECT * FROM result.exports.sums", "production", Dialect.TRINO, 0, 0)
    with pytest.raises(ResultRefused, match="result exports has files, not tables") as raised:
        world.parts.runner._queries.plan(request)  # noqa: SLF001  # what a run asks first
    assert "let the job write there" in raised.value.hint


def test_no_role_is_granted_files(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", world.ledger_url)
    world.apply("sums.toml", HOURLY.format(result="exports:sums"))
    for words in (["bi:grant", "postgres"], ["bi:grant", "postgres", "--result", "exports"]):
        assert run(words) == 1
        assert "no role of Postgres reads" in capsys.readouterr().err
    assert run(["result:list"]) == 0
    assert "file:///" in capsys.readouterr().out
