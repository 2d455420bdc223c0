"""The ledger: one transaction for each question. What is said in it is in the files beside."""

import math
from collections.abc import Sequence
from datetime import datetime

from logdrain.errors import LedgerUnavailable
from logdrain.ledger import (
    chains,
    claims,
    endings,
    late_work,
    named_results,
    notices,
    queue,
    runs,
    schedules,
    slice_rows,
)
from logdrain.ledger.ledger_connections import Connections, named_errors
from logdrain.model.jobs import (
    Cause,
    Claim,
    Notice,
    Run,
    RunFailure,
    RunOutcome,
    RunState,
    Schedule,
    ScheduleStatus,
    SliceStatus,
    Wait,
)
from logdrain.model.late import LateNote
from logdrain.ports.ledger import Calendar
from logdrain.ports.transactions import Transaction


class PostgresLedger:
    """`ports.Ledger` in Postgres, for any number of threads and workers.

    The contract of each method is the port's. Leases run by Postgres' own clock; what is due is decided by
    the `now` that is passed in: pass `now()`, and the clocks of workers do not matter.

    Args:
        dsn: `postgres://` or `postgresql://` URL of a migrated database.
        calendar: When schedules are due.

    Raises:
        LedgerUnavailable: The URL cannot be read. Connections are opened when first needed.
    """

    def __init__(self, dsn: str, calendar: Calendar) -> None:
        self._calendar = calendar
        self._connections = Connections(dsn)
        self._identity = ""

    def close(self) -> None:
        """Close the connections of all threads."""
        self._connections.close()

    def now(self) -> datetime:
        """The clock of Postgres, UTC: a ledger is a `ports.Clock`, the one that its workers share."""
        now: datetime
        ((now,),) = self._connections.ask("SELECT clock_timestamp()")
        return now

    def identity(self) -> str:
        """A name for this ledger's database: the UUID that its migration has made; asked for once."""
        if not self._identity:
            ((identity,),) = self._connections.ask("SELECT id FROM logdrain.identity")
            self._identity = str(identity)
        return self._identity

    def create_result(self, name: str, url: str) -> None:
        """Keep a named result; an existing one of that name gets the new URL."""
        with self._connections.transaction() as transaction:
            named_results.keep(transaction, name, url)

    def result_url(self, name: str) -> str:
        """The URL of a named result."""
        for (url,) in self._connections.ask(named_results.URL, {"name": name}):
            return str(url)
        with self._connections.transaction() as transaction:
            raise named_results.unknown(transaction, name)

    def results(self) -> list[tuple[str, str]]:
        """(name, URL with its secret) in order of name."""
        with self._connections.transaction() as transaction:
            return named_results.every(transaction)

    def delete_result(self, name: str) -> None:
        """Forget a named result; its tables stay."""
        with self._connections.transaction() as transaction:
            named_results.forget(transaction, name)

    def create_schedule(self, schedule: Schedule, now: datetime) -> None:
        """Keep a schedule; its first slice is the first cron instant after `now`."""
        with self._connections.transaction() as transaction:
            schedules.create(transaction, schedule, self._calendar, now)

    def apply_schedule(self, schedule: Schedule, now: datetime) -> bool:
        """Create, or update where it differs; returns whether anything changed."""
        with self._connections.transaction() as transaction:
            return schedules.apply(transaction, schedule, self._calendar, now)

    def update_schedule(self, name: str, schedule: Schedule, now: datetime) -> None:
        """Put a schedule in place of the one of this name; it may have another name."""
        with self._connections.transaction() as transaction:
            schedules.update(transaction, name, schedule, self._calendar, now)

    def pause_schedule(self, name: str) -> bool:
        """Make and run no slices but those asked for by hand; returns whether it went on before."""
        return self._pause(name, is_paused=True)

    def resume_schedule(self, name: str) -> bool:
        """Go on, as after a time without workers; returns whether it was paused."""
        return self._pause(name, is_paused=False)

    def _pause(self, name: str, *, is_paused: bool) -> bool:
        with self._connections.transaction() as transaction:
            is_changed = schedules.pause(transaction, name, is_paused=is_paused)
            queue.requeue(transaction, name)
            return is_changed

    def schedules(self) -> list[ScheduleStatus]:
        """All schedules in order of name."""
        with self._connections.transaction() as transaction:
            return schedules.every(transaction)

    def schedule(self, name: str) -> Schedule:
        """One schedule."""
        with self._connections.transaction() as transaction:
            return schedules.one(transaction, name)

    def delete_schedule(self, name: str) -> None:
        """Forget a schedule with its slices and runs; result tables stay."""
        with self._connections.transaction() as transaction:
            schedules.forget(transaction, name)

    def plan_slices(self, now: datetime, *, schedules_max: int | None = None) -> int:
        """Turn cron instants up to `now` into waiting slices (catch-up included); returns how many."""
        ((is_any_due,),) = self._connections.ask(slice_rows.IS_ANY_DUE, {"now": now})
        if not is_any_due:
            return 0
        count = 0
        left = math.inf if schedules_max is None else schedules_max
        left_out: list[str] = []
        while left > 0:
            with self._connections.transaction() as transaction:
                done = slice_rows.plan_some(transaction, self._calendar, now, left, left_out)
            count += done.slices
            left = left - done.schedules if done.has_more else 0
        return count

    def ask_slices(self, name: str, instants: Sequence[datetime], cause: Cause, *, force: bool) -> None:
        """Ask for slices to run at once, again where they ran before; a running one is left to finish."""
        with self._connections.transaction() as transaction:
            slice_rows.ask(transaction, name, instants, cause, force=force)

    def slice_statuses(self, name: str, instants: Sequence[datetime]) -> list[SliceStatus]:
        """Where these slices stand, in order of time; those that do not exist are left out."""
        with self._connections.transaction() as transaction:
            return slice_rows.statuses(transaction, name, instants)

    def claim(
        self, owner: str, lease_s: float, now: datetime, *, schedule: str | None = None
    ) -> Claim | None:
        """`claim_some` for one; None where there is none."""
        return next(iter(self.claim_some(owner, lease_s, now, count=1, schedule=schedule)), None)

    def claim_some(
        self, owner: str, lease_s: float, now: datetime, *, count: int, schedule: str | None = None
    ) -> list[Claim]:
        """Take the next runnable slices, of one schedule or of any: so many, or what there is."""
        found: list[Claim] = []
        tried: list[str] = []
        while True:
            left = count - len(found)
            try:
                with self._connections.transaction() as transaction:
                    taken, idle = claims.take(
                        transaction, owner, lease_s, now, count=left, schedule=schedule, tried=tried
                    )
            except LedgerUnavailable:
                if not found:
                    raise
                return found  # nobody else may run them
            found += taken
            tried += idle
            if not idle:
                return found

    def renew(self, claim: Claim, lease_s: float) -> bool:
        """Keep a claim alive; returns whether somebody wants its run to end."""
        with self._connections.transaction() as transaction:
            return claims.renew(transaction, claim, lease_s)

    def note_success(self, transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" inside the caller's transaction, on the ledger's database; fenced.

        From here to the caller's commit nobody can take the slice over.
        """
        with named_errors():
            endings.succeed(transaction, claim, outcome)

    def succeed(self, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" in a transaction of its own."""
        with self._connections.transaction() as transaction:
            endings.succeed(transaction, claim, outcome)

    def fail(
        self,
        claim: Claim,
        failure: RunFailure,
        retry_at: datetime | None,
        *,
        revive_at: datetime | None = None,
    ) -> None:
        """Write "failed"; the slice waits until `retry_at`, or fails for good where that is None."""
        with self._connections.transaction() as transaction:
            endings.fail(transaction, claim, failure, retry_at, revive_at)

    def cancel(self, claim: Claim, failure: RunFailure) -> None:
        """Write "killed"; the slice is not tried again."""
        with self._connections.transaction() as transaction:
            endings.cancel(transaction, claim, failure)

    def release(self, claim: Claim) -> None:
        """Give a slice back unrun; raises LeaseLost where another worker has it."""
        with self._connections.transaction() as transaction:
            endings.release(transaction, claim)

    def history(self, name: str, limit: int) -> list[Run]:
        """The newest runs of a schedule, newest first."""
        with self._connections.transaction() as transaction:
            return runs.history(transaction, name, limit)

    def run_totals(self) -> dict[str, int]:
        """How many runs ended in each state, ever."""
        with self._connections.transaction() as transaction:
            return endings.totals(transaction)

    def runs(self, limit: int, state: RunState | None = None) -> list[Run]:
        """The newest runs of all schedules, newest first; of one state, or of any."""
        with self._connections.transaction() as transaction:
            return runs.newest(transaction, limit, state)

    def run(self, run_id: int) -> Run:
        """One run."""
        with self._connections.transaction() as transaction:
            return runs.one(transaction, run_id)

    def kill(self, run_id: int) -> bool:
        """End a run. True: its worker has been asked to; False: it had failed, and its retry is cancelled."""
        with self._connections.transaction() as transaction:
            return runs.kill(transaction, run_id)

    def lateness_s(self, now: datetime) -> float:
        """For how long the slice that has waited longest for a worker could have started; 0 for none."""
        with self._connections.transaction() as transaction:
            return runs.lateness_s(transaction, now)

    def ask_late(self, notes: Sequence[LateNote], store_time: datetime, now: datetime) -> int:
        """Keep notes of late events; ask for slices that have not seen events of settled ones."""
        with self._connections.transaction() as transaction:
            late_work.keep_notes(transaction, notes)
        with self._connections.transaction() as transaction:
            count, looked = late_work.ask_again(transaction, store_time, now)
        if any(looked):
            with self._connections.transaction() as transaction:
                late_work.close(transaction, looked)
        return count

    def ask_followers(self, now: datetime) -> int:
        """Ask for slices that have read rows of another schedule which it has written again since."""
        with self._connections.transaction() as transaction:
            chains.free(transaction)
        with self._connections.transaction() as transaction:
            return chains.ask_followers(transaction, now)

    def waits(self, name: str) -> list[Wait]:
        """What the oldest waiting slice of a schedule waits for, but for a worker."""
        with self._connections.transaction() as transaction:
            return chains.waits(transaction, name)

    def take_notice(self) -> Notice | None:
        """The next notice to send, for this worker alone; it comes again where it is not dropped."""
        with self._connections.transaction() as transaction:
            return notices.take(transaction)

    def drop_notice(self, key: str) -> None:
        """Forget a notice that has been sent or given up."""
        with self._connections.transaction() as transaction:
            notices.drop(transaction, key)

    def forget_old(self, runs_before: datetime, notes_before: datetime, now: datetime) -> int:
        """Delete old runs and late notes; totals stay. Returns how many runs."""
        with self._connections.transaction() as transaction:
            count = runs.forget(transaction, runs_before)
        with self._connections.transaction() as transaction:
            late_work.forget(transaction, notes_before, now)
        return count
