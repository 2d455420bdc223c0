"""Nouns of the schedule and of results: schedule, slice, run, claim, result target."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from logdrain.model.plans import Dialect


class Mode(StrEnum):
    """How a run's rows reach the result table.

    append adds them, in place of the slice's earlier ones; replace and truncate leave nothing but them, and
    replace lets the columns follow the query; update puts each in place of the row with the same key.
    """

    APPEND = "append"
    REPLACE = "replace"
    TRUNCATE = "truncate"
    UPDATE = "update"

    @property
    def holds_one_slice(self) -> bool:
        """The table's rows are those of one run and no other."""
        return self in (Mode.REPLACE, Mode.TRUNCATE)


@dataclass(frozen=True, slots=True)
class ResultTarget:
    """A result table, resolved and ready to connect.

    Attributes:
        dsn: libpq connection URL; has a password: never print it.
        table: Table name as given.
        schema: Postgres schema, or "" for the first of the search path.
        unix_time: Keep columns named `time` as bigint unix seconds instead of timestamptz.
        unique: The query's columns that tell rows apart; of mode update, which has one at least.
    """

    dsn: str = field(repr=False)
    table: str
    mode: Mode = Mode.APPEND
    schema: str = ""
    unix_time: bool = False
    unique: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class Job:
    """A job file's schedule; one that is not enabled is only applied where somebody names its file.

    Attributes:
        path: The file, as it was named.
    """

    schedule: Schedule
    enabled: bool
    path: str


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


class RunState(StrEnum):
    """How one attempt ended; `lost` is a worker that vanished or was overtaken."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    LOST = "lost"


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
class RunOutcome:
    """What a successful run did."""

    rows_read: int
    rows_written: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RunFailure:
    """What a failed run says."""

    code: str
    message: str
    hint: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt at a slice, as the history shows it."""

    run_id: int
    schedule: str
    scheduled_at: datetime
    cause: Cause
    attempt: int
    state: RunState
    started_at: datetime
    finished_at: datetime | None
    rows_read: int | None
    rows_written: int | None
    warnings: tuple[str, ...]
    error_code: str
    error_message: str
    error_hint: str


@dataclass(frozen=True, slots=True)
class SliceStatus:
    """Where a slice stands."""

    scheduled_at: datetime
    state: SliceState
    error_message: str
    error_hint: str
