"""Schedules in the ledger, and the named results that they write to.

A schedule whose job file has gone stays until it is deleted by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import psycopg
from psycopg.rows import kwargs_row, scalar_row

from logdrain.errors import (
    ResultTableShared,
    ScheduleExists,
    ScheduleFromFile,
    UnknownResult,
    UnknownSchedule,
)
from logdrain.ledger import chains, queue
from logdrain.ledger.connections import Connections
from logdrain.model.jobs import CancelledCount, CatchUp, Cause, Schedule, ScheduleStatus
from logdrain.model.names import nearest_hint
from logdrain.model.plans import Dialect
from logdrain.ports.ledger import Calendar
from logdrain.ports.transactions import Transaction

_FIELDS = tuple(field.name for field in fields(Schedule))
COLUMNS = ", ".join(_FIELDS)
"""What `read` makes a schedule of: a field of `Schedule` is a column of its own name."""

_INSERT = f"""
INSERT INTO logdrain.schedules ({COLUMNS}, result_table, next_at)
VALUES ({", ".join(f"%({name})s" for name in _FIELDS)}, %(result_table)s, %(next_at)s)
ON CONFLICT DO NOTHING
""".encode()  # noqa: S608  # only names of columns
_UPDATE = f"""
UPDATE logdrain.schedules
SET {", ".join(f"{name} = %({name})s" for name in _FIELDS if name != "source")},
    result_table = %(result_table)s, next_at = %(next_at)s, updated_at = clock_timestamp()
WHERE name = %(kept_name)s
""".encode()  # noqa: S608  # the same
_SELECT = f"SELECT {COLUMNS}, next_at, paused_at FROM logdrain.schedules"  # noqa: S608  # the same
_ALL = f"{_SELECT} ORDER BY name".encode()
_ONE = f"{_SELECT} WHERE name = %s".encode()
_LOCK = f"{_SELECT} WHERE name = %s FOR NO KEY UPDATE".encode()
_LOCK_DUE = f"""
{_SELECT}
WHERE next_at <= %(now)s AND paused_at IS NULL AND name <> ALL (%(left_out)s::text[])
ORDER BY next_at LIMIT %(count)s
FOR NO KEY UPDATE SKIP LOCKED
""".encode()
_PAUSE = """
UPDATE logdrain.schedules SET paused_at = CASE WHEN %s THEN coalesce(paused_at, clock_timestamp()) END
WHERE name = %s
"""
# What was forced once and still waits stays forced, whoever else asks for it.
_ASK = """
INSERT INTO logdrain.slices AS kept (schedule, scheduled_at, state, cause, forced)
SELECT DISTINCT %(schedule)s, instant, 'waiting', %(cause)s, %(forced)s
FROM unnest(%(instants)s::timestamptz[]) AS instant
ON CONFLICT (schedule, scheduled_at) DO UPDATE
SET state = 'waiting', cause = excluded.cause, reason = '', attempts = 0, not_before = NULL,
    forced = excluded.forced OR (kept.forced AND kept.state = 'waiting'),
    error_code = '', error_message = '', error_hint = ''
WHERE kept.state <> 'running'
"""
_ASK_TO_END = """
UPDATE logdrain.runs SET kill_asked_at = coalesce(kill_asked_at, clock_timestamp())
WHERE state = 'running' AND schedule = %(schedule)s
  AND (%(start)s::timestamptz IS NULL OR scheduled_at >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR scheduled_at <= %(end)s)
"""
_CANCEL_WAITING = """
UPDATE logdrain.slices
SET state = 'cancelled', not_before = NULL, error_code = 'run_killed',
    error_message = 'cancelled while it waited', error_hint = '`logdrain sched:run` runs it'
WHERE state = 'waiting' AND schedule = %(schedule)s
  AND (%(start)s::timestamptz IS NULL OR scheduled_at >= %(start)s)
  AND (%(end)s::timestamptz IS NULL OR scheduled_at <= %(end)s)
