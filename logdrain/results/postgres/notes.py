"""The note that a slice's rows are there, in the transaction that puts them there.

In the ledger's own database it is the ledger's. In any other the two cannot commit together, so a mark
commits with the rows, in table `logdrain_marks` of the result's schema, and the ledger's note follows. Where
the program dies between the two, the mark says what the ledger does not know.

Marks are ordered by `run_id`, which grows over all claims of a ledger; a slice's `fence` begins again when
its schedule is deleted and created anew. The fence tells requests apart: it grows by one with every claim of
a slice, and `attempt` counts from the request, so `fence - attempt` is the last fence before the request.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from psycopg import sql

from logdrain.errors import SliceNotRepeatable
from logdrain.model.jobs import Claim
from logdrain.ports.transactions import Transaction
from logdrain.results.overtaken import lease_lost
from logdrain.results.postgres.result_table import make_own_table, table_exists
from logdrain.results.tables import TableName

MARKS_TABLE = "logdrain_marks"

MAY_READ_IDENTITY = """
(SELECT coalesce(bool_and(has_schema_privilege(namespace.oid, 'USAGE')
                         AND has_table_privilege(relation.oid, 'SELECT')), false)
FROM pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE namespace.nspname = 'logdrain' AND relation.relname = 'identity')
"""
"""Whether the database may be the ledger's own: only then `has_identity` can be asked."""

_CREATE_MARKS = (
    """
    CREATE TABLE {table} (
        ledger text, schedule text, scheduled_at timestamptz,
        run_id bigint NOT NULL, fence bigint NOT NULL, table_name text NOT NULL, rows bigint NOT NULL,
        written_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (ledger, schedule, scheduled_at)
    )
    """,
    """
    COMMENT ON TABLE {table} IS
    'Kept by logdrain: which slices are in the tables of this schema, so that none is written twice.'
    """,
)
_READ_MARK = """
SELECT run_id, fence, rows, table_name
FROM {marks} WHERE ledger = {ledger} AND schedule = {schedule} AND scheduled_at = {scheduled_at}
"""
_WRITE_MARK = """
INSERT INTO {marks} AS mark (ledger, schedule, scheduled_at, run_id, fence, table_name, rows)
VALUES ({ledger}, {schedule}, {scheduled_at}, {run_id}, {fence}, {table}, {rows})
ON CONFLICT (ledger, schedule, scheduled_at) DO UPDATE
SET run_id = excluded.run_id, fence = excluded.fence, table_name = excluded.table_name,
    rows = excluded.rows, written_at = now()
WHERE mark.run_id < excluded.run_id
"""


class Mark(NamedTuple):
    """The last commit of a slice.

    Attributes:
        run_id: Of the claim that wrote it.
        fence: Of the same claim.
        rows: How many it wrote.
        is_here: It wrote to the table in question, and the table is still there.
    """

    run_id: int
    fence: int
    rows: int
    is_here: bool


class Note(Protocol):
    """Knows whether a slice's rows are there, and notes that they are."""

    def rows_written_before(self, *, is_replaceable: bool) -> int | None:
        """How many rows this run finds written already; None where it is to write them.

        Raises:
            LeaseLost, SliceNotRepeatable, psycopg.Error.
        """
        ...

    def write(self, rows: int) -> None:
        """Note that the rows are there, just before the commit.

        Raises:
            LeaseLost, psycopg.Error.
        """
        ...


@dataclass(frozen=True, slots=True)
class LedgerNote:
    """The ledger's own note: rows and note are there together or not at all."""

    connection: Transaction
    claim: Claim
    commit_note: Callable[[Transaction], None]

    def rows_written_before(self, *, is_replaceable: bool) -> int | None:
        """None, or an error: what the ledger says of earlier runs is exact here."""
        return rows_written_before(self.claim, None, is_replaceable=is_replaceable)

    def write(self, rows: int) -> None:  # noqa: ARG002 - the ledger counts them itself
        """Call the ledger."""
        self.commit_note(self.connection)


