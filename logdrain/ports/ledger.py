"""Results, schedules, slices and runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from logdrain.model.jobs import Cause, Claim, Run, RunFailure, RunOutcome, Schedule, SliceStatus
from logdrain.ports.results import Transaction


class Ledger(Protocol):
    """Results, schedules, slices and runs, in Postgres. Every method may raise LedgerUnavailable."""

    def identity(self) -> str:
        """A name for this ledger's database that no other has."""
        ...

    def create_result(self, name: str, url: str) -> None:
        """Keep a named result; an existing one of that name gets the new URL."""
        ...

    def result_url(self, name: str) -> str:
        """The URL of a named result.

        Raises:
            UnknownResult: with the nearest name.
        """
        ...

    def results(self) -> list[tuple[str, str]]:
        """(name, URL with its secret) in order of name."""
        ...

    def delete_result(self, name: str) -> None:
        """Forget a named result; its tables stay.

        Raises:
            UnknownResult: with the nearest name.
        """
        ...

    def create_schedule(self, schedule: Schedule, now: datetime) -> None:
        """Keep a schedule; its first slice is the first cron instant after `now`.

        Raises:
            ScheduleExists: the name is taken.
            ResultTableShared: another schedule writes this result table.
        """
        ...

    def apply_schedule(self, schedule: Schedule, now: datetime) -> bool:
        """Create, or update where it differs; returns whether anything changed.

        Raises:
            ScheduleExists: the name belongs to another source.
            ResultTableShared: another schedule writes this result table.
        """
        ...

    def schedules(self) -> list[tuple[Schedule, datetime | None]]:
        """(schedule, its next cron instant or None) in order of name."""
        ...

    def schedule(self, name: str) -> Schedule:
        """One schedule.

        Raises:
            UnknownSchedule: with the nearest name.
        """
        ...

    def delete_schedule(self, name: str) -> None:
        """Forget a schedule with its slices and runs; result tables stay.

        Raises:
            UnknownSchedule: with the nearest name.
        """
        ...

    def plan_slices(self, now: datetime) -> int:
        """Turn cron instants up to `now` into waiting slices (catch-up included); returns how many."""
        ...

    def ask_slices(self, name: str, instants: Sequence[datetime], cause: Cause, *, force: bool) -> None:
        """Ask for slices to run, again where they ran before.

        Raises:
            UnknownSchedule: with the nearest name.
        """
        ...

    def slice_statuses(self, name: str, instants: Sequence[datetime]) -> list[SliceStatus]:
        """Where these slices stand, in order of time."""
        ...

    def claim(
        self, owner: str, lease_s: float, now: datetime, *, schedule: str | None = None
    ) -> Claim | None:
        """Take the next runnable slice, of one schedule or of any; None where there is none.

        Per schedule one slice runs at a time, oldest first. A slice whose lease has run out counts as
        runnable: its old run is marked lost.
        """
        ...

    def renew(self, claim: Claim, lease_s: float) -> None:
        """Keep a claim alive.

        Raises:
            LeaseLost: another worker has the slice.
        """
        ...

    def note_success(self, transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" inside the caller's transaction; fenced.

        Raises:
            LeaseLost: another worker has the slice; the caller must roll back.
        """
        ...

    def succeed(self, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" in a transaction of its own.

        Raises:
            LeaseLost: another worker has the slice.
        """
        ...

    def fail(self, claim: Claim, failure: RunFailure, retry_at: datetime | None) -> None:
        """Write "failed"; the slice waits until `retry_at`, or fails for good where that is None.

        Raises:
            LeaseLost: another worker has the slice.
        """
        ...

    def release(self, claim: Claim) -> None:
        """Give a slice back unrun (the worker stops)."""
        ...

    def history(self, name: str, limit: int) -> list[Run]:
        """The newest runs of a schedule, newest first.

        Raises:
            UnknownSchedule: with the nearest name.
        """
        ...

    def run_totals(self) -> dict[str, int]:
        """How many runs ended in each state, ever."""
        ...