"""


class PostgresSchedules:
    """`ports.Schedules` in Postgres."""

    def __init__(self, connections: Connections, calendar: Calendar) -> None:
        self._connections = connections
        self._calendar = calendar

    def create(self, schedule: Schedule, now: datetime) -> None:
        """Keep a new schedule."""
        with self._connections.transaction() as transaction:
            chains.check_after(transaction, schedule)
            if self._insert(transaction, schedule, now):
                return
            if _lock(transaction, schedule.name) is None:
                raise _shared(transaction, schedule)
            raise ScheduleExists(
                f"a schedule is called {schedule.name!r} already",
                hint=f"`logdrain sched:update {schedule.name}` changes it; or choose another name",
            )

    def apply(self, schedule: Schedule, now: datetime) -> bool:
        """Create, or update where it differs; returns whether anything changed."""
        with self._connections.transaction() as transaction:
            chains.check_after(transaction, schedule)
            if self._insert(transaction, schedule, now):
                return True
            found = _lock(transaction, schedule.name)
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
            self._change(transaction, found, schedule, now)
            return True

    def update(self, name: str, schedule: Schedule, now: datetime) -> None:
        """Put a schedule in place of the one of this name."""
        with self._connections.transaction() as transaction:
            chains.check_after(transaction, schedule, kept_name=name)
            found = _locked(transaction, name)
            if found.schedule.source:
                raise ScheduleFromFile(
                    f"schedule {name!r} was made by {found.schedule.source}",
                    hint="change that file; it would undo a change made here",
                )
            if schedule.name != name and _lock(transaction, schedule.name) is not None:
                raise ScheduleExists(
                    f"a schedule is called {schedule.name!r} already", hint="choose another name"
                )
            self._change(transaction, found, schedule, now)

    def pause(self, name: str) -> bool:
        """Plan and run no slices but those asked for by hand."""
        return self._pause(name, is_paused=True)

    def resume(self, name: str) -> bool:
        """Go on, as after a time without workers."""
        return self._pause(name, is_paused=False)

    def delete(self, name: str) -> None:
        """Forget a schedule with its slices and runs."""
        with self._connections.transaction() as transaction:
            chains.check_not_needed(transaction, name)
            if not transaction.execute("DELETE FROM logdrain.schedules WHERE name = %s", (name,)).rowcount:
                raise _unknown(transaction, name)

    def get(self, name: str) -> Schedule:
        """The schedule of this name."""
        with self._connections.transaction() as transaction:
            return one(transaction, name)

    def all(self) -> list[ScheduleStatus]:
        """All schedules in order of name."""
        with (
            self._connections.transaction() as transaction,
            transaction.cursor(row_factory=kwargs_row(read)) as cursor,
        ):
            return cursor.execute(_ALL).fetchall()

    def ask_slices(self, name: str, instants: Sequence[datetime], cause: Cause, *, force: bool) -> None:
        """Ask for slices to run at once, again where they ran before."""
        values = {"schedule": name, "instants": list(instants), "cause": cause, "forced": force}
        with self._connections.transaction() as transaction:
            queue.give_up_lost(transaction, _locked(transaction, name).schedule)
            transaction.execute(_ASK, values)
            queue.requeue(transaction, name)

    def cancel_slices(self, name: str, start: datetime | None, end: datetime | None) -> CancelledCount:
        """End the slices that wait or run."""
        values = {"schedule": name, "start": start, "end": end}
        with self._connections.transaction() as transaction:
            queue.give_up_lost(transaction, _locked(transaction, name).schedule)
            running = transaction.execute(_ASK_TO_END, values).rowcount
            waiting = transaction.execute(_CANCEL_WAITING, values).rowcount
            queue.requeue(transaction, name)
        return CancelledCount(waiting, running)

    def _insert(self, transaction: Transaction, schedule: Schedule, now: datetime) -> bool:
        values = _values(schedule, self._calendar.first_after(schedule, now))
        return transaction.execute(_INSERT, values).rowcount == 1

    def _change(
        self, transaction: Transaction, kept: ScheduleStatus, schedule: Schedule, now: datetime
    ) -> None:
        """Only another cron or time zone moves the next instant; slices that exist already stay."""
        first_at = self._calendar.first_after(schedule, now)  # raises where the cron cannot be read
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

    def _pause(self, name: str, *, is_paused: bool) -> bool:
        with self._connections.transaction() as transaction:
            found = _locked(transaction, name)
            transaction.execute(_PAUSE, (is_paused, name))
            queue.requeue(transaction, name)
            return is_paused is (found.paused_at is None)


class PostgresNamedResults:
    """`ports.NamedResults` in Postgres."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def create(self, name: str, url: str) -> None:
        """Keep a named result."""
        with self._connections.transaction() as transaction:
            transaction.execute(
                "INSERT INTO logdrain.results (name, url) VALUES (%s, %s)"
                " ON CONFLICT (name) DO UPDATE SET url = excluded.url",
                (name, url),
            )

    def url(self, name: str) -> str:
        """The URL of a named result."""
        for (url,) in self._connections.ask(
            "SELECT url FROM logdrain.results WHERE name = %(name)s", {"name": name}
        ):
            return str(url)
        raise self._unknown(name)

    def all(self) -> list[tuple[str, str]]:
        """(name, URL with its secret) in order of name."""
        rows = self._connections.ask("SELECT name, url FROM logdrain.results ORDER BY name")
        return [(str(name), str(url)) for name, url in rows]

    def delete(self, name: str) -> None:
        """Forget a named result."""
        with self._connections.transaction() as transaction:
            count = transaction.execute("DELETE FROM logdrain.results WHERE name = %s", (name,)).rowcount
        if not count:
            raise self._unknown(name)

    def _unknown(self, name: str) -> UnknownResult:
        known = [kept for kept, _ in self.all()]
        return UnknownResult(
            f"no result is called {name!r}",
            hint=nearest_hint(name, known, "`logdrain result:list` shows them all"),
        )


