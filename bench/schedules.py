"""What does the ledger do when very many schedules are due in the same minute?

All are due at one instant; workers plan and claim until none is left, each claim ends in an empty success.
The lateness of a slice is from when the first worker began to when its claim had committed.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from bench.environment import server_url, wanted_events
from bench.measuring import print_table
from logdrain.model.jobs import RunOutcome, Schedule
from logdrain.schedule.postgres_ledger import PostgresLedger
from logdrain.schema.postgres_migrate import migrate

DUE_AT = datetime(2024, 5, 1, 12, tzinfo=UTC)
WORKERS = (1, 4)
LEASE_S = 60.0


def main() -> None:
    """Print the table."""
    count = wanted_events(__doc__ or "", 10_000)
    rows = [measure(count, workers) for workers in WORKERS]
    header = ["workers", "slices", "seconds", "slices/s", "median lateness s", "last s", "idle claim ms"]
    print_table(f"schedules: {count:,} due at once", header, rows)


def measure(count: int, workers: int) -> list[str]:
    """One row: plan, claim and end them all."""
    with ledger_database() as url:
        ledger = PostgresLedger(url)
        make_schedules(ledger, url, count)
        late_s: list[float] = []
        started_s = time.perf_counter()

        def work(owner: str) -> None:
            while True:
                ledger.plan_slices(DUE_AT, schedules_max=500)
                claim = ledger.claim(owner, LEASE_S, DUE_AT)
                if claim is None:
                    return
                late_s.append(time.perf_counter() - started_s)
                ledger.succeed(claim, RunOutcome(0, 0))

        threads = [threading.Thread(target=work, args=(f"worker-{number}",)) for number in range(workers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took_s = time.perf_counter() - started_s
        idle_s = time.perf_counter()
        ledger.plan_slices(DUE_AT)
        ledger.claim("idle", LEASE_S, DUE_AT)
        idle_s = time.perf_counter() - idle_s
        ledger.close()
    late_s.sort()
    return [
        str(workers),
        f"{len(late_s):,}",
        f"{took_s:.1f}",
        f"{len(late_s) / took_s:,.0f}",
        f"{late_s[len(late_s) // 2]:.1f}",
        f"{late_s[-1]:.1f}",
        f"{idle_s * 1000:.1f}",
    ]


def make_schedules(ledger: PostgresLedger, url: str, count: int) -> None:
    """Many that are alike: one as a command makes it, the others as copies of its row."""
    first = Schedule("sums", "0 * * * *", "UTC", 0, "production", "SELECT 1")
    ledger.create_schedule(first, DUE_AT - timedelta(minutes=1))
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
