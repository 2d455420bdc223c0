"""Nouns of the schedule and of results: schedule, slice, run, claim, result target."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from logdrain.model.events import Table
from logdrain.model.plans import Dialect, TimeRange

LATE_DEFAULT_S = 86_400
"""How long slices run again for late events, where a schedule does not say."""


class ModeFacts(NamedTuple):
    """What sets a mode apart.

    Attributes:
        goes_by_slice: A slice's earlier rows are found by the slice column; without one they would double.
        holds_one_slice: The result's rows are those of one run and no other.
        drops_columns: Columns that the query no longer has go.
        needs_unique: Rows are found by the columns that `unique=` names.
        takes_files: Files can be written so.
    """

    goes_by_slice: bool = False
    holds_one_slice: bool = False
    drops_columns: bool = False
    needs_unique: bool = False
    takes_files: bool = True


class Mode(StrEnum):
    """How a run's rows reach the result; the SQL of each is in `results/postgres/modes.py`.

    append adds them, in place of the slice's earlier ones; replace and truncate leave nothing but them, and
    replace lets the columns follow the query; update puts each in place of the row with the same key.
    """

    APPEND = "append"
    REPLACE = "replace"
    TRUNCATE = "truncate"
    UPDATE = "update"

    @property
    def facts(self) -> ModeFacts:
        """What sets it apart."""
        return _MODE_FACTS[self]


_MODE_FACTS = {
    Mode.APPEND: ModeFacts(goes_by_slice=True),
    Mode.REPLACE: ModeFacts(holds_one_slice=True, drops_columns=True),
    Mode.TRUNCATE: ModeFacts(holds_one_slice=True),
    Mode.UPDATE: ModeFacts(needs_unique=True, takes_files=False),
}


@dataclass(frozen=True, slots=True)
class ResultTarget:
    """A result table in Postgres, resolved and ready to connect.

    Attributes:
        dsn: libpq connection URL; has a password: never print it.
        table: Table name as given.
        schema: Postgres schema, or "" for the first of the search path.
        unix_time: Keep columns named `time` as bigint unix seconds instead of timestamptz.
        unique: The query's columns that tell rows apart, where the mode needs them.
    """

    dsn: str = field(repr=False)
    table: str
    mode: Mode = Mode.APPEND
    schema: str = ""
    unix_time: bool = False
    unique: tuple[str, ...] = ()

    def is_repeatable(self, slice_column: str | None) -> bool:
        """Whether a slice may run again without doubling its rows; `slice_column` tells them from others."""
        return slice_column is not None or not self.mode.facts.goes_by_slice


class CatchUp(StrEnum):
    """What happens to slices that were missed while no worker ran."""

    ALL = "all"
    LATEST = "latest"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job: SQL, cron and where the rows go.

    Attributes:
        cron: Five fields or an alias; "" never runs by itself.
        timezone: IANA name.
        delay_s: How long after the cron instant a slice runs; not part of the scheduled time.
        result: `name:table?options` or a Postgres URL, or "" for none.
        retry_limit: How often a slice that failed in passing is tried again.
        catch_up_max: At most so many missed slices are made up, the newest ones.
        source: "" when made by a command, else the job file's path.
        priority: -2 to 2; among schedules with something to run, the higher one goes first.
        late_s: So long after its scheduled time a slice runs again when events come late; 0 is never.
        timeout_s: How long a run's query may take; 0 is the limit of all queries.
        notify: Where failures are told, http(s) URL; "" is the place for all schedules.
        after: Schedules whose slices up to the same time go first.
        function: Of a job in Python: its function in the file `source`, whose text is then `sql`.
    """

    name: str
    cron: str
    timezone: str
    delay_s: int
    database: str
    sql: str
    dialect: Dialect = Dialect.TRINO
    result: str = ""
    retry_limit: int = 5
    catch_up: CatchUp = CatchUp.ALL
    catch_up_max: int = 1000
    source: str = ""
    priority: int = 0
    late_s: int = LATE_DEFAULT_S
    timeout_s: int = 0
    notify: str = field(default="", repr=False)
    after: tuple[str, ...] = ()
    function: str = ""


