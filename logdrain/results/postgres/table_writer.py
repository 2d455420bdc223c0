"""Writes a run's rows and the note that it ran, in one transaction of the result's Postgres.

1. Ask whether the rows are there already (a commit whose answer was lost, a second run).
2. Copy the rows into a temporary table while the query yields them; nothing is locked meanwhile.
3. Take the table's lock and ask again: a worker that lost its lease may have committed during the copy.
4. Create or change the table, apply the mode, note the slice (`notes`, and `contents` where
   the table holds one slice), commit.

Until the commit nobody sees anything of it; any error rolls all of it back, new columns included.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import sql

from logdrain import log
from logdrain.errors import ResultColumnConflict
from logdrain.model.jobs import Claim, Mode, ResultTarget
from logdrain.ports.ledger import Calendar
from logdrain.ports.streams import ArrowStream
from logdrain.ports.transactions import Transaction
from logdrain.results.postgres import ddl
from logdrain.results.postgres.connections import ResultConnections, TransactionStart
from logdrain.results.postgres.contents import ContentsNote
from logdrain.results.postgres.grants import grant_to_readers
from logdrain.results.postgres.modes import (
    Placement,
    SliceKey,
    mode_statements,
    slice_key,
    start_value,
    strangers,
)
from logdrain.results.postgres.notes import LedgerNote, MarkNote, Note
from logdrain.results.postgres.result_table import Shape, lock_table, shape_table
from logdrain.results.postgres.starts import SliceStart, by_start
from logdrain.results.postgres.unique_key import check_staged_keys, key_columns, make_unique
from logdrain.results.postgres.widening import TableColumn
from logdrain.results.tables import TableName, result_errors
from logdrain.results.values.start_stream import check_start
from logdrain.results.values.text_formats import COPY_TEXT, text_pieces
from logdrain.types.postgres_types import Column, result_columns

_MS_PER_S = 1000
_ANALYZE_FROM_ROWS = 10_000


class PostgresResultWriter:
    """A `ResultWriter` for Postgres.

    Args:
        calendar: Where slices begin.
        connect_timeout_s: How long to wait for a connection.
        lock_timeout_s: How long to wait for another run or reader to let go of the table.
        statement_timeout_s: How long one statement may take once all rows are copied; the copy itself
            takes as long as the query does.
    """

    def __init__(
        self,
        calendar: Calendar,
        *,
        connect_timeout_s: int = 10,
        lock_timeout_s: float = 30.0,
        statement_timeout_s: float = 600.0,
    ) -> None:
        self._calendar = calendar
        self._connections = ResultConnections(connect_timeout_s)
        self._lock_timeout_s = lock_timeout_s
        self._statement_timeout_ms = int(statement_timeout_s * _MS_PER_S)

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
        """Put the slice's rows in place and note it, in one transaction; returns rows written.

        The stream is read once, batch by batch; not at all where the rows turn out to be there already.

        Raises:
            ResultUnavailable: Postgres cannot be reached, or something passing was in the way.
            ResultRefused: a privilege, a constraint, a value that Postgres cannot hold, a key that comes
                twice, a newer slice in a table that holds one slice.
            ResultColumnConflict: a column does not fit the table.
            SliceNotRepeatable: a second run would double the rows.
            LeaseLost: another worker has the slice.
            LogdrainError: what reading the stream raised, unchanged.
        """
        columns = result_columns(rows.schema, unix_time=target.unix_time)
        key = slice_key(columns, slice_column, claim.scheduled_at)
        unique = key_columns(columns, target.unique)
        is_replaceable = target.is_repeatable(slice_column)
        opening = TransactionStart(target, self._lock_timeout_s)
        with result_errors(target), self._connections.transaction(target.dsn, opening.begin) as connection:
            start = self._start(connection, opening.table, target, claim, key)
            load = _Load(connection, opening.table, columns, key, unique, start)
            note: Note = MarkNote(connection, claim, load.table, ledger_identity)
            if opening.is_ledger(connection, ledger_identity):
                note = LedgerNote(connection, claim, commit_note)
            if target.mode.facts.holds_one_slice:
                note = ContentsNote(note, connection, claim, load.table, ledger_identity)
            before = note.rows_written_before(is_replaceable=is_replaceable)
            if before is None:
                load.stage(rows)
                lock_table(connection, load.table, statement_timeout_ms=self._statement_timeout_ms)
                before = note.rows_written_before(is_replaceable=is_replaceable)
            if before is not None:
                _tell_written_before(load.table, claim, before)
                return before
            written = load.place(target.mode, claim.schedule.name, ledger_identity)
            note.write(written)
        if written >= _ANALYZE_FROM_ROWS:
            self._analyze(target, load.table)
        return written

    def _start(
        self,
        connection: Transaction,
        table: TableName,
        target: ResultTarget,
        claim: Claim,
        key: SliceKey | None,
    ) -> SliceStart | None:
        if key is not None:
            return SliceStart(connection, table, target, claim, key, self._calendar)
        if target.time_is_start:
            check_start(None, None, claim.schedule.name)  # raises
        return None

    def _analyze(self, target: ResultTarget, table: TableName) -> None:
        """Tell the planner of a large load at once; autovacuum would come to it by and by."""
        try:
            opening = TransactionStart(target, self._lock_timeout_s)
            with self._connections.transaction(target.dsn, opening.begin) as connection:
                timeout_ms = str(self._statement_timeout_ms)
                connection.execute("SELECT set_config('statement_timeout', %s, true)", (timeout_ms,))
                connection.execute(sql.SQL("ANALYZE {}").format(table.identifier))
        except psycopg.Error as error:  # the rows are there, and that is what counts
            log.warning("result_not_analyzed", table=table, error=type(error).__name__)

    def close_idle(self) -> None:
        """Close connections that wait for the next run."""
        self._connections.close()


def _tell_written_before(table: TableName, claim: Claim, rows: int) -> None:
    log.info(
        "result_rows_found_written",
        table=table,
        schedule=claim.schedule.name,
        scheduled_at=claim.scheduled_at.isoformat(),
        rows=rows,
    )


@dataclass(frozen=True, slots=True)
class _Load:
    """One run's rows on their way into a table."""

    connection: Transaction
    table: TableName
    columns: Sequence[Column]
    slice_key: SliceKey | None
    unique: Sequence[Column]
    start: SliceStart | None

    def stage(self, rows: ArrowStream) -> None:
        """Copy all rows into the temporary table, one batch at a time."""
        self.connection.execute(ddl.create_staging(self.columns))
        next_row, removed_nul = 1, 0
        with self.connection.cursor() as cursor, cursor.copy(ddl.copy_staging(self.columns)) as copy:
            for batch in rows:
                for piece in text_pieces(batch, self.columns, next_row, COPY_TEXT):
                    copy.write(piece.data)
                    removed_nul += piece.removed_nul
                next_row += batch.num_rows
        if removed_nul:
            log.warning("result_nul_characters_removed", table=self.table, count=removed_nul)

    def place(self, mode: Mode, schedule: str, ledger_identity: str) -> int:
        """Move the staged rows into the table, which is made to take them; returns how many."""
        if self.slice_key is not None and mode.facts.goes_by_slice:
            self._check_slice(self.slice_key)
        if mode.facts.needs_unique:
            check_staged_keys(self.connection, self.table, self.unique)
        has, starts_at = self._shape(mode, schedule)
        grant_to_readers(self.connection, self.table, ledger_identity)
        if mode.facts.needs_unique:
            make_unique(self.connection, self.table, self.unique)
        written = 0
        placement = Placement(self.table, has, self.columns, self.slice_key, self.unique, starts_at)
        for statement in mode_statements(mode, placement):
            written = self.connection.execute(statement).rowcount
        if self.start is not None and self.start.show(has):
            grant_to_readers(self.connection, by_start(self.table), ledger_identity)
        return written

    def _shape(self, mode: Mode, schedule: str) -> tuple[list[TableColumn], sql.Composed | None]:
        """Make the table take the rows; returns its columns, and the start that they carry, if they do."""
        starts_at = self.start.begin() if self.start else None
        shape = Shape(self.table, self.columns, self.slice_key, mode, schedule, starts_at is not None)
        if self.start is None or self.slice_key is None:
            return shape_table(self.connection, shape), None
        has = shape_table(self.connection, shape, self.start.make_way)
        return has, start_value(self.slice_key, starts_at) if starts_at else None

    def _check_slice(self, key: SliceKey) -> None:
        row = self.connection.execute(strangers(key)).fetchone()
        if row and row[0]:
            raise ResultColumnConflict(
                f'{row[0]} rows do not have the scheduled time in column "{key.column.label}"',
                hint="they could not be replaced when the slice runs again: leave them out of the query",
            )
