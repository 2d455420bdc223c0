"""Results, schedules, slices and runs."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from logdrain.model.jobs import (
    Cause,
    Claim,
    Due,
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
from logdrain.ports.transactions import Transaction


class Calendar(Protocol):
    """When schedules are due. Both methods raise CronInvalid, ZoneInvalid."""

    def first_after(self, schedule: Schedule, moment: datetime) -> datetime | None:
        """The first instant of a schedule after a moment, or None for never."""
        ...

    def due(self, schedule: Schedule, next_at: datetime, now: datetime) -> Due:
        """What becomes of a schedule's instants in [next_at, now]."""
        ...


class Ledger(Protocol):
    """Results, schedules, slices and runs, in Postgres. Every method may raise LedgerUnavailable."""

    def now(self) -> datetime:
        """The ledger's clock, UTC: what is due goes by it, whatever the clocks of workers say."""
        ...

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
            UnknownSchedule, ScheduleCycle: it shall run after one that is not there, or after itself.
        """
        ...

    def apply_schedule(self, schedule: Schedule, now: datetime) -> bool:
        """Create, or update where it differs; returns whether anything changed.

        Raises:
            ScheduleExists: the name belongs to another source.
            ResultTableShared: another schedule writes this result table.
            UnknownSchedule, ScheduleCycle: as `create_schedule`.
        """
        ...

    def update_schedule(self, name: str, schedule: Schedule, now: datetime) -> None:
        """Put a schedule in place of the one of this name; it may have another name.

        Raises:
            UnknownSchedule: with the nearest name.
            ScheduleFromFile: it is its job file's.
            ScheduleExists: the new name is taken.
            ResultTableShared: another schedule writes this result table.
            ScheduleCycle: as `create_schedule`.
        """
        ...

    def pause_schedule(self, name: str) -> bool:
        """Make and run no slices but those asked for by hand; returns whether it went on before.

        Raises:
            UnknownSchedule: with the nearest name.
        """
        ...

    def resume_schedule(self, name: str) -> bool:
        """Go on, as after a time without workers; returns whether it was paused.

        Raises:
            UnknownSchedule: with the nearest name.
        """
        ...

    def schedules(self) -> list[ScheduleStatus]:
        """All schedules in order of name."""
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
            ScheduleNeeded: others run after it.
        """
        ...

    def plan_slices(self, now: datetime, *, schedules_max: int | None = None) -> int:
        """Turn cron instants up to `now` into waiting slices (catch-up included); returns how many.

        Args:
            now: The end of what is due.
            schedules_max: Of about so many schedules at most, the longest due first; the next call goes on.
        """
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

    def claim_some(
        self, owner: str, lease_s: float, now: datetime, *, count: int, schedule: str | None = None
    ) -> list[Claim]:
        """Take the next runnable slices, of one schedule or of any: so many, or what there is.

        Per schedule one slice runs at a time, oldest first, and none before the open slices up to its time of
        the schedules that it runs after; one that runs again for late events, when
        nothing else may. Schedules take turns, those of higher priority first. A slice whose lease has run
        out counts as runnable: its old run is marked lost.
        """
        ...

    def renew(self, claim: Claim, lease_s: float) -> bool:
        """Keep a claim alive; returns whether somebody wants its run to end.

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

    def fail(
        self,
        claim: Claim,
        failure: RunFailure,
        retry_at: datetime | None,
        *,
        revive_at: datetime | None = None,
    ) -> None:
        """Write "failed"; the slice waits until `retry_at`, or fails for good where that is None.

        Where it has rows that lack late events, `ask_late` brings it back even so, from `revive_at` on.

        Raises:
            LeaseLost: another worker has the slice.
        """
        ...

    def cancel(self, claim: Claim, failure: RunFailure) -> None:
        """Write "killed"; the slice is not tried again.

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

    def runs(self, limit: int, state: RunState | None = None) -> list[Run]:
        """The newest runs of all schedules, newest first; of one state, or of any."""
        ...

    def run(self, run_id: int) -> Run:
        """One run.

        Raises:
            UnknownRun: there is none.
        """
        ...

    def kill(self, run_id: int) -> bool:
        """End a run. True: its worker has been asked to; False: it had failed, and its retry is cancelled.

        Raises:
            UnknownRun: there is none.
            RunEnded: it has ended, and its slice does not wait to be tried again.
        """
        ...

    def lateness_s(self, now: datetime) -> float:
        """For how long the slice that has waited longest for a worker could have started; 0 for none."""
        ...

    def ask_late(self, notes: Sequence[LateNote], store_time: datetime, now: datetime) -> int:
        """Ask for the slices that have not seen late events; returns how many.

        Args:
            notes: New ones, and any that are known already.
            store_time: The clock that notes and scans are dated by: which notes have settled.
            now: What the windows of schedules end at.
        """
        ...

    def ask_followers(self, now: datetime) -> int:
        """Ask for slices that have read rows of another schedule which it has written again since.

        Args:
            now: What the windows of schedules end at.

        Returns how many.
        """
        ...

    def waits(self, name: str) -> list[Wait]:
        """What the oldest waiting slice of a schedule waits for; empty where it only waits for a worker."""
        ...

    def take_notice(self) -> Notice | None:
        """The next notice to send, for this worker alone; it comes again later where it is not dropped."""
        ...

    def drop_notice(self, key: str) -> None:
        """Forget a notice that has been sent or given up."""
        ...

    def forget_old(self, runs_before: datetime, notes_before: datetime, now: datetime) -> int:
        """Delete old runs and notes of late events; totals stay. Returns how many runs."""
        ...
