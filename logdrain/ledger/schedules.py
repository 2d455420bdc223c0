"""Schedules in the ledger. A schedule whose job file has gone stays until it is deleted by name."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import kwargs_row, scalar_row

from logdrain.errors import ResultTableShared, ScheduleExists, ScheduleFromFile, UnknownSchedule
from logdrain.ledger import chains
from logdrain.ledger.result_table_key import result_table
from logdrain.model.jobs import CatchUp, Schedule, ScheduleStatus
from logdrain.model.names import nearest_hint
from logdrain.model.plans import Dialect
from logdrain.ports.ledger import Calendar
from logdrain.ports.transactions import Transaction

COLUMNS = (
    "name, cron, timezone, delay_s, database, sql, dialect, result, retry_limit, catch_up, catch_up_max,"
    " source, priority, late_s, timeout_s, notify, after, function"
)
"""What `read` makes a schedule of."""

_INSERT = f"""
INSERT INTO logdrain.schedules ({COLUMNS}, result_table, next_at)
VALUES
    (%(name)s, %(cron)s, %(timezone)s, %(delay_s)s, %(database)s, %(sql)s, %(dialect)s, %(result)s,
     %(retry_limit)s, %(catch_up)s, %(catch_up_max)s, %(source)s, %(priority)s, %(late_s)s, %(timeout_s)s,
     %(notify)s, %(after)s, %(function)s, %(result_table)s, %(next_at)s)
ON CONFLICT DO NOTHING
"""  # noqa: S608  # only names of columns, from above
_UPDATE = """
UPDATE logdrain.schedules
SET name = %(name)s, cron = %(cron)s, timezone = %(timezone)s, delay_s = %(delay_s)s, database = %(database)s,
    sql = %(sql)s, dialect = %(dialect)s, result = %(result)s, retry_limit = %(retry_limit)s,
    catch_up = %(catch_up)s, catch_up_max = %(catch_up_max)s, priority = %(priority)s, late_s = %(late_s)s,
    timeout_s = %(timeout_s)s, notify = %(notify)s, after = %(after)s, function = %(function)s,
    result_table = %(result_table)s, next_at = %(next_at)s,
    updated_at = clock_timestamp()
WHERE name = %(kept_name)s
"""
SELECT = f"SELECT {COLUMNS}, next_at, paused_at FROM logdrain.schedules"  # noqa: S608  # the same
"""All of a schedule, for `read`."""

_LOCK_DUE = (
    SELECT
    + """
