"""What does the ledger do when very many schedules are due in the same minute?

All are due at one instant; a worker with so many places plans, claims and runs until none is left. A run does
nothing but note its success, so what is measured is the ledger: plan, claim, end, each durable.
The lateness of a slice is from when the worker began to when the slice did.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.environment import server_url, wanted_events
from bench.measuring import print_table
from logdrain import log
from logdrain.jobs.due import CronCalendar
from logdrain.ledger.parts import Ledger, connect
from logdrain.ledger.schema.migrate import migrate
from logdrain.model.jobs import Claim, RunOutcome, Schedule
from logdrain.model.stops import Stop
from logdrain.ports.ledger import Slices
from logdrain.worker.loop import Worker

DUE_AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
PLACES = (1, 4, 16)
LEASE_S = 60.0
MS = 1000


def main() -> None:
    """Print the table."""
    count = wanted_events(__doc__ or "", 10_000)
    rows = [measure(count, places) for places in PLACES]
    header = [
        "places",
        "slices",
        "seconds",
        "slices/s",
        "median lateness s",
        "last s",
        "worker CPU ms a slice",
        "idle claim ms",
    ]
    print_table(f"schedules: {count:,} due at once", header, rows)


def measure(count: int, places: int) -> list[str]:
    """One row: plan, claim and end them all."""
    with ledger_database() as url, closing(connect(url, CronCalendar())) as ledger, log.silence():
        make_schedules(ledger, url, count)
        late_s, took_s, cpu_s = run_all(ledger, places)
        idle_s = time.perf_counter()
        ledger.slices.plan(DUE_AT)
        ledger.slices.claim("idle", LEASE_S, DUE_AT, count=1)
        idle_s = time.perf_counter() - idle_s
    return [
        str(places),
        f"{len(late_s):,}",
        f"{took_s:.1f}",
        f"{len(late_s) / took_s:,.0f}",
        f"{late_s[len(late_s) // 2]:.1f}",
        f"{late_s[-1]:.1f}",
        f"{cpu_s * MS / len(late_s):.2f}",
        f"{idle_s * MS:.1f}",
    ]


def run_all(ledger: Ledger, places: int) -> tuple[list[float], float, float]:
    """Run a worker until it finds nothing more; gives the lateness of each slice, seconds, CPU seconds."""
    runner = EmptyRuns(ledger.slices)
    worker = Worker(
        ledger.slices,
        runner.run,
        FixedClock(),
        lease_s=LEASE_S,
        when_idle=lambda: worker.stop(),  # noqa: PLW0108  # it is not there yet
    )
    started_s, cpu_s = time.perf_counter(), time.process_time()
    worker.run_forever(places)
    late_s = sorted(at_s - started_s for at_s in runner.started_at_s)
    return late_s, time.perf_counter() - started_s, time.process_time() - cpu_s


class FixedClock:
    """The instant at which all are due."""

    def now(self) -> datetime:
        """It."""
        return DUE_AT


class EmptyRuns:
    """Runs that do nothing, and succeed."""

    def __init__(self, slices: Slices) -> None:
        self._slices = slices
        self.started_at_s: list[float] = []

    def run(self, claim: Claim, _stop: Stop) -> RunOutcome:
        """Note the time and the success."""
        self.started_at_s.append(time.perf_counter())
        outcome = RunOutcome(0, 0, 0)
        self._slices.succeed(claim, outcome)
        return outcome


def make_schedules(ledger: Ledger, url: str, count: int) -> None:
    """Many that are alike: one as a command makes it, the others as copies of its row."""
    first = Schedule("sums", "0 * * * *", "UTC", 0, "production", "SELECT 1")
    ledger.schedules.create(first, DUE_AT - timedelta(minutes=1))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TEMPORARY TABLE copies AS SELECT * FROM logdrain.schedules")
        connection.execute(
            "INSERT INTO logdrain.schedules SELECT (jsonb_populate_record(copies, jsonb_build_object('name',"
            " 'sums_' || number))).* FROM copies, generate_series(2, %s) AS number",
            (count,),
        )
        connection.execute("VACUUM ANALYZE logdrain.schedules")


@contextmanager
def ledger_database() -> Iterator[str]:
    """A database of its own with the ledger's tables."""
    server = server_url("DATABASE_URL")
    name = sql.Identifier(f"bench_schedules_{secrets.token_hex(4)}")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        url = urlsplit(server)._replace(path=f"/{name.as_string(None).strip(chr(34))}").geturl()
        try:
            migrate(url)
            yield url
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


if __name__ == "__main__":
    main()
