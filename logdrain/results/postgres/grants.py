"""Roles that may read result tables, and nothing else: SELECT table by table.

Default privileges would also show what others make with the same role in the same schema, as an application
does in `public` on Heroku. So table `logdrain_readers`, in the result's schema, remembers the roles, and a
run that makes a table gives them SELECT in its own transaction.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString

from psycopg import sql
from psycopg.rows import scalar_row

from logdrain.errors import ResultRefused, UnknownRole
from logdrain.model.jobs import ResultTarget
from logdrain.model.names import nearest_hint
from logdrain.ports.transactions import Transaction
from logdrain.results.postgres.notes import is_ledger
from logdrain.results.postgres.result_table import lock_table, make_own_table, table_exists
from logdrain.results.postgres.starts import own_views
from logdrain.results.tables import TableName, connect, locate_table, result_errors

READERS_TABLE = "logdrain_readers"

_CREATE = (
    """
    CREATE TABLE {table} (
        ledger text, role_name text, granted_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (ledger, role_name)
    )
    """,
    """
    COMMENT ON TABLE {table} IS
    'Kept by logdrain: roles that may read the result tables of this schema, those to come included.'
    """,
)
_NOTE = """
INSERT INTO {readers} (ledger, role_name) VALUES ({ledger}, {role}) ON CONFLICT DO NOTHING
"""
_FORGET = "DELETE FROM {readers} WHERE ledger = {ledger} AND role_name = {role}"
# A role that has gone since is passed over; so is a table that is another's: its owner grants.
_LACKING = """
SELECT reader.role_name
FROM {readers} AS reader JOIN pg_roles AS role ON role.rolname = reader.role_name
CROSS JOIN pg_class AS relation JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
WHERE reader.ledger = {ledger} AND namespace.nspname = {schema} AND relation.relname = {table}
  AND pg_has_role(relation.relowner, 'USAGE') AND NOT has_table_privilege(role.oid, relation.oid, 'SELECT')
"""
# Schema logdrain holds URLs with passwords; this view shows none of them.
_FRESHNESS = TableName("logdrain", "freshness")
_MAY_WRITE_AS_US = "SELECT pg_has_role(%s, current_user, 'MEMBER')"
_ROLES = "SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_'"


def grant(targets: Sequence[ResultTarget], role: str, ledger_identity: str) -> list[str]:
    """Let a role read these result tables, and those that come in their schemas; returns which are there.

    In the ledger's own database it may also read view `logdrain.freshness`, and nothing else of that schema.

    Args:
        targets: Of one database; the tables need not exist.
        role: Must exist, and must not be one that writes the tables.
        ledger_identity: Whose runs grant later.

    Raises:
        UnknownRole: the database has no such role.
        ResultRefused: a right to grant is missing, or the role writes the tables.
        ResultUnavailable: Postgres cannot be reached.
    """
    with _transaction(targets[0]) as connection:
        _check_role(connection, role)
        tables = [locate_table(connection, target) for target in targets]
        for schema in sorted({table.schema for table in tables}):
            _open_schema(connection, schema, role)
            readers = TableName(schema, READERS_TABLE)
            lock_table(connection, readers)
            make_own_table(connection, readers, _CREATE)
            connection.execute(_composed(_NOTE, readers, ledger_identity, role))
        existing = _existing(connection, tables)
        if _has_freshness(connection, ledger_identity):
            _open_schema(connection, _FRESHNESS.schema, role)
            existing.append(_FRESHNESS)
        for table in existing:
            _allow(connection, table, role)
        return [str(table) for table in existing]


def revoke(targets: Sequence[ResultTarget], role: str, ledger_identity: str) -> list[str]:
    """Take SELECT on these result tables back, and forget the role; returns which tables are there.

    USAGE on the tables' schemas stays: it shows nothing by itself, and may be there for another reason.

    Raises:
        UnknownRole, ResultRefused, ResultUnavailable.
    """
    with _transaction(targets[0]) as connection:
        _check_role(connection, role)
        tables = [locate_table(connection, target) for target in targets]
        for schema in sorted({table.schema for table in tables}):
            readers = TableName(schema, READERS_TABLE)
            if table_exists(connection, readers):
                connection.execute(_composed(_FORGET, readers, ledger_identity, role))
        existing = _existing(connection, tables)
        if _has_freshness(connection, ledger_identity):
            connection.execute(
                sql.SQL("REVOKE USAGE ON SCHEMA {} FROM {}").format(
                    sql.Identifier(_FRESHNESS.schema), sql.Identifier(role)
                )
            )
            existing.append(_FRESHNESS)
        for table in existing:
            connection.execute(
                sql.SQL("REVOKE SELECT ON {} FROM {}").format(table.identifier, sql.Identifier(role))
            )
        return [str(table) for table in existing]


def grant_to_readers(connection: Transaction, table: TableName, ledger_identity: str) -> None:
    """Inside a run: give the schema's readers SELECT on its table, where they have not got it.

    Raises:
        psycopg.Error: whatever Postgres says.
    """
    readers = TableName(table.schema, READERS_TABLE)
    if not table_exists(connection, readers):
        return
    query = sql.SQL(_LACKING).format(
        readers=readers.identifier,
        ledger=sql.Literal(ledger_identity),
        schema=sql.Literal(table.schema),
        table=sql.Literal(table.table),
    )
    with connection.cursor(row_factory=scalar_row) as cursor:
        for role in cursor.execute(query).fetchall():
            _select(connection, table, role)


def _has_freshness(connection: Transaction, ledger_identity: str) -> bool:
    """Whether this is the ledger's database, and its view ours to give."""
    return (
        is_ledger(connection, ledger_identity)
        and table_exists(connection, _FRESHNESS)
        and _is_true(
            connection, "SELECT has_table_privilege(%s, 'SELECT WITH GRANT OPTION')", (str(_FRESHNESS),)
        )
    )