WHERE next_at <= %(now)s AND paused_at IS NULL AND name <> ALL (%(left_out)s::text[])
ORDER BY next_at LIMIT %(count)s
FOR NO KEY UPDATE SKIP LOCKED
"""
)


def create(transaction: Transaction, schedule: Schedule, calendar: Calendar, now: datetime) -> None:
    """Keep a new schedule; its first slice is the first cron instant after `now`.

    Raises:
        ScheduleExists: The name is taken.
        ResultTableShared: Another schedule writes this result table.
        UnknownSchedule, ScheduleCycle: It shall run after one that is not there, or after itself.
        CronInvalid, ZoneInvalid: The schedule's cron or zone cannot be read.
    """
    chains.check_after(transaction, schedule)
    if _insert(transaction, schedule, calendar, now):
        return
    if lock(transaction, schedule.name) is not None:
        raise ScheduleExists(
            f"a schedule is called {schedule.name!r} already",
            hint=f"`logdrain sched:update {schedule.name}` changes it; or choose another name",
        )
    raise _shared(transaction, schedule)


def apply(transaction: Transaction, schedule: Schedule, calendar: Calendar, now: datetime) -> bool:
    """Create, or update where it differs; returns whether anything changed.

    Raises:
        ScheduleExists: The name belongs to another source.
        ResultTableShared: Another schedule writes this result table.
        UnknownSchedule, ScheduleCycle: It shall run after one that is not there, or after itself.
        CronInvalid, ZoneInvalid: The schedule's cron or zone cannot be read.
    """
    chains.check_after(transaction, schedule)
    if _insert(transaction, schedule, calendar, now):
        return True
    found = lock(transaction, schedule.name)
    if found is None:
        raise _shared(transaction, schedule)
    kept = found.schedule
    if kept.source != schedule.source:
        raise ScheduleExists(
            f"schedule {schedule.name!r} was made by {_source(kept)}, not by {_source(schedule)}",
            hint=f"rename one, or `logdrain sched:delete {schedule.name}` first",
        )
    if kept == schedule:
        return False
    _change(transaction, found, schedule, calendar, now)
    return True


def update(
    transaction: Transaction, name: str, schedule: Schedule, calendar: Calendar, now: datetime
) -> None:
    """Put a schedule in place of the one of this name; it may have another name.

    Raises:
        UnknownSchedule: With the nearest name.
        ScheduleFromFile: It is its job file's.
        ScheduleExists: The new name is taken.
        ResultTableShared: Another schedule writes this result table.
        ScheduleCycle: It would run after itself.
        CronInvalid, ZoneInvalid: The cron or zone cannot be read.
    """
    chains.check_after(transaction, schedule, kept_name=name)
    found = lock(transaction, name)
    if found is None:
        raise unknown(transaction, name)
    if found.schedule.source:
        raise ScheduleFromFile(
            f"schedule {name!r} was made by {found.schedule.source}",
            hint="change that file; it would undo a change made here",
        )
    if schedule.name != name and lock(transaction, schedule.name) is not None:
        raise ScheduleExists(f"a schedule is called {schedule.name!r} already", hint="choose another name")
    _change(transaction, found, schedule, calendar, now)


def pause(transaction: Transaction, name: str, *, is_paused: bool) -> bool:
    """Hold a schedule, or let it go on; returns whether that changes anything.

    Raises:
        UnknownSchedule: With the nearest name.
    """
    found = lock(transaction, name)
    if found is None:
        raise unknown(transaction, name)
    transaction.execute(
        "UPDATE logdrain.schedules"
        " SET paused_at = CASE WHEN %s THEN coalesce(paused_at, clock_timestamp()) END WHERE name = %s",
        (is_paused, name),
    )
    return is_paused is (found.paused_at is None)


def every(transaction: Transaction) -> list[ScheduleStatus]:
    """All schedules in order of name."""
    with transaction.cursor(row_factory=kwargs_row(read)) as cursor:
        return cursor.execute(SELECT + " ORDER BY name").fetchall()


def one(transaction: Transaction, name: str) -> Schedule:
    """The schedule of this name.

    Raises:
        UnknownSchedule: With the nearest name.
    """
    with transaction.cursor(row_factory=kwargs_row(read)) as cursor:
        found = cursor.execute(SELECT + " WHERE name = %s", (name,)).fetchone()
    if found is None:
        raise unknown(transaction, name)
    return found.schedule


def lock(transaction: Transaction, name: str) -> ScheduleStatus | None:
    """The schedule of this name, locked until the transaction ends, as whoever moves its slices needs it."""
    with transaction.cursor(row_factory=kwargs_row(read)) as cursor:
        return cursor.execute(SELECT + " WHERE name = %s FOR NO KEY UPDATE", (name,)).fetchone()


def lock_due(
    transaction: Transaction, now: datetime, *, count: int, left_out: Sequence[str]
) -> list[ScheduleStatus]:
    """Schedules with an instant up to `now` that no one else has locked, the longest due first."""
    values = {"now": now, "count": count, "left_out": list(left_out)}
    with transaction.cursor(row_factory=kwargs_row(read)) as cursor:
        return cursor.execute(_LOCK_DUE, values).fetchall()


def forget(transaction: Transaction, name: str) -> None:
    """Delete a schedule with its slices and runs; a worker that runs one of them loses its lease.

    Raises:
        UnknownSchedule: With the nearest name.
        ScheduleNeeded: Others run after it.
    """
    chains.check_not_needed(transaction, name)
    if not transaction.execute("DELETE FROM logdrain.schedules WHERE name = %s", (name,)).rowcount:
        raise unknown(transaction, name)


def unknown(transaction: Transaction, name: str) -> UnknownSchedule:
    """The error for a name that no schedule has."""
    with transaction.cursor(row_factory=scalar_row) as cursor:
        known = cursor.execute("SELECT name FROM logdrain.schedules ORDER BY name").fetchall()
    return UnknownSchedule(
        f"no schedule is called {name!r}",
        hint=nearest_hint(name, known, "`logdrain sched:list` shows them all"),
    )


def _insert(transaction: Transaction, schedule: Schedule, calendar: Calendar, now: datetime) -> bool:
    values = _values(schedule, calendar.first_after(schedule, now))
    return transaction.execute(_INSERT, values).rowcount == 1


def read(
    *,
    dialect: str,
    catch_up: str,
    after: list[str],
    next_at: datetime | None,
    paused_at: datetime | None,
    **fields: Any,
) -> ScheduleStatus:
    """A row of `SELECT`."""
    schedule = Schedule(dialect=Dialect(dialect), catch_up=CatchUp(catch_up), after=tuple(after), **fields)
    return ScheduleStatus(schedule, next_at, paused_at)


def _change(
    transaction: Transaction, kept: ScheduleStatus, schedule: Schedule, calendar: Calendar, now: datetime
) -> None:
    """Only another cron or time zone moves the next instant; slices that exist already stay."""
    first_at = calendar.first_after(schedule, now)  # raises where the cron cannot be read
    next_at = kept.next_at
    if (kept.schedule.cron, kept.schedule.timezone) != (schedule.cron, schedule.timezone):
        next_at = first_at
    try:
        with transaction.transaction():  # a savepoint, so that the other schedule can be named
            values = {**_values(schedule, next_at), "kept_name": kept.schedule.name}
            transaction.execute(_UPDATE, values)
            if schedule.name != kept.schedule.name:
                chains.rename(transaction, kept.schedule.name, schedule.name)
    except psycopg.errors.UniqueViolation:
        raise _shared(transaction, schedule) from None


def _values(schedule: Schedule, next_at: datetime | None) -> Mapping[str, object]:
    values = {**asdict(schedule), "after": list(schedule.after)}
    return {**values, "result_table": result_table(schedule.result), "next_at": next_at}


def _source(schedule: Schedule) -> str:
    return schedule.source or "`logdrain sched:create`"


def _shared(transaction: Transaction, schedule: Schedule) -> ResultTableShared:
    table = result_table(schedule.result)
    with transaction.cursor(row_factory=scalar_row) as cursor:
        other = cursor.execute(
            "SELECT name FROM logdrain.schedules WHERE result_table = %s AND name <> %s",
            (table, schedule.name),
        ).fetchone()
    writer = "another schedule" if other is None else f"schedule {other!r}"
    return ResultTableShared(
        f"schedule {schedule.name!r} cannot write {table!r}: {writer} does",
        hint="give each schedule a result table of its own",
    )
