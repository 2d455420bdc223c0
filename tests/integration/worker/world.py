"""A worker with everything that belongs to it: events in MongoDB, the ledger, results, a folder of jobs."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg

from logdrain.bootstrap.drain import SystemClock
from logdrain.config import read_settings
from logdrain.drain.ids import make_id
from logdrain.events.mongo_client import close_async, database_name, open_async
from logdrain.events.write.store import MongoEventStore
from logdrain.jobs.job_folder import load_jobs
from logdrain.model.events import Batch, Event, Origin, Table
from logdrain.model.jobs import Cause, Run, Schedule
from logdrain.worker.loop import Worker
from logdrain.worker.parts import WorkerParts, open_worker_parts
from tests.changed_settings import settings_with

MIDNIGHT = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
PAY = Table("production", "pay")

Rows = list[tuple[Any, ...]]


@dataclass
class World:
    """What a test does to it."""

    mongodb_uri: str
    ledger_url: str
    parts: WorkerParts
    folder: Path
    events: list[tuple[datetime, str, int]] = field(default_factory=list)
    deliveries: int = 0

    def pay(self, *payments: tuple[datetime, str, int]) -> None:
        """Store payments: (time, category, price)."""
        self.deliveries += 1
        self.events += payments
        origin = Origin("shop", "app", "web.1", "")
        events = []
        for at, (time, category, price) in enumerate(payments):
            ms = int(time.timestamp() * 1000)
            id_ = make_id(ms, "shop", f"d{self.deliveries}", at)
            events.append(Event(id_, PAY, ms, {"category": category, "price": price}, origin, b""))
        asyncio.run(self._store(Batch(events=events)))

    def apply(self, name: str, text: str) -> list[Schedule]:
        """Write a job file and keep its schedules."""
        path = self.folder / name
        path.write_text(text)
        schedules = [job.schedule for job in load_jobs([path])]
        for schedule in schedules:
            self.parts.ledger.schedules.apply(schedule, self.parts.ledger.clock.now())
        return schedules

    def ask(self, name: str, *instants: datetime, cause: Cause = Cause.MANUAL) -> None:
        """Ask for slices."""
        self.parts.ledger.schedules.ask_slices(name, instants, cause, force=False)

    def work(self, *, chores: bool = True) -> None:
        """Run all that may run."""
        worker = Worker(self.parts.ledger.slices, self.parts.runner.run, self.parts.ledger.clock, lease_s=30)
        while True:
            while worker.run_one():
                pass
            if not chores or not self.parts.ledger.late_work.ask_followers(self.parts.ledger.clock.now()):
                return

    def newest(self, name: str) -> Run:
        """The newest run of a schedule."""
        return self.parts.ledger.history.of_schedule(name, 1)[0]

    def rows(self, query: str) -> Rows:
        """Rows of a result, or of anything else."""
        with psycopg.connect(self.ledger_url) as connection:
            return connection.execute(query.encode()).fetchall()

    def execute(self, statement: str) -> None:
        """Change something beside the worker."""
        with psycopg.connect(self.ledger_url) as connection:
            connection.execute(statement.encode())

    async def _store(self, batch: Batch) -> None:
        client = open_async(self.mongodb_uri, driver="pymongo", timeout_s=30)
        limits = settings_with(store_timeout_s=30)
        store = MongoEventStore(client, database_name(self.mongodb_uri), SystemClock(), limits)
        await store.write(batch)
        await close_async(client)


@contextmanager
def opened_world(mongodb_uri: str, ledger_url: str, folder: Path, **more: str) -> Iterator[World]:
    """Open it, with more settings by their names; result `heroku_db` is the ledger's own database."""
    folder.mkdir()
    settings = read_settings(
        {"MONGODB_URI": mongodb_uri, "DATABASE_URL": ledger_url, "LOGDRAIN_JOBS_FOLDER": str(folder), **more}
    )
    with open_worker_parts(settings) as parts:
        parts.ledger.results.create("heroku_db", ledger_url)
        yield World(mongodb_uri, ledger_url, parts, folder)


def hours_of(day: datetime) -> list[datetime]:
    """The ends of a day's hours."""
    return [day + timedelta(hours=number) for number in range(1, 25)]
