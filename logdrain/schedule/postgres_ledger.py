"""The ledger: one transaction for each question. What is said in it is in the postgres_* files beside."""

from collections.abc import Sequence
from datetime import datetime

from psycopg.rows import scalar_row

from logdrain.model.jobs import Cause, Claim, Run, RunFailure, RunOutcome, Schedule, SliceStatus
from logdrain.ports import Transaction
from logdrain.schedule import postgres_claims, postgres_results, postgres_schedules, postgres_slices
from logdrain.schedule.postgres_connections import Connections, named_errors


class PostgresLedger:
    """`ports.Ledger` in Postgres, for any number of threads and workers.

    The contract of each method is the port's. Leases run by Postgres' own clock, so that the clocks of
    workers do not matter; what is due is decided by the `now` that is passed in.

    Args:
        dsn: `postgres://` or `postgresql://` URL of a migrated database.

    Raises:
        LedgerUnavailable: The URL cannot be read. Connections are opened when first needed.
    """

    def __init__(self, dsn: str) -> None:
        self._connections = Connections(dsn)

    def close(self) -> None:
        """Close the connections of all threads."""
        self._connections.close()

    def identity(self) -> str:
        """A name for this ledger's database: the UUID that its migration has made."""
        with (
            self._connections.transaction() as transaction,
            transaction.cursor(row_factory=scalar_row) as cursor,
        ):
            return str(cursor.execute("SELECT id FROM logdrain.identity").fetchone())

    def create_result(self, name: str, url: str) -> None:
        """Keep a named result; an existing one of that name gets the new URL."""
        with self._connections.transaction() as transaction:
            postgres_results.keep(transaction, name, url)

    def result_url(self, name: str) -> str:
        """The URL of a named result."""
        with self._connections.transaction() as transaction:
            return postgres_results.url(transaction, name)

    def results(self) -> list[tuple[str, str]]:
        """(name, URL with its secret) in order of name."""
        with self._connections.transaction() as transaction:
            return postgres_results.every(transaction)

    def delete_result(self, name: str) -> None:
        """Forget a named result; its tables stay."""
        with self._connections.transaction() as transaction:
            postgres_results.forget(transaction, name)

    def create_schedule(self, schedule: Schedule, now: datetime) -> None:
        """Keep a schedule; its first slice is the first cron instant after `now`."""
        with self._connections.transaction() as transaction:
            postgres_schedules.create(transaction, schedule, now)

    def apply_schedule(self, schedule: Schedule, now: datetime) -> bool:
        """Create, or update where it differs; returns whether anything changed."""
        with self._connections.transaction() as transaction:
            return postgres_schedules.apply(transaction, schedule, now)

    def schedules(self) -> list[tuple[Schedule, datetime | None]]:
        """(schedule, its next cron instant or None) in order of name."""
        with self._connections.transaction() as transaction:
            return postgres_schedules.every(transaction)

    def schedule(self, name: str) -> Schedule:
        """One schedule."""
        with self._connections.transaction() as transaction:
            return postgres_schedules.one(transaction, name)

    def delete_schedule(self, name: str) -> None:
        """Forget a schedule with its slices and runs; result tables stay."""
        with self._connections.transaction() as transaction:
            postgres_schedules.forget(transaction, name)

    def plan_slices(self, now: datetime) -> int:
        """Turn cron instants up to `now` into waiting slices (catch-up included); returns how many."""
        count = 0
        name = ""
        while True:
            # A transaction each: a long pause of one schedule does not hold up the others' slices.
            with self._connections.transaction() as transaction:
                planned = postgres_slices.plan_next(transaction, now, name)
            if planned is None:
                return count
            name = planned[0]
            count += planned[1]

    def ask_slices(self, name: str, instants: Sequence[datetime], cause: Cause, *, force: bool) -> None:
        """Ask for slices to run at once, again where they ran before; a running one is left to finish."""
        with self._connections.transaction() as transaction:
            postgres_slices.ask(transaction, name, instants, cause, force=force)

    def slice_statuses(self, name: str, instants: Sequence[datetime]) -> list[SliceStatus]:
        """Where these slices stand, in order of time; those that do not exist are left out."""
        with self._connections.transaction() as transaction:
            return postgres_slices.statuses(transaction, name, instants)

    def claim(
        self, owner: str, lease_s: float, now: datetime, *, schedule: str | None = None
    ) -> Claim | None:
        """Take the next runnable slice, of one schedule or of any; None where there is none."""
        tried: list[str] = []
        while True:
            with self._connections.transaction() as transaction:
                taken = postgres_claims.take(transaction, owner, lease_s, now, schedule=schedule, tried=tried)
            if not isinstance(taken, str):
                return taken
            tried.append(taken)

    def renew(self, claim: Claim, lease_s: float) -> None:
        """Keep a claim alive."""
        with self._connections.transaction() as transaction:
            postgres_claims.renew(transaction, claim, lease_s)

    def note_success(self, transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" inside the caller's transaction, on the ledger's database; fenced.

        From here to the caller's commit nobody can take the slice over.
        """
        with named_errors():
            postgres_claims.succeed(transaction, claim, outcome)

    def succeed(self, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" in a transaction of its own."""
        with self._connections.transaction() as transaction:
            postgres_claims.succeed(transaction, claim, outcome)

    def fail(self, claim: Claim, failure: RunFailure, retry_at: datetime | None) -> None:
        """Write "failed"; the slice waits until `retry_at`, or fails for good where that is None."""
        with self._connections.transaction() as transaction:
            postgres_claims.fail(transaction, claim, failure, retry_at)

    def release(self, claim: Claim) -> None:
        """Give a slice back unrun; raises LeaseLost where another worker has it."""
        with self._connections.transaction() as transaction:
            postgres_claims.release(transaction, claim)

    def history(self, name: str, limit: int) -> list[Run]:
        """The newest runs of a schedule, newest first."""
        with self._connections.transaction() as transaction:
            return postgres_slices.history(transaction, name, limit)

    def run_totals(self) -> dict[str, int]:
        """How many runs ended in each state, ever."""
        with self._connections.transaction() as transaction:
            return postgres_claims.totals(transaction)