def _check_role(connection: Transaction, role: str) -> None:
    with connection.cursor(row_factory=scalar_row) as cursor:
        known = cursor.execute(_ROLES).fetchall()
        if role not in known:
            create = f"CREATE ROLE {sql.Identifier(role).as_string()} LOGIN PASSWORD '…'"
            raise UnknownRole(
                f"the result's Postgres has no role {role!r}",
                hint=nearest_hint(
                    role, known, f"{create}; on Heroku: heroku pg:credentials:create DATABASE --name {role}"
                ),
            )
        if cursor.execute(_MAY_WRITE_AS_US, (role,)).fetchone():
            raise ResultRefused(
                f"role {role!r} may do whatever the result's own role may, writing included",
                hint="make a role of its own for reading",
            )


def _open_schema(connection: Transaction, schema: str, role: str) -> None:
    """See that the role may look into the schema: often all may, and only its owner can grant it."""
    named = (role, schema)
    if not _is_true(connection, "SELECT has_schema_privilege(%s, %s, 'USAGE')", named):
        grant_usage = sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(
            sql.Identifier(schema), sql.Identifier(role)
        )
        connection.execute(grant_usage)
        if not _is_true(connection, "SELECT has_schema_privilege(%s, %s, 'USAGE')", named):
            raise ResultRefused(
                f"the result's role may not let {role!r} into schema {schema!r}",
                hint=f"as the schema's owner: {grant_usage.as_string()}",
            )


def _allow(connection: Transaction, table: TableName, role: str) -> None:
    _select(connection, table, role)
    if not _is_true(connection, "SELECT has_table_privilege(%s, %s, 'SELECT')", (role, str(table))):
        raise ResultRefused(
            f"the result's role may not grant on table {table}",
            hint=f"as the table's owner: GRANT SELECT ON {table} TO {sql.Identifier(role).as_string()}",
        )


def _select(connection: Transaction, table: TableName, role: str) -> None:
    connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(table.identifier, sql.Identifier(role)))


def _existing(connection: Transaction, tables: Sequence[TableName]) -> list[TableName]:
    """Those that are there, with their views by start."""
    existing = [
        table
        for table in sorted(set(tables))
        if table.table != READERS_TABLE and table_exists(connection, table)
    ]
    return sorted({*existing, *own_views(connection, existing)})


def _is_true(connection: Transaction, question: LiteralString, values: tuple[str, ...]) -> bool:
    row = connection.execute(question, values).fetchone()
    return row == (True,)


def _composed(statement: str, readers: TableName, ledger_identity: str, role: str) -> sql.Composed:
    return sql.SQL(statement).format(
        readers=readers.identifier, ledger=sql.Literal(ledger_identity), role=sql.Literal(role)
    )


@contextmanager
def _transaction(target: ResultTarget) -> Iterator[Transaction]:
    with result_errors(target), connect(target.dsn) as connection:
        yield connection
