"""Named results in the ledger."""

from psycopg.rows import args_row

from logdrain.errors import UnknownResult
from logdrain.model.names import nearest_hint
from logdrain.ports.transactions import Transaction


def keep(transaction: Transaction, name: str, url: str) -> None:
    """Keep a named result; an existing one of that name gets the new URL."""
    transaction.execute(
        "INSERT INTO logdrain.results (name, url) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET url = excluded.url",
        (name, url),
    )


URL = "SELECT url FROM logdrain.results WHERE name = %(name)s"


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
        raise unknown(transaction, name)


def unknown(transaction: Transaction, name: str) -> UnknownResult:
    """The error for a name that no result has."""
    known = [kept for kept, _ in every(transaction)]
    return UnknownResult(
        f"no result is called {name!r}",
        hint=nearest_hint(name, known, "`logdrain result:list` shows them all"),
    )


def _name_and_url(name: str, url: str) -> tuple[str, str]:
    return name, url
