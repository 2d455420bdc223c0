"""A schedule with slices, for the tests of claims and leases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from logdrain.ledger.postgres_ledger import PostgresLedger
from logdrain.model.jobs import Cause, Claim, RunFailure, RunOutcome, Schedule, SliceState

Ask = Callable[..., object]

NOW = datetime(2024, 5, 1, 12, tzinfo=UTC)
SUMS = Schedule(
    name="sums", cron="", timezone="UTC", delay_s=0, database="production", sql="SELECT 1", retry_limit=0
)
OUTCOME = RunOutcome(rows_read=10, bytes_read=500, rows_written=2, warnings=("careful\0",))
FAILURE = RunFailure("sql_error", "no\0good \udcff", "try another", retryable=True)


def hour(number: int) -> datetime:
    return datetime(2024, 5, 1, number, tzinfo=UTC)


def with_slices(ledger: PostgresLedger, *hours: int, name: str = "sums") -> None:
    ledger.create_schedule(replace(SUMS, name=name), NOW)
    ledger.ask_slices(name, [hour(number) for number in hours], Cause.MANUAL, force=False)


def claimed(ledger: PostgresLedger, *, lease_s: float = 60, now: datetime = NOW) -> Claim:
    claim = ledger.claim("worker", lease_s, now)
    assert claim is not None
    return claim


def states(ledger: PostgresLedger, *hours: int) -> list[SliceState]:
    return [status.state for status in ledger.slice_statuses("sums", [hour(number) for number in hours])]