@dataclass(frozen=True, slots=True)
class MarkNote:
    """A mark beside the result; the ledger's note follows it."""

    connection: Transaction
    claim: Claim
    table: TableName
    ledger_identity: str

    def rows_written_before(self, *, is_replaceable: bool) -> int | None:
        """Decide by the mark, where there is one."""
        return rows_written_before(self.claim, self._read(), is_replaceable=is_replaceable)

    def write(self, rows: int) -> None:
        """Put the mark, unless a later run has one."""
        make_own_table(self.connection, self._marks, _CREATE_MARKS)
        if self.connection.execute(self._composed(_WRITE_MARK, rows)).rowcount == 0:
            raise lease_lost(self.claim)

    def _read(self) -> Mark | None:
        if not table_exists(self.connection, self._marks):
            return None
        row = self.connection.execute(self._composed(_READ_MARK, 0)).fetchone()
        if row is None:
            return None
        run_id, fence, rows = (int(str(number)) for number in row[:3])
        return Mark(
            run_id,
            fence,
            rows,
            is_here=row[3] == self.table.table and table_exists(self.connection, self.table),
        )

    @property
    def _marks(self) -> TableName:
        return TableName(self.table.schema, MARKS_TABLE)

    def _composed(self, statement: str, rows: int) -> sql.Composed:
        return sql.SQL(statement).format(
            marks=self._marks.identifier,
            ledger=sql.Literal(self.ledger_identity),
            schedule=sql.Literal(self.claim.schedule.name),
            scheduled_at=sql.Literal(self.claim.scheduled_at),
            run_id=sql.Literal(self.claim.run_id),
            fence=sql.Literal(self.claim.fence),
            table=sql.Literal(self.table.table),
            rows=sql.Literal(rows),
        )


def rows_written_before(claim: Claim, mark: Mark | None, *, is_replaceable: bool) -> int | None:
    """Whether this run's rows are in the table already: how many, or None where it is to write them.

    - The mark of a later run: another worker has the slice.
    - Of this run: it has committed, and the answer to its commit was lost. Done.
    - Of an earlier run, rows that can be replaced: write, the old ones go.
    - Of an earlier run, rows that cannot: done, if it was for the same request, or if the ledger has never
      noted a success (the program died between the commit and the note). Else the rows are an earlier
      request's, and only a forced run adds to them.

    Args:
        claim: The run.
        mark: Of its slice; None where there is none, or where the ledger's note is in the same transaction.
        is_replaceable: The query has a slice column.

    Raises:
        LeaseLost: another worker has the slice.
        SliceNotRepeatable: writing would double the slice's rows.
    """
    if mark is not None and mark.run_id > claim.run_id:
        raise lease_lost(claim)
    if mark is not None and mark.is_here and mark.run_id == claim.run_id:
        return mark.rows
    if is_replaceable:
        return None
    if mark is not None and mark.is_here and (_is_same_request(claim, mark) or not claim.ran_before):
        return mark.rows
    if claim.ran_before and not claim.forced:
        raise _not_repeatable(claim)
    return None


def is_ledger(connection: Transaction, ledger_identity: str) -> bool:
    """Whether this is the ledger's own database, seen through a role that may read its identity."""
    may_read = connection.execute("SELECT " + MAY_READ_IDENTITY).fetchone()
    return may_read == (True,) and has_identity(connection, ledger_identity)


def has_identity(connection: Transaction, ledger_identity: str) -> bool:
    """Whether the database is the ledger's of this identity, where `MAY_READ_IDENTITY` has said yes."""
    return connection.execute("SELECT id::text FROM logdrain.identity").fetchone() == (ledger_identity,)


def _is_same_request(claim: Claim, mark: Mark) -> bool:
    return claim.fence - claim.attempt < mark.fence < claim.fence


def _not_repeatable(claim: Claim) -> SliceNotRepeatable:
    return SliceNotRepeatable(
        f"slice {claim.scheduled_at.isoformat()} of schedule {claim.schedule.name} has run, "
        "and the query has no column to tell its rows by",
        hint="select TD_SCHEDULED_TIME() AS time, so that rows can be replaced; or add them again: --force",
    )
