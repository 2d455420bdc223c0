"""Which slice a table holds, where the mode leaves nothing but one slice's rows.

Kept in table `logdrain_contents` of the result's schema, in the transaction that puts the rows there. Running
an older slice again would turn the table back in time, and nobody would see it: that is refused.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg import sql

from logdrain.model.jobs import Claim
from logdrain.ports.transactions import Transaction
from logdrain.results.overtaken import newer_slice_held
from logdrain.results.postgres.notes import Note
from logdrain.results.postgres.result_table import make_own_table, table_exists
from logdrain.results.tables import TableName

CONTENTS_TABLE = "logdrain_contents"

_CREATE = (
    """
    CREATE TABLE {table} (
        table_name text PRIMARY KEY, ledger text NOT NULL, schedule text NOT NULL,
        scheduled_at timestamptz NOT NULL, written_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    COMMENT ON TABLE {table} IS
    'Kept by logdrain: which slice each table of this schema holds whose mode leaves one slice only.'
    """,
)
_READ = """
SELECT scheduled_at FROM {contents}
WHERE table_name = {table} AND ledger = {ledger} AND schedule = {schedule}
"""
_WRITE = """
INSERT INTO {contents} (table_name, ledger, schedule, scheduled_at)
VALUES ({table}, {ledger}, {schedule}, {scheduled_at})
ON CONFLICT (table_name) DO UPDATE
SET ledger = excluded.ledger, schedule = excluded.schedule, scheduled_at = excluded.scheduled_at,
    written_at = now()
"""


@dataclass(frozen=True, slots=True)
class ContentsNote:
    """A `Note` that keeps which slice the table holds, too.

    Attributes:
        note: Knows of the slice itself; asked first, so that a commit whose answer was lost stays done.
    """

    note: Note
    connection: Transaction
    claim: Claim
    table: TableName
    ledger_identity: str

    def rows_written_before(self, *, is_replaceable: bool) -> int | None:
        """As the note says; None only where the table holds no newer slice.

        Raises:
            ResultRefused: it holds one, and the run is not forced.
            LeaseLost, psycopg.Error.
        """
        before = self.note.rows_written_before(is_replaceable=is_replaceable)
        if before is None and not self.claim.forced:
            self._refuse_older()
        return before

    def write(self, rows: int) -> None:
        """Keep this slice as the table's, then note it."""
        make_own_table(self.connection, self._contents, _CREATE)
        self.connection.execute(self._composed(_WRITE))
        self.note.write(rows)

    def _refuse_older(self) -> None:
        held = self._slice_held()
        if held is not None and held > self.claim.scheduled_at:
            raise newer_slice_held(self.claim, f"table {self.table}", held)

    def _slice_held(self) -> datetime | None:
        """None, too, where the table itself is gone, or another schedule wrote it last."""
        contents_known = table_exists(self.connection, self._contents)
        if not contents_known or not table_exists(self.connection, self.table):
            return None
        row = self.connection.execute(self._composed(_READ)).fetchone()
        return row[0] if row is not None and isinstance(row[0], datetime) else None

    @property
    def _contents(self) -> TableName:
        return TableName(self.table.schema, CONTENTS_TABLE)

    def _composed(self, statement: str) -> sql.Composed:
        return sql.SQL(statement).format(
            contents=self._contents.identifier,
            table=sql.Literal(self.table.table),
            ledger=sql.Literal(self.ledger_identity),
            schedule=sql.Literal(self.claim.schedule.name),
            scheduled_at=sql.Literal(self.claim.scheduled_at),
        )
