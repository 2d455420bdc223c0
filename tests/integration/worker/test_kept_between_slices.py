"""A backfill whose windows overlap reads each event about once, and comes to the same table."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pymongo
import pytest

from logdrain.answer.kept import shelf
from logdrain.bootstrap.events import open_late_notes
from logdrain.config import Settings, read_settings
from logdrain.model.jobs import Cause
from logdrain.model.late import LATE_SETTLES_S
from logdrain.worker.loop import Worker
from logdrain.worker.parts import WorkerParts, open_worker_parts
from tests.integration.worker.world import MIDNIGHT, Rows, World, opened_world

DAY = timedelta(days=1)
SLICES = [MIDNIGHT - number * DAY for number in reversed(range(16))]
PER_DAY, WINDOW_DAYS = 10, 30
JOB = """
cron = ""
database = "production"
result = "heroku_db:NAME"
late = "90d"
sql = '''
SELECT TD_SCHEDULED_TIME() AS time, category, NUMBER AS number FROM pay
WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-30d'), TD_SCHEDULED_TIME()) GROUP BY 1, 2
'''
"""


@pytest.fixture
def world(mongodb_uri: str, ledger_url: str, tmp_path: Path) -> Iterator[World]:
    """With ten payments on each day; whoever stored them is long done."""
    with opened_world(mongodb_uri, ledger_url, tmp_path / "jobs") as found:
        first = SLICES[0] - WINDOW_DAYS * DAY
        count = (WINDOW_DAYS + len(SLICES)) * PER_DAY
        found.pay(
            *((first + number * DAY / PER_DAY, f"c{number % 3}", number % 7) for number in range(count))
        )
        with pymongo.MongoClient[dict[str, object]](mongodb_uri) as client:
            client.get_default_database()["_late"].update_many({}, {"$set": {"noted_at": first}})
        yield found


def settings_of(world: World, kept_events_max_bytes: int) -> Settings:
    return read_settings(
        {
            "MONGODB_URI": world.mongodb_uri,
            "DATABASE_URL": world.ledger_url,
            "LOGDRAIN_JOBS_FOLDER": str(world.folder),
            "LOGDRAIN_KEPT_EVENTS_MAX_BYTES": str(kept_events_max_bytes),
        }
    )


def documents_returned(uri: str) -> int:
    """What MongoDB has answered so far, to anybody."""
    with pymongo.MongoClient[dict[str, dict[str, dict[str, int]]]](uri) as client:
        return int(client.admin.command("serverStatus")["metrics"]["document"]["returned"])


def backfill(world: World, name: str, number: str, kept_events_max_bytes: int) -> tuple[Rows, int]:
    """Run all slices; returns the table, and how many documents MongoDB has sent."""
    [schedule] = world.apply(f"{name}.toml", JOB.replace("NAME", name).replace("NUMBER", number))
    world.ask(schedule.name, *SLICES)
    before = documents_returned(world.mongodb_uri)
    with open_worker_parts(settings_of(world, kept_events_max_bytes)) as parts:
        work(parts)
    sent = documents_returned(world.mongodb_uri) - before
    return table(world, name), sent


def work(parts: WorkerParts) -> None:
    worker = Worker(parts.ledger.slices, parts.runner.run, parts.ledger.clock, lease_s=30)
    while worker.run_one():
        pass


def table(world: World, name: str) -> Rows:
    return world.rows(f"TABLE {name} ORDER BY 1, 2")


@pytest.mark.parametrize("number", ["COUNT(DISTINCT price)", "SUM(price)"], ids=["engine", "grouped"])
def test_the_table_is_the_same_and_events_are_read_once(
    world: World, monkeypatch: pytest.MonkeyPatch, number: str
) -> None:
    monkeypatch.setattr(shelf, "_GROUPED_PER_START", WINDOW_DAYS * PER_DAY // 2)
    plain, plain_sent = backfill(world, "plain", number, 0)
    kept, kept_sent = backfill(world, "kept", number, 2**20)
    assert len(plain) == len(SLICES) * 3
    assert kept == plain
    per_window = WINDOW_DAYS * PER_DAY
    if "DISTINCT" in number:
        assert plain_sent > len(SLICES) * per_window
    assert per_window < kept_sent < 2 * per_window + len(SLICES) * (PER_DAY + 30)  # and what the catalog says


def test_late_events_between_two_slices_are_in_the_next_and_bring_the_others_back(world: World) -> None:
    [schedule] = world.apply(
        "kept.toml", JOB.replace("NAME", "kept").replace("NUMBER", "COUNT(DISTINCT price)")
    )
    with (
        open_worker_parts(settings_of(world, 2**20)) as parts,
        open_late_notes(settings_of(world, 0)) as notes,
    ):
        world.ask(schedule.name, *SLICES[:5])
        work(parts)
        world.pay((SLICES[0] - DAY / 2, "late", 5))  # which all of the windows have
        world.ask(schedule.name, *SLICES[5:10])
        work(parts)
        found = world.rows("SELECT time FROM kept WHERE category = 'late' ORDER BY 1")
        assert found == [(instant,) for instant in SLICES[5:10]]
        settled = notes.store_time() + timedelta(seconds=LATE_SETTLES_S)
        asked = parts.ledger.late_work.ask_late(notes.notes(SLICES[0]), settled, parts.ledger.clock.now())
        assert asked >= len(SLICES[:5])
        work(parts)
    assert len(world.rows("SELECT time FROM kept WHERE category = 'late'")) == 10
    rows = table(world, "kept")
    plain, _ = backfill(world, "plain", "COUNT(DISTINCT price)", 0)
    assert rows == [row for row in plain if row[0] < SLICES[10]]
    assert world.newest("kept").cause is Cause.LATE
