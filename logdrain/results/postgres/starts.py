"""Where slices begin: a row carries the END of its hour, and charts want the START.

Table `logdrain_starts`, in the result's schema, keeps where each slice of a table begins: at the instant of
its cron before. View `NAME_by_start` shows the table NAME with starts in place of ends. With `time=start`
the table itself has the starts; there a slice keeps the start that it first had, and no two have the same,
since its rows are found by it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from psycopg import sql

from logdrain.errors import ResultRefused
from logdrain.model.jobs import Claim, ResultTarget
from logdrain.ports.ledger import Calendar
from logdrain.ports.transactions import Transaction
from logdrain.results.postgres import ddl
from logdrain.results.postgres.modes import SliceKey
from logdrain.results.postgres.result_table import make_own_table, table_exists
from logdrain.results.postgres.widening import TableColumn
from logdrain.results.tables import TableName
from logdrain.results.values.start_stream import check_start
from logdrain.types.postgres_types import Kind, PostgresType, cut_name

STARTS_TABLE = "logdrain_starts"
_BY_START = "_by_start"
_NUMBERS = (Kind.BIGINT, Kind.NUMERIC, Kind.DOUBLE)

_CREATE = (
    """
    CREATE TABLE {table} (
        table_name text, ends_at timestamptz, starts_at timestamptz NOT NULL,
        PRIMARY KEY (table_name, ends_at)
    )
    """,
    """
    COMMENT ON TABLE {table} IS
    'Kept by logdrain: where the slices of the tables of this schema begin; views NAME_by_start read it.'
    """,
)
_KEEP = """
INSERT INTO {starts} (table_name, ends_at, starts_at)
SELECT {table}, * FROM unnest({ends_at}::timestamptz[], {starts_at}::timestamptz[])
ON CONFLICT (table_name, ends_at) DO UPDATE SET starts_at = excluded.starts_at
"""
# A cron that has changed may begin before the end of a slice that is there.
_BEGIN = """
INSERT INTO {starts} (table_name, ends_at, starts_at)
SELECT {table}, {ends_at}, greatest({starts_at}, max(ends_at)) FROM {starts}
WHERE table_name = {table} AND ends_at < {ends_at}
ON CONFLICT DO NOTHING
"""
_BEGUN = """
SELECT own.starts_at, other.ends_at
FROM {starts} AS own LEFT JOIN {starts} AS other
  ON other.table_name = own.table_name AND other.starts_at = own.starts_at AND other.ends_at <> own.ends_at
WHERE own.table_name = {table} AND own.ends_at = {ends_at}
LIMIT 1
"""
_FORGET = "DELETE FROM {starts} WHERE table_name = {table}"
_VIEW = """
SELECT has_schema_privilege(namespace.oid, 'CREATE'), view.oid IS NOT NULL, own.oid IS NOT NULL,
       own.oid IS NULL OR (has_table_privilege(own.oid, 'SELECT') AND has_table_privilege(own.oid, 'INSERT')
                           AND has_table_privilege(own.oid, 'UPDATE')),
       CASE WHEN pg_has_role(view.relowner, 'USAGE') THEN obj_description(view.oid, 'pg_class') END,
       ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = view.oid AND attnum > 0 ORDER BY attnum)
FROM pg_namespace AS namespace
LEFT JOIN pg_class AS view ON view.relnamespace = namespace.oid AND view.relname = %(view)s
LEFT JOIN pg_class AS own ON own.relnamespace = namespace.oid AND own.relname = %(own)s
WHERE namespace.nspname = %(schema)s
"""
_READERS = """
SELECT role.rolname::text
FROM pg_class AS view JOIN pg_namespace AS namespace ON namespace.oid = view.relnamespace
CROSS JOIN LATERAL aclexplode(view.relacl) AS acl LEFT JOIN pg_roles AS role ON role.oid = acl.grantee
WHERE namespace.nspname = %s AND view.relname = %s
  AND acl.privilege_type = 'SELECT' AND acl.grantee <> view.relowner
