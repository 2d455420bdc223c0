"""Keys in the ledger's Postgres."""

import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
from psycopg.rows import args_row

from logdrain.errors import KeyAmbiguous, LedgerUnavailable, MigrationError, UnknownKey, UsageError
from logdrain.log import mask
from logdrain.model.keys import KEY_NAME, Key, NewKey, Scope, StoredKey, digest
from logdrain.model.ledger_url import ledger_conninfo
from logdrain.model.names import nearest_hint
from logdrain.ports.transactions import Transaction

# A prefix by which scanners find a secret that was published by mistake.
_SECRET_PREFIX = "ldk_"  # noqa: S105  # what secrets begin with, not one
_SECRET_BYTES = 32
_CREATE = """
INSERT INTO logdrain.keys (scope, name, sha256) VALUES (%s, %s, %s)
RETURNING id, scope, name, created_at, revoked_at
"""
_VALID = "SELECT scope, name, sha256 FROM logdrain.keys WHERE revoked_at IS NULL ORDER BY id"
_EVERY = "SELECT id, scope, name, created_at, revoked_at FROM logdrain.keys ORDER BY name, id"
_REVOKE = """
UPDATE logdrain.keys SET revoked_at = clock_timestamp() WHERE id = %s
RETURNING id, scope, name, created_at, revoked_at
"""


class PostgresKeys:
    """`ports.Keys`, for any number of threads, which take turns on one connection.

    Args:
        dsn: `postgres://` or `postgresql://` URL of a migrated database.

    Raises:
        LedgerUnavailable: The URL cannot be read. The connection is opened when first needed.
    """

    def __init__(self, dsn: str) -> None:
        self._conninfo = ledger_conninfo(dsn)
        self._turn = threading.Lock()
        self._connection: Transaction | None = None

    def create(self, scope: Scope, name: str) -> NewKey:
        """Make a key.

        Raises:
            UsageError: the name cannot be one; digits alone are an id.
        """
        if not KEY_NAME.match(name) or name.isdigit():
            raise UsageError(
                f"{name!r} cannot name a key",
                hint="1 to 64 letters, digits, dots, dashes and underscores, not digits alone",
            )
        secret = _SECRET_PREFIX + secrets.token_hex(_SECRET_BYTES)
        with self._transaction() as transaction, transaction.cursor(row_factory=args_row(_stored)) as cursor:
            cursor.execute(_CREATE, (scope.value, name, digest(secret.encode())))
            [stored] = cursor.fetchall()
        return NewKey(stored, secret)

    def valid(self) -> tuple[Key, ...]:
        """All keys that are not revoked."""
        with self._transaction() as transaction, transaction.cursor(row_factory=args_row(_key)) as cursor:
            return tuple(cursor.execute(_VALID).fetchall())

    def every(self) -> list[StoredKey]:
        """All keys, revoked ones too, in order of name and age."""
        with self._transaction() as transaction:
            return _every(transaction)

    def revoke(self, which: str) -> StoredKey:
        """Revoke the valid key of this id or name."""
        with self._transaction() as transaction:
            found = [key for key in _every(transaction) if which in (str(key.id), key.name)]
            valid = [key for key in found if key.revoked_at is None]
            if not valid:
                raise _unknown(transaction, which, found)
            if len(valid) > 1:
                ids = ", ".join(str(key.id) for key in valid)
                raise KeyAmbiguous(
                    f"{len(valid)} valid keys are called {which!r}: {ids}",
                    hint="revoke one by its id; `logdrain keys:list` tells how old they are",
                )
            with transaction.cursor(row_factory=args_row(_stored)) as cursor:
                cursor.execute(_REVOKE, (valid[0].id,))
                [revoked] = cursor.fetchall()
        return revoked

    def close(self) -> None:
        """Close the connection; a later call opens a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with self._turn, _own_errors():
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(self._conninfo, autocommit=True)
            with self._connection.transaction():
                yield self._connection


def _every(transaction: Transaction) -> list[StoredKey]:
    with transaction.cursor(row_factory=args_row(_stored)) as cursor:
        return cursor.execute(_EVERY).fetchall()


def _unknown(transaction: Transaction, which: str, revoked: list[StoredKey]) -> UnknownKey:
    if revoked:
        return UnknownKey(f"key {which!r} is revoked already", hint="nothing to do: it opens nothing")
    valid = {key.name for key in _every(transaction) if key.revoked_at is None}
    return UnknownKey(
        f"no key in Postgres is called {which!r}",
        hint=nearest_hint(which, sorted(valid), "`logdrain keys:list` shows them all"),
    )


def _key(scope: str, name: str, sha256: bytes) -> Key:
    return Key(Scope(scope), name, bytes(sha256))


def _stored(id_: int, scope: str, name: str, created_at: datetime, revoked_at: datetime | None) -> StoredKey:
    return StoredKey(id_, Scope(scope), name, created_at, revoked_at)


@contextmanager
def _own_errors() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName) as error:
        raise MigrationError(
            "the table of keys is not in this Postgres", hint="run `logdrain migrate`"
        ) from error
    except psycopg.Error as error:
        reason = (error.diag.message_primary or str(error).strip() or type(error).__name__).splitlines()[0]
        raise LedgerUnavailable(
            f"the ledger's Postgres cannot be used for keys: {mask(reason)}",
            hint="check that the server runs and that DATABASE_URL names it",
        ) from error