class Wait(NamedTuple):
    """What a slice waits for before it may run: the oldest open slice of a schedule that goes first.

    Attributes:
        scheduled_at: The slice that waits.
        before_at: The slice it waits for; None where that has not come to be yet.
        why: What that one is doing, in words.
    """

    scheduled_at: datetime
    before: str
    before_at: datetime | None
    why: str


class ScheduleStatus(NamedTuple):
    """A schedule and where it stands.

    Attributes:
        next_at: Its next cron instant, None for never.
        paused_at: Since when it makes and runs no slices by itself, or None.
    """

    schedule: Schedule
    next_at: datetime | None
    paused_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """What becomes of a schedule's cron instants up to now.

    Attributes:
        waiting: Instants whose slices shall run, in order.
        skipped: Instants to record as skipped, in order.
        unrecorded: First instant, and end, of those that are skipped without a record; or None.
        next_at: The first instant after now, or None for never.
    """

    waiting: tuple[datetime, ...]
    skipped: tuple[datetime, ...]
    unrecorded: tuple[datetime, datetime] | None
    next_at: datetime | None


class Cause(StrEnum):
    """Why a slice was asked to run."""

    SCHEDULE = "schedule"
    MANUAL = "manual"
    LATE = "late"


class SliceState(StrEnum):
    """Life of a slice."""

    WAITING = "waiting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class RunState(StrEnum):
    """How one attempt ended; `lost` is a worker that vanished or was overtaken, `killed` a person's wish."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"
    KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Claim:
    """A worker's right to run one slice.

    Attributes:
        scheduled_at: The cron instant, without the delay.
        fence: Grows with every claim of the slice; only the highest may commit.
        attempt: 1 for the first try since the slice was last asked for.
        forced: Run even where rows cannot be told apart from an earlier run's, or would replace newer ones.
        ran_before: The slice has succeeded before.
    """

    run_id: int
    schedule: Schedule
    scheduled_at: datetime
    cause: Cause
    fence: int
    attempt: int
    forced: bool
    ran_before: bool


@dataclass(frozen=True, slots=True)
class Reads:
    """Which events a run has read: what decides whether it runs again when some come late.

    Attributes:
        started_at: Before the first was read, by the store's clock.
        ranges: Of each scan.
        newest_only: The result holds one slice: an older one must not run again.
        results: The same of result tables, by the name that the ledger has for them.
    """

    started_at: datetime
    ranges: tuple[tuple[Table, TimeRange], ...]
    newest_only: bool
    results: tuple[tuple[str, TimeRange], ...] = ()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a successful run did.

    Attributes:
        bytes_read: What the stores have sent for it: BSON, or rows of result tables as text.
        reads: None where late events do not matter: nothing is written, or it cannot be written again.
    """

    rows_read: int
    bytes_read: int
    rows_written: int
    warnings: tuple[str, ...] = ()
    reads: Reads | None = None


@dataclass(frozen=True, slots=True)
class RunFailure:
    """What a failed run says.

    Attributes:
        awaits_table: `database.table` without which it cannot run, and which events may make; or "".
    """

    code: str
    message: str
    hint: str
    retryable: bool
    warnings: tuple[str, ...] = ()
    awaits_table: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at a slice, as the history shows it. A run of no schedule is of a query that somebody sent.

    Attributes:
        scheduled_at: None only where there is no schedule.
        bytes_read: See RunOutcome; None also where the run is older than the count.
        due_at: When it could have started: scheduled time and delay, or a retry's time; None is at once.
        reason: Why it was asked for, in words, or "".
    """

    run_id: int
    schedule: str | None
    scheduled_at: datetime | None
    cause: Cause
    attempt: int
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    rows_read: int | None
    bytes_read: int | None
    rows_written: int | None
    warnings: tuple[str, ...]
    error_code: str
    error_message: str
    error_hint: str
    reason: str = ""
    due_at: datetime | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it runs."""
        return None if self.finished_at is None else (self.finished_at - self.started_at).total_seconds()

    @property
    def late_start_s(self) -> float | None:
        """How long after it could have started it did; None where it was asked to start at once."""
        return None if self.due_at is None else max(0.0, (self.started_at - self.due_at).total_seconds())


@dataclass(frozen=True, slots=True)
class SliceStatus:
    """Where a slice stands."""

    scheduled_at: datetime
    state: SliceState
    error_message: str
    error_hint: str
