"""A schedule with slices, for the tests of claims and leases."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from logdrain.ledger.parts import Ledger
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


def with_slices(ledger: Ledger, *hours: int, name: str = "sums") -> None:
    ledger.schedules.create(replace(SUMS, name=name), NOW)
    ledger.schedules.ask_slices(name, [hour(number) for number in hours], Cause.MANUAL, force=False)


def claim_one(
    ledger: Ledger,
    *,
    owner: str = "worker",
    lease_s: float = 60,
    now: datetime = NOW,
    schedule: str | None = None,
) -> Claim | None:
    return next(iter(ledger.slices.claim(owner, lease_s, now, count=1, schedule=schedule)), None)


def claimed(
    ledger: Ledger, *, lease_s: float = 60, now: datetime = NOW, schedule: str | None = None
) -> Claim:
    claim = claim_one(ledger, lease_s=lease_s, now=now, schedule=schedule)
    assert claim is not None
    return claim


def states(ledger: Ledger, *hours: int) -> list[SliceState]:
    return [
        status.state for status in ledger.history.slice_statuses("sums", [hour(number) for number in hours])
    ]