def one(transaction: Transaction, name: str) -> Schedule:
    """The schedule of this name.

    Raises:
        UnknownSchedule: With the nearest name.
    """
    with transaction.cursor(row_factory=kwargs_row(read)) as cursor:
        found = cursor.execute(_ONE, (name,)).fetchone()
    if found is None:
        raise _unknown(transaction, name)
    return found.schedule


def _lock(transaction: Transaction, name: str) -> ScheduleStatus | None:
    """The schedule of this name, locked until the transaction ends, as whoever moves its slices needs it."""
    with transaction.cursor(row_factory=kwargs_row(read)) as cursor:
        return cursor.execute(_LOCK, (name,)).fetchone()


def _locked(transaction: Transaction, name: str) -> ScheduleStatus:
    found = _lock(transaction, name)
    if found is None:
        raise _unknown(transaction, name)
    return found


def lock_due(
    transaction: Transaction, now: datetime, *, count: int, left_out: Sequence[str]
) -> list[ScheduleStatus]:
    """Schedules with an instant up to `now` that no one else has locked, the longest due first."""
    values = {"now": now, "count": count, "left_out": list(left_out)}
    with transaction.cursor(row_factory=kwargs_row(read)) as cursor:
        return cursor.execute(_LOCK_DUE, values).fetchall()


def read(
    *,
    dialect: str,
    catch_up: str,
    after: list[str],
    next_at: datetime | None,
    paused_at: datetime | None,
    **fields: Any,
) -> ScheduleStatus:
    """A schedule and where it stands, from a row of its columns."""
    schedule = Schedule(dialect=Dialect(dialect), catch_up=CatchUp(catch_up), after=tuple(after), **fields)
    return ScheduleStatus(schedule, next_at, paused_at)


def _unknown(transaction: Transaction, name: str) -> UnknownSchedule:
    with transaction.cursor(row_factory=scalar_row) as cursor:
        known = cursor.execute("SELECT name FROM logdrain.schedules ORDER BY name").fetchall()
    return UnknownSchedule(
        f"no schedule is called {name!r}",
        hint=nearest_hint(name, known, "`logdrain sched:list` shows them all"),
    )


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


def result_table(result: str) -> str:
    """The table that a schedule's `result` names, as a key: equal for two results that share a table.

    `name:table?mode=append` gives `name:table`; a Postgres URL gives host, port, database and table,
    never a credential, one of files its path; `schema=` is kept, other options are not; "" stays "". Names
    are compared decoded: `heroku_db:p%61y` is `heroku_db:pay`.
    """
    address, _, options = result.partition("?")
    if "://" in address:
        parts = urlsplit(address)
        place = "file://" if parts.scheme == "file" else _server(parts.netloc)
        address = place + "/".join(map(_canonical, parts.path.split("/")))
    elif address:
        name, _, table = address.partition(":")
        address = f"{name}:{_canonical(table)}"
    schema = _canonical(parse_qs(options).get("schema", [""])[-1])
    return f"{address}?schema={schema}" if schema else address


def table_key(result: str, schema: str, table: str) -> str:
    """The same key from the parts of a named result's table."""
    options = f"?schema={quote(schema, safe='')}" if schema else ""
    return result_table(f"{result}:{quote(table, safe='')}{options}")


def _server(netloc: str) -> str:
    """Host and port of a Postgres URL."""
    place = netloc.rpartition("@")[2].lower()
    return place if place.rpartition("]")[2].count(":") else f"{place}:5432"


def _canonical(name: str) -> str:
    """One spelling of a name, in which nothing but the name is special."""
    return quote(unquote(name), safe=" ")
