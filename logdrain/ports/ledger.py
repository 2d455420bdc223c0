"""What has run, what is to run, and where results go by name. Every method may raise LedgerUnavailable."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from logdrain.model.jobs import (
    CancelledCount,
    Cause,
    Claim,
    Due,
    Queue,
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
from logdrain.model.notices import Notice
from logdrain.ports.transactions import Transaction


class Calendar(Protocol):
    """When schedules are due. All methods raise CronInvalid, ZoneInvalid."""

    def first_after(self, schedule: Schedule, moment: datetime) -> datetime | None:
        """The first instant of a schedule after a moment, or None for never."""
        ...

    def last_before(self, schedule: Schedule, moment: datetime) -> datetime | None:
        """The last instant of a schedule before a moment: where the slice of that moment begins; or None."""
        ...

    def due(self, schedule: Schedule, next_at: datetime, now: datetime) -> Due:
        """What becomes of a schedule's instants in [next_at, now]."""
        ...


class Slices(Protocol):
    """What a worker does with slices: it plans and claims them, keeps its claims alive, and ends their runs.

    What a run writes is fenced: it counts only while the slice runs under the fence of its claim. All that
    take a claim raise LeaseLost where another worker has the slice.
    """

    def identity(self) -> str:
        """A name for the ledger's database: in this one, and in no other, `note_success` can be called."""
        ...

    def plan(self, now: datetime, *, schedules_max: int | None = None) -> int:
        """Turn cron instants up to `now` into waiting slices, catch-up included; returns how many.

        Args:
            now: The end of what is due.
            schedules_max: At most this many schedules, the longest due first; the next call goes on.
        """
        ...

    def claim(
        self, owner: str, lease_s: float, now: datetime, *, count: int, schedule: str | None = None
    ) -> list[Claim]:
        """Claim the next runnable slices, of one schedule or of any: at most `count`.

        Per schedule one slice runs at a time, oldest first. Where its schedule runs after others, a slice
        waits for their open slices up to its time. One that runs again for late events comes when nothing
        else may run. Schedules take turns, those of higher priority first. A slice whose lease has run out
        counts as runnable: its old run is marked lost.
        """
        ...

    def renew(self, claim: Claim, lease_s: float) -> bool:
        """Extend a lease, from now; returns whether somebody has asked for the end of the run."""
        ...

    def note_success(self, transaction: Transaction, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" inside the caller's transaction, which must roll back on LeaseLost.

        From here to the caller's commit nobody can take the slice over.
        """
        ...

    def succeed(self, claim: Claim, outcome: RunOutcome) -> None:
        """Write "succeeded" in a transaction of its own."""
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

        One that failed for good still has the rows of its last success. Where these lack late events,
        `LateWork.ask_late` brings it back from `revive_at` on; never where that is None.
        """
        ...

    def cancel(self, claim: Claim, failure: RunFailure) -> None:
        """Write "killed": somebody has asked for the end of the run; its slice is not tried again."""
        ...

    def release(self, claim: Claim) -> None:
        """Give a slice back unrun (the worker stops): the attempt does not count, its run is forgotten."""
        ...


class Schedules(Protocol):
    """What a person does with schedules. Methods with a name raise UnknownSchedule, with the nearest name."""

    def create(self, schedule: Schedule, now: datetime) -> None:
        """Keep a new schedule; its first slice is the first cron instant after `now`.

        Raises:
            ScheduleExists: the name is taken.
            ResultTableShared: another schedule writes this result table.
            UnknownSchedule, ScheduleCycle: it runs after one that does not exist, or after itself.
            CronInvalid, ZoneInvalid: the cron or zone cannot be read.
        """
        ...

    def apply(self, schedule: Schedule, now: datetime) -> bool:
        """Create, or update where it differs; returns whether anything changed.

        Raises:
            ScheduleExists: the name belongs to another source.
            ResultTableShared, UnknownSchedule, ScheduleCycle, CronInvalid, ZoneInvalid: as `create`.
        """
        ...

    def update(self, name: str, schedule: Schedule, now: datetime) -> None:
        """Put a schedule in place of the one of this name; it may have another name.

        Raises:
            ScheduleFromFile: it belongs to its job file.
            ScheduleExists: the new name is taken.
            ResultTableShared, ScheduleCycle, CronInvalid, ZoneInvalid: as `create`.
        """
        ...

    def pause(self, name: str) -> bool:
        """Plan and run no slices but those asked for by hand; returns whether it was not paused before."""
        ...

    def resume(self, name: str) -> bool:
        """Go on, as after a time without workers; returns whether it was paused."""
        ...

    def delete(self, name: str) -> None:
        """Forget a schedule with its slices and runs; result tables stay.

        A worker that runs one of its slices loses its lease.

        Raises:
            ScheduleNeeded: others run after it.
        """
        ...

    def get(self, name: str) -> Schedule:
        """The schedule of this name."""
        ...

    def all(self) -> list[ScheduleStatus]:
        """All schedules in order of name."""
        ...

    def ask_slices(self, name: str, instants: Sequence[datetime], cause: Cause, *, force: bool) -> None:
        """Ask for slices to run at once, again where they ran before; a running one is left to finish."""
        ...

    def cancel_slices(self, name: str, start: datetime | None, end: datetime | None) -> CancelledCount:
        """End the slices that wait or run, from `start` to `end`, both included; None is no bound."""
        ...


class History(Protocol):
    """How slices stand and how their runs went, to look at, to end and to forget."""

    def of_schedule(self, name: str, limit: int) -> list[Run]:
        """The newest runs of a schedule, newest first.

        Raises:
            UnknownSchedule: with the nearest name.
        """
        ...

    def newest(self, limit: int, state: RunState | None = None) -> list[Run]:
        """The newest runs, of any schedule or of none, newest first; of one state, or of all."""
        ...

    def get(self, run_id: int) -> Run:
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

    def slice_statuses(self, name: str, instants: Sequence[datetime]) -> list[SliceStatus]:
        """Where these slices stand, in order of time; those that do not exist are left out."""
        ...

    def newest_of_slices(self, name: str, instants: Sequence[datetime]) -> list[Run]:
        """The newest run of each of these slices, in order of time; those without a run are left out."""
        ...

    def queues(self) -> dict[str, Queue]:
        """What waits and runs of each schedule; one with an empty queue is left out."""
        ...

    def waits(self, name: str) -> list[Wait]:
        """What the oldest waiting slice of a schedule waits for; empty where it only waits for a worker."""
        ...

    def totals(self) -> dict[str, int]:
        """How many runs ended in each state, ever."""
        ...

    def lateness_s(self, now: datetime) -> float:
        """For how long the slice that has waited longest for a worker could have started; 0 for none."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete some of the runs that ended before this time; totals stay. Returns how many, 0 at last."""
        ...


class LateWork(Protocol):
    """Slices run again for what came after they had read: late events, and new rows of other schedules."""

    def ask_late(self, notes: Sequence[LateNote], store_time: datetime, now: datetime) -> int:
        """Keep notes of late events, ask for the slices that have not seen the events; returns how many.

        Args:
            notes: New ones, and any that are known already.
            store_time: The clock that notes and scans are dated by: which notes have settled.
            now: What the windows of schedules end at.
        """
        ...

    def ask_followers(self, now: datetime) -> int:
        """Ask for slices that have read rows of another schedule which has written them again since.

        Args:
            now: What the windows of schedules end at.

        Returns how many.
        """
        ...

    def forget(self, before: datetime, now: datetime) -> None:
        """Delete notes from before this time, and what slices have read that do not run again any more."""
        ...


class Notices(Protocol):
    """Notices that wait to be sent."""

    def take(self) -> Notice | None:
        """The next notice to send, for this worker alone; it comes again later where it is not dropped."""
        ...

    def drop(self, key: str) -> None:
        """Forget a notice that has been sent or given up."""
        ...


class NamedResults(Protocol):
    """URLs of results by name, in the ledger. Every method may raise LedgerUnavailable.

    Those that take the name of a kept result raise UnknownResult, with the nearest name.
    """

    def create(self, name: str, url: str) -> None:
        """Keep a named result; an existing one of that name gets the new URL."""
        ...

    def url(self, name: str) -> str:
        """The URL of a named result."""
        ...

    def all(self) -> list[tuple[str, str]]:
        """(name, URL with its secret) in order of name."""
        ...

    def delete(self, name: str) -> None:
        """Forget a named result; its tables stay."""
        ...
