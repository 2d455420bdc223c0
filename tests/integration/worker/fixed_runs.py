"""Workers on a real ledger and real results whose queries yield rows that the test gives."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any, cast

import psycopg

from logdrain.answer.queries import Answer, Queries
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect
from logdrain.ledger.slices import PostgresSlices
from logdrain.model.jobs import Cause, Claim, Schedule, SliceState
from logdrain.model.queries import PlanSummary, QueryRequest
from logdrain.ports.clock import Clock
from logdrain.ports.streams import ArrowStream
from logdrain.results.files.file_writer import FolderResultWriter
from logdrain.results.postgres.table_writer import PostgresResultWriter
from logdrain.results.writers import ResultWriters
from logdrain.worker.loop import Worker
from logdrain.worker.slices import SliceRunner
from tests.integration.results.result_table import as_stream

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FIRST = datetime(2024, 5, 1, tzinfo=UTC)
LEASE_S = 60.0  # of a worker that is alive: how often it would renew it
_MOMENT_S = 0.001
_WITHIN_S = 30.0

Rows = list[tuple[Any, ...]]
Select = Callable[[datetime], ArrowStream]
"""From a slice's time to what its query yields."""


@dataclass
class FixedClock:
    """Stands still, but where a test moves it."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


@dataclass(frozen=True)
class FixedQueries:
    """In place of `Queries`."""

    select: Select

    timeout_s: float | None = None

    @contextmanager
    def stream(self, request: QueryRequest, **_: object) -> Iterator[Answer]:
        plan = PlanSummary(scans=(), slice_column="time")
        yield Answer(plan, self.select(datetime.fromtimestamp(request.scheduled_time_s, UTC)), [])


def select_sums(sums: Mapping[str, int]) -> Select:
    """A query that yields an item and a sum a row."""

    def select(instant: datetime) -> ArrowStream:
        seconds = int(instant.timestamp())
        return as_stream({"time": [seconds] * len(sums), "item": list(sums), "sum": list(sums.values())})

    return select


class BriefLeases(PostgresSlices):
    """Slices whose claims last for a moment: who is not there at the end has lost the slice to the next."""

    def claim(
        self, owner: str, _lease_s: float, now: datetime, *, count: int, schedule: str | None = None
    ) -> list[Claim]:
        return super().claim(owner, _MOMENT_S, now, count=count, schedule=schedule)


@contextmanager
def opened_worker(ledger: Ledger, select: Select, clock: Clock | None = None) -> Iterator[Worker]:
    tables = PostgresResultWriter(CronCalendar(), connect_timeout_s=5, lock_timeout_s=10)
    writer = ResultWriters(tables, FolderResultWriter(""), CronCalendar())
    clock = clock or FixedClock()
    queries = cast("Queries", FixedQueries(select))
    try:
        runner = SliceRunner(
            queries, ledger.slices, writer, clock, result_url=ledger.results.url, environment={}
        )
        yield Worker(ledger.slices, runner.run, clock, lease_s=LEASE_S)
    finally:
        writer.close_idle()


@contextmanager
def opened_ledger(url: str) -> Iterator[Ledger]:
    with closing(connect(url, CronCalendar())) as ledger:
        yield replace(ledger, slices=BriefLeases(ledger.connections, CronCalendar()))


@dataclass(frozen=True)
class Sums:
    """A schedule with one slice, and its result table."""

    ledger: Ledger
    result_url: str
    mode: str = "append"
    name: str = "sums"

    def create(self, cron: str = "", *, now: datetime = NOW) -> None:
        unique = "&unique=item" if self.mode == "update" else ""
        result = f"{self.result_url}/{self.name}?mode={self.mode}{unique}"
        schedule = Schedule(self.name, cron, "UTC", 0, "production", "SELECT 1", result=result, retry_limit=5)
        self.ledger.schedules.create(schedule, now)

    def ask(self) -> None:
        self.ledger.schedules.ask_slices(self.name, [FIRST], Cause.MANUAL, force=False)

    def finish(self, select: Select, *, now: datetime = NOW) -> None:
        """Let a worker run until the slice has succeeded, an hour later each time: no pause is longer.

        Postgres may take a moment to miss who has died.
        """
        deadline_s = monotonic() + _WITHIN_S
        clock = FixedClock(now)
        with opened_worker(self.ledger, select, clock) as worker:
            while self.state() is not SliceState.SUCCEEDED:
                assert monotonic() < deadline_s, f"{self.name} is {self.state()} after {_WITHIN_S:g} s"
                worker.run_one(schedule=self.name)
                clock.time += HOUR

    def rows(self) -> Rows:
        with psycopg.connect(self.result_url, options="-c TimeZone=UTC") as connection:
            return connection.execute(f"TABLE {self.name}".encode()).fetchall()

    def state(self) -> SliceState:
        [status] = self.ledger.history.slice_statuses(self.name, [FIRST])
        return status.state


def rows_of(sums: Mapping[str, int]) -> Rows:
    """What the slice's rows look like in the table."""
    return [(FIRST, item, value) for item, value in sums.items()]