"""
_VIEW_COMMENT = "Kept by logdrain: table {}, with the start of each slice in column {}."
_OURS = "Kept by logdrain: "


def by_start(table: TableName) -> TableName:
    """The view that shows a table by the starts of its slices."""
    return TableName(table.schema, cut_name(table.table + _BY_START))


class _ViewState(NamedTuple):
    """The view as Postgres has it.

    Attributes:
        may_create: The role may make views in the schema.
        is_there: Something has the view's name.
        has_starts: The schema has our table of starts.
        may_keep: The role may write to that, or there is none.
        comment: What the view says of itself, where it is the role's.
        columns: Their names, in its order.
    """

    may_create: bool = False
    is_there: bool = False
    has_starts: bool = False
    may_keep: bool = False
    comment: str | None = None
    columns: Sequence[str] = ()

    @property
    def is_ours(self) -> bool:
        """It was made here, and may be changed."""
        return self.comment is not None and self.comment.startswith(_OURS)

    @property
    def may_change(self) -> bool:
        """The view may be made, or made anew."""
        return self.may_keep and (self.is_ours if self.is_there else self.may_create)


@dataclass(slots=True)
class SliceStart:
    """Where the slices of one result table begin, in a run's transaction under the table's lock."""

    connection: Transaction
    table: TableName
    target: ResultTarget
    claim: Claim
    key: SliceKey
    calendar: Calendar
    _dropped_readers: list[str | None] = field(default_factory=list)

    def begin(self) -> datetime | None:
        """Where the slice begins, if that is what its rows carry, with `time=start`; else None.

        Raises:
            ResultColumnConflict, ResultRefused: its rows cannot carry it, or another slice begins there.
            psycopg.Error: whatever Postgres says.
        """
        if not self.target.time_is_start:
            return None
        starts_at = self._cron_start(self.claim.scheduled_at)
        return self._begin(check_start(self.key.column.label, starts_at, self.claim.schedule.name))

    def make_way(self) -> None:
        """Drop the view, so that columns of the table can change; `show` makes it again."""
        if self._view_state().is_ours:
            view = by_start(self.table)
            found = self.connection.execute(_READERS, view).fetchall()
            self._dropped_readers += [None if role is None else str(role) for (role,) in found]
            self.connection.execute(sql.SQL("DROP VIEW {}").format(view.identifier))

    def show(self, has: Sequence[TableColumn]) -> bool:
        """Keep where the slice begins, for the view; make the view, or change it; returns whether it did.

        What else has its name is left alone, and where the role may not make views there is none.
        """
        state = self._view_state()
        names = [column.name for column in has]
        comment = _VIEW_COMMENT.format(self.table.table, self.key.column.name)
        if self.target.time_is_start:
            comment += " So has the table."
        if not state.may_change:
            return False
        is_new = not (state.is_there and state.has_starts)
        if is_new:
            make_own_table(self.connection, self._own, _CREATE)
        if not self.target.time_is_start:
            self._keep(self._all_ends(has) if is_new else [self.claim.scheduled_at])
        if state.columns == names and state.comment == comment:
            return False
        if state.is_there and list(state.columns) != names[: len(state.columns)]:
            self.make_way()
        view = by_start(self.table)
        create = sql.SQL("CREATE OR REPLACE VIEW {} AS {}").format(view.identifier, self._select(has))
        for statement in (
            create,
            sql.SQL("COMMENT ON VIEW {} IS {}").format(view.identifier, sql.Literal(comment)),
            ddl.slice_comment(view, self.key.column.name, is_start=True),
        ):
            self.connection.execute(statement)
        for role in self._dropped_readers:
            to = sql.SQL("PUBLIC") if role is None else sql.Identifier(role)
            self.connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(view.identifier, to))
        return True

    def _select(self, has: Sequence[TableColumn]) -> sql.Composed:
        """The view's query; ends become starts where they are times, and the table has not the starts."""
        conversion = None if self.target.time_is_start else self._conversion(has)
        outputs = [
            sql.SQL("coalesce({}, result.{name}) AS {name}").format(
                conversion.start, name=sql.Identifier(column.name)
            )
            if conversion is not None and column.name == self.key.column.name
            else sql.SQL("result.{}").format(sql.Identifier(column.name))
            for column in has
        ]
        select = sql.SQL("SELECT {} FROM {} AS result").format(
            sql.SQL(", ").join(outputs), self.table.identifier
        )
        if conversion is None:
            return select
        return sql.SQL("{} LEFT JOIN {} AS start ON start.table_name = {} AND start.ends_at = {}").format(
            select, self._own.identifier, sql.Literal(self.table.table), conversion.instant
        )

    def _conversion(self, has: Sequence[TableColumn]) -> "_Conversion | None":
        ends = next(column for column in has if column.name == self.key.column.name)
        return _conversion(ends.name, ends.type)

    def _all_ends(self, has: Sequence[TableColumn]) -> list[datetime]:
        """The scheduled times of all slices that the table has: the view is new to it."""
        conversion = self._conversion(has)
        if conversion is None:
            return []
        query = sql.SQL("SELECT DISTINCT {} FROM {} AS result").format(
            conversion.instant, self.table.identifier
        )
        ends = {end for (end,) in self.connection.execute(query) if isinstance(end, datetime)}
        return sorted({*ends, self.claim.scheduled_at})

    def _keep(self, ends: Sequence[datetime]) -> None:
        begun = [(end, start) for end in ends if (start := self._cron_start(end.astimezone(UTC))) is not None]
        if begun:
            self.connection.execute(self._composed(_KEEP, *map(list, zip(*begun, strict=True))))

    def _begin(self, starts_at: datetime) -> datetime:
        make_own_table(self.connection, self._own, _CREATE)
        if not table_exists(self.connection, self.table):
            self.connection.execute(self._composed(_FORGET))
        end = self.claim.scheduled_at
        self.connection.execute(self._composed(_BEGIN, end, starts_at))
        row = self.connection.execute(self._composed(_BEGUN, end)).fetchone()
        start, other = row or (None, None)
        if not isinstance(start, datetime) or other is not None:
            raise ResultRefused(
                f"the slices of {end} and {other} of table {self.table} both begin at {start}",
                hint="the cron has changed, and their rows could not be told apart: choose another table",
            )
        return start

    def _cron_start(self, end: datetime) -> datetime | None:
        return self.calendar.last_before(self.claim.schedule, end)

    def _view_state(self) -> _ViewState:
        return _view_state(self.connection, by_start(self.table))

    @property
    def _own(self) -> TableName:
        return TableName(self.table.schema, STARTS_TABLE)

    def _composed(self, statement: str, ends_at: object = None, starts_at: object = None) -> sql.Composed:
        return sql.SQL(statement).format(
            starts=self._own.identifier,
            table=sql.Literal(self.table.table),
            ends_at=sql.Literal(ends_at),
            starts_at=sql.Literal(starts_at),
        )


