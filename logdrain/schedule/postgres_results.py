"""Named results in the ledger."""

from psycopg.rows import args_row, scalar_row

from logdrain.errors import UnknownResult
from logdrain.model.names import nearest_hint
from logdrain.ports import Transaction


def keep(transaction: Transaction, name: str, url: str) -> None:
    """Keep a named result; an existing one of that name gets the new URL."""
    transaction.execute(
        "INSERT INTO logdrain.results (name, url) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET url = excluded.url",
        (name, url),
    )


def url(transaction: Transaction, name: str) -> str:
    """The URL of a named result.

    Raises:
        UnknownResult: With the nearest name.
    """
    with transaction.cursor(row_factory=scalar_row) as cursor:
        found = cursor.execute("SELECT url FROM logdrain.results WHERE name = %s", (name,)).fetchone()
    if found is None:
        raise _unknown(transaction, name)
    return str(found)


def every(transaction: Transaction) -> list[tuple[str, str]]:
    """(name, URL) in order of name."""
    with transaction.cursor(row_factory=args_row(_name_and_url)) as cursor:
        return cursor.execute("SELECT name, url FROM logdrain.results ORDER BY name").fetchall()


def forget(transaction: Transaction, name: str) -> None:
    """Delete a named result.

    Raises:
        UnknownResult: With the nearest name.
    """
    if not transaction.execute("DELETE FROM logdrain.results WHERE name = %s", (name,)).rowcount:
        raise _unknown(transaction, name)


def _name_and_url(name: str, url: str) -> tuple[str, str]:
    return name, url


def _unknown(transaction: Transaction, name: str) -> UnknownResult:
    known = [kept for kept, _ in every(transaction)]
    return UnknownResult(
        f"no result is called {name!r}",
        hint=nearest_hint(name, known, "`logdrain result:list` shows them all"),
    )
