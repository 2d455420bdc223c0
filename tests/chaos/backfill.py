"""Asks for slices while things break, looks at the tables meanwhile, and runs all slices at the end."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import psycopg
from psycopg import sql

from logdrain.errors import NotRunning
from tests.chaos.commands import must_run, run_command
from tests.chaos.jobs import CRON, HERE, JOBS, SQL, THERE, Job, Row, torn
from tests.chaos.world import World

_PATIENCE_S = (3.0, 40.0)  # then the command is killed
_FINAL_WITHIN_S = 120.0
_LOOK_EVERY_S = 0.5
_ASK_EVERY_S = 0.3
_RETRIES = "50"


@dataclass
class Backfill:
    """Asks for slices as an operator does.

    Attributes:
        torn: What was wrong with a table at some moment.
        looks: How often all tables were looked at.
        runs: `sched:run` commands by how they ended.
    """

    world: World
    random: Random
    torn: list[str] = field(default_factory=list)
    looks: int = 0
    runs: dict[str, int] = field(default_factory=lambda: {"ended": 0, "killed": 0})

    async def prepare(self) -> None:
        """Make tables, results and schedules."""
        await self._must_run("migrate")
        for result in (HERE, THERE):
            await self._must_run("result:create", result, f"env:CHAOS_{result.upper()}")
        for job in JOBS:
            options = ("-d", "shop", "--result", job.target, "--retry", _RETRIES)
            await self._must_run("sched:create", job.name, CRON, *options, SQL)

    async def keep_asking(self) -> None:
        """Ask for the slices of any job, again and again, until cancelled; some commands are killed."""
        while True:
            job = self.random.choice(JOBS)
            try:
                await run_slices(self.world, job, self.random.uniform(*_PATIENCE_S))
                self.runs["ended"] += 1
            except TimeoutError:
                self.runs["killed"] += 1
            except NotRunning:
                pass  # a server is down: its URL is not known just now
            await asyncio.sleep(_ASK_EVERY_S)

    async def keep_looking(self) -> None:
        """Look whether tables are whole, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            with contextlib.suppress(psycopg.OperationalError, NotRunning):
                for job in JOBS:
                    rows = await asyncio.to_thread(table_rows, self.world, job)
                    self.torn += torn(job, rows)
                self.looks += 1

    async def finish(self) -> list[str]:
        """Run all slices once more; what did not succeed."""
        failed = []
        deadline_s = time.monotonic() + _FINAL_WITHIN_S
        for job in JOBS:
            try:
                status = await run_slices(
                    self.world, job, max(1.0, deadline_s - time.monotonic()), log="final"
                )
            except TimeoutError:
                status = -signal.SIGKILL
            if status != 0:
                failed.append(f"{job.name}: sched:run ended with status {status}, see final.log")
        return failed

    async def _must_run(self, *words: str) -> None:
        await must_run(self.world.direct_environment, words, self.world.folder / "prepare.log")


async def run_slices(world: World, job: Job, within_s: float, *, log: str = "sched-run") -> int:
    """`logdrain sched:run` over all slices of a job; its exit status.

    Raises:
        TimeoutError: it was not done in time, and was killed.
    """
    start, count = job.slices
    words = ("sched:run", job.name, f"{start:%Y-%m-%d %H:%M:%S}", "-n", str(count))
    return await run_command(world.direct_environment, words, world.folder / f"{log}.log", within_s)


def table_rows(world: World, job: Job) -> Sequence[Row]:
    """A result table as one statement sees it; nothing where it is not made yet."""
    url = world.postgres.uri if job.result == HERE else world.warehouse_uri
    statement = sql.SQL("SELECT time, item, events, revenue, serials, in_slice FROM {}")
    with (
        psycopg.connect(url, connect_timeout=5, options="-c TimeZone=UTC") as connection,
        contextlib.suppress(psycopg.errors.UndefinedTable),
    ):
        return connection.execute(statement.format(sql.Identifier(job.name))).fetchall()
    return []