def own_views(connection: Transaction, tables: Sequence[TableName]) -> list[TableName]:
    """The views by start that these tables have.

    Raises:
        psycopg.Error: whatever Postgres says.
    """
    return [view for view in map(by_start, tables) if _view_state(connection, view).is_ours]


def _view_state(connection: Transaction, view: TableName) -> _ViewState:
    row = connection.execute(
        _VIEW, {"schema": view.schema, "view": view.table, "own": STARTS_TABLE}
    ).fetchone()
    return _ViewState(*row) if row else _ViewState()  # type: ignore[arg-type]  # as _VIEW says


class _Conversion(NamedTuple):
    """Between a slice column and instants.

    Attributes:
        instant: The column's value as one.
        start: `start.starts_at` in the column's type.
    """

    instant: sql.Composable
    start: sql.Composable


def _conversion(name: str, of: PostgresType | None) -> _Conversion | None:
    """How this slice column holds times; None for one that holds none any more."""
    column, start = sql.SQL("result.{}").format(sql.Identifier(name)), sql.SQL("start.starts_at")
    if of is None:
        return None
    if of.kind is Kind.TIMESTAMPTZ:
        return _Conversion(column, start)
    if of.kind is Kind.TIMESTAMP:
        utc = sql.SQL("({} AT TIME ZONE 'UTC')")
        return _Conversion(utc.format(column), utc.format(start))
    if of.kind in _NUMBERS:
        return _Conversion(
            sql.SQL("to_timestamp({}::double precision)").format(column),
            sql.SQL("extract(epoch FROM {})::{}").format(start, ddl.type_name(of)),
        )
    return None
