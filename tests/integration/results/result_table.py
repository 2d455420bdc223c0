"""Writing results in tests: a claim, a result table, and what became of it."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pyarrow as pa

from logdrain.jobs.due import CronCalendar
from logdrain.model.jobs import Cause, Claim, Mode, ResultTarget, Schedule
from logdrain.ports.streams import ArrowStream
from logdrain.ports.transactions import Transaction
from logdrain.results.postgres.table_writer import PostgresResultWriter

SLICE = datetime(2012, 3, 1, tzinfo=UTC)
SLICE_S = int(SLICE.timestamp())
CLAIM = Claim(
    run_id=1,
    schedule=Schedule("pay_hourly", "@hourly", "UTC", 600, "production", "SELECT 1"),
    scheduled_at=SLICE,
    cause=Cause.SCHEDULE,
    fence=1,
    attempt=1,
    forced=False,
    ran_before=False,
)
ANOTHER_LEDGER = "00000000-0000-8000-8000-000000000000"
HOUR = timedelta(hours=1)

Rows = list[tuple[Any, ...]]


def no_note(_: Transaction) -> None:
    raise AssertionError("the ledger is in another database")


def next_claim(claim: Claim, **changes: Any) -> Claim:
    """The next claim of the same slice, for the same request."""
    following = replace(claim, run_id=claim.run_id + 1, fence=claim.fence + 1, attempt=claim.attempt + 1)
    return replace(following, **changes)


def as_stream(columns: Mapping[str, Any]) -> ArrowStream:
    batch = pa.record_batch(dict(columns))
    return ArrowStream(batch.schema, [batch])


class WatchedStream(ArrowStream):
    """A stream that tells when it begins to be read."""

    def __init__(self, rows: ArrowStream, on_read: Callable[[], object]) -> None:
        super().__init__(rows.schema, rows)
        self._on_read = on_read

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        self._on_read()
        return super().__iter__()


@contextmanager
def opened_writer(*, lock_timeout_s: float = 10) -> Iterator[PostgresResultWriter]:
    writer = PostgresResultWriter(CronCalendar(), connect_timeout_s=5, lock_timeout_s=lock_timeout_s)
    try:
        yield writer
    finally:
        writer.close_idle()


@dataclass
class ResultTable:
    """A result table under test; columns to write are Python lists or Arrow arrays."""

    url: str
    ledger_identity: str = ANOTHER_LEDGER
    name: str = "payment_history"
    schema: str = ""
    unix_time: bool = False
    mode: Mode = Mode.APPEND
    unique: tuple[str, ...] = ()
    time_is_start: bool = False

    def write(
        self,
        rows: ArrowStream | Mapping[str, Any],
        claim: Claim = CLAIM,
        *,
        slice_column: str | None = "time",
        commit_note: Callable[[Transaction], None] = no_note,
    ) -> int:
        with opened_writer() as writer:
            return self.write_by(writer, rows, claim, slice_column=slice_column, commit_note=commit_note)

    def write_by(
        self,
        writer: PostgresResultWriter,
        rows: ArrowStream | Mapping[str, Any],
        claim: Claim = CLAIM,
        *,
        slice_column: str | None = "time",
        commit_note: Callable[[Transaction], None] = no_note,
    ) -> int:
        return writer.write(
            ResultTarget(
                self.url, self.name, self.mode, self.schema, self.unix_time, self.unique, self.time_is_start
            ),
            claim,
            as_stream(rows) if isinstance(rows, Mapping) else rows,
            slice_column=slice_column,
            commit_note=commit_note,
            ledger_identity=self.ledger_identity,
        )

    def add(self, hours: int, **columns: Any) -> int:
        """Write the slice so many hours after the first; the query has no slice column."""
        return self.write(columns, replace(CLAIM, scheduled_at=SLICE + hours * HOUR), slice_column=None)

    def execute(self, statement: str) -> Rows:
        with psycopg.connect(self.url, options="-c TimeZone=UTC") as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def rows(self) -> Rows:
        """All rows, in order."""
        quoted = '"{}"'.format(self.name.replace('"', '""'))
        return self.execute(f"SELECT * FROM {quoted} AS result ORDER BY result")  # noqa: S608 - a test's own name

    def types(self) -> dict[str, str]:
        """Column names and types in the table's order; empty where there is no table."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute(
                "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute"
                " WHERE attrelid = (SELECT oid FROM pg_class WHERE relname = %s)"
                " AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                (self.name,),
            )
            return dict(found.fetchall())


@contextmanager
def as_poor_role(table: ResultTable) -> Iterator[tuple[str, ResultTable]]:
    """A role that may connect and no more: its name, and the table as it reaches it."""
    parts = urlsplit(table.url)
    role = "poor_" + parts.path.strip("/")
    table.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'poor'")
    try:
        address = f"{role}:poor@{parts.netloc.rpartition('@')[2]}"
        yield role, replace(table, url=parts._replace(netloc=address).geturl())
    finally:
        table.execute(f"DROP OWNED BY {role}")
        table.execute(f"DROP ROLE {role}")
