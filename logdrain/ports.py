"""What each road needs from the outside, as Protocols. Rooms implement them; `pipeline` joins them.

Async ports serve the drain; sync ports serve the worker and the commands, whose engines block anyway.
Every method raises errors of `logdrain.errors` only, and says which.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import psycopg
import pyarrow as pa

from logdrain.model.catalog import TableCatalog
from logdrain.model.events import Batch, Origin, Split, Stored, Table
from logdrain.model.jobs import (
    Cause,
    Claim,
    ResultTarget,
    Run,
    RunFailure,
    RunOutcome,
    Schedule,
    SliceStatus,
)
from logdrain.model.plans import Plan, Scan

Transaction = psycopg.Connection[tuple[object, ...]]
"""A Postgres connection inside an open transaction."""


class Clock(Protocol):
    """Where the time comes from; tests bring their own."""

    def now(self) -> datetime:
        """The present, aware, UTC."""
        ...


class EventStore(Protocol):
    """Durable, exactly-once storage of what deliveries hold."""

    async def write(self, batch: Batch) -> Stored:
        """Store all of a batch; returns once it is durable (majority, journaled).

        Raises:
            StoreUnavailable: not confirmed in time; some of it may be stored, writing it again is safe.
            StoreBusy: too much is waiting already.
        """
        ...

    async def waiting_splits(self, origins: Sequence[Origin], by: Sequence[str]) -> list[Split]:
        """Splits of these origins that wait for more, or that one of `by` has continued before.

        Raises:
            StoreUnavailable: MongoDB did not answer in time.
        """
        ...

    async def expire_splits(self, older_than_ms: int) -> int:
        """Move splits that arrived before this unix time (ms) to quarantine; returns how many.

        Raises:
            StoreUnavailable: MongoDB did not answer in time.
        """
        ...

    async def check(self) -> None:
        """Ask the store for a sign of life.

        Raises:
            StoreUnavailable: there was none.
        """
        ...


class ArrowStream(Protocol):
    """Columns in batches; bounded memory. Reading may raise what the producer raises."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types, known before the first batch."""
        ...

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """The batches, once through from the start for each call."""
        ...


class ScanStream(ArrowStream, Protocol):
    """What a scan yields, with a count of what it has read."""

    @property
    def rows_read(self) -> int:
        """Events yielded so far, over all passes."""
        ...


class ScanSource(Protocol):
    """Stored events, to read."""

    def tables(self) -> list[Table]:
        """All tables, in order of name.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...

    def catalog(self, table: Table) -> TableCatalog:
        """What has been seen in a table; no fields where the table is unknown.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...

    def scan(self, scan: Scan) -> ScanStream:
        """Read lazily: nothing is asked of the store before the first batch is.

        Raises (while it is read):
            StoreUnavailable: MongoDB went away.
            ScanTypeChanged: a value does not have its column's type any more.
        """
        ...

    def estimate(self, scan: Scan) -> int:
        """Roughly how many events the scan's time range holds.

        Raises:
            StoreUnavailable: MongoDB did not answer.
        """
        ...


class Engine(Protocol):
    """Runs a plan's SQL over its scans."""

    def run(self, plan: Plan, scans: Sequence[ScanStream], use: Callable[[ArrowStream], int]) -> int:
        """Run the plan and hand its result to `use`, while the engine is open; returns what `use` returns.

        Args:
            plan: What to run.
            scans: One stream per `plan.scans`, in the same order.
            use: Called once with the result; reads it to the end.

        Raises:
            SqlError: the query failed (SqlTypeError, NumberOverflow, UnknownFunction, QueryMemoryExceeded).
            LogdrainError: whatever a scan or `use` raised, unchanged.
        """
        ...


class ResultWriter(Protocol):
    """Puts a run's rows into its result table."""

    def write(
        self,
        target: ResultTarget,
        claim: Claim,
        rows: ArrowStream,
        *,
        slice_column: str | None,
        commit_note: Callable[[Transaction], None],
        ledger_identity: str,
    ) -> int:
        """Replace the slice's rows and note it, in one transaction; returns rows written.

        Args:
            target: Which table, where, how.
            claim: The slice and its fence.
            rows: What the query yields; an empty result still creates the table.
            slice_column: The column that carries the scheduled time, or None.
            commit_note: Writes "this slice succeeded" into the ledger, called in the same
                transaction just before the commit when the result lives in the ledger's database.
            ledger_identity: Names the ledger's database, so that the writer knows when it is in it.

        Raises:
            ResultUnavailable, ResultRefused, ResultColumnConflict, SliceNotRepeatable, LeaseLost.
        """
        ...


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
