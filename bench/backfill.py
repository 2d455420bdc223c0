"""What does a backfill cost, with and without keeping what neighbouring slices both read?

Sixty slices, two a day, each over the seven days before it: fourteen of them read the same event. And sixty
hourly ones over an hour each, which have nothing in common.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta

from bench.environment import mongod_pid, mongodb_database, server_url, wanted_events
from bench.measuring import Variant, Work, print_comparison, take_turns
from bench.sample import START, TABLE
from bench.sql import DATABASE, load
from logdrain.config import Settings, read_settings
from logdrain.ledger.schema.migrate import migrate
from logdrain.model.jobs import Cause, Schedule
from logdrain.worker.parts import WorkerParts, open_worker_parts

SLICES = 60
ROUNDS = 3
RESULT = "bench"
SQL = (
    "SELECT TD_SCHEDULED_TIME() AS time, item_category, {number} AS number FROM pay"
    " WHERE TD_TIME_RANGE(time, TD_TIME_ADD(TD_SCHEDULED_TIME(), '-{window}'), TD_SCHEDULED_TIME())"
    " GROUP BY TD_SCHEDULED_TIME(), item_category"
)
NUMBERS = {
    "sums of each category": "SUM(price)",  # which MongoDB can group
    "users of each category": "COUNT(DISTINCT uid)",
}


def main() -> None:
    """Print all tables."""
    events = wanted_events(__doc__ or "", 200_000)
    with mongodb_database(DATABASE) as uri:
        load(uri, events)
        settings = read_settings({"MONGODB_URI": uri, "DATABASE_URL": server_url("DATABASE_URL")})
        migrate(settings.database_url)
        for words, number in NUMBERS.items():
            compare(settings, f"{words}, 60 times 7 days", number, "7d", timedelta(hours=12))
        for words, number in NUMBERS.items():
            compare(settings, f"{words}, 60 times an hour", number, "1h", timedelta(hours=1))


def compare(settings: Settings, words: str, number: str, window: str, step: timedelta) -> None:
    """The same slices, by a worker that keeps nothing and by one that does."""
    sql = SQL.replace("{number}", number).replace("{window}", window)
    schedule = Schedule("backfill", "", "UTC", 0, TABLE.database, sql, result=f"{RESULT}:backfill")
    instants = [START + timedelta(days=7) + number * step for number in range(SLICES)]
    settings_of = {"nothing is kept": replace(settings, kept_events_max_bytes=0), "logdrain": settings}
    with ExitStack() as stack:
        parts = [stack.enter_context(open_worker_parts(of)) for of in settings_of.values()]
        parts[0].ledger.results.create(RESULT, settings.database_url)
        parts[0].ledger.schedules.apply(schedule, START)
        variants = [
            Variant(name, Backfill(of, instants)) for name, of in zip(settings_of, parts, strict=True)
        ]
        timings = take_turns(variants, rounds=ROUNDS, watched={"mongod": mongod_pid()})
    print_comparison(f"backfill: {words}", timings, cpu_per_run=True)


class Backfill:
    """Asks for slices; the work is to run them all."""

    def __init__(self, parts: WorkerParts, instants: Sequence[datetime]) -> None:
        self._parts = parts
        self._instants = instants

    def __call__(self) -> Work:
        """See `Variant.prepare`."""
        self._parts.ledger.schedules.ask_slices("backfill", self._instants, Cause.MANUAL, force=False)
        return self._run

    def _run(self) -> int:
        ledger, events = self._parts.ledger, 0
        while claims := ledger.slices.claim("bench", 60, ledger.clock.now(), count=1, schedule="backfill"):
            events += self._parts.runner.run(claims[0]).rows_read
        return events


if __name__ == "__main__":
    main()
