"""A worker's end between any two of its conversations with Postgres."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import psycopg


class Died(BaseException):
    """The process is gone: nothing of it may catch this and go on."""


class Mortal:
    """Counts a worker's conversations with Postgres: statements, pieces of a COPY, BEGIN and COMMIT alike.

    After number `last`, from `begin` on, the process dies with all its connections (`whole`), or the one
    connection breaks.
    """

    def __init__(self, last: int, *, whole: bool) -> None:
        self.last = last
        self.whole = whole
        self.count = 0
        self._counts = False
        self._connections: set[psycopg.Connection[Any]] = set()

    @property
    def has_died(self) -> bool:
        """Whether it got that far."""
        return self.count >= self.last

    def begin(self) -> None:
        """Count from here on."""
        self._counts = True

    def wait(self, connection: psycopg.Connection[Any], *words: Any, **options: Any) -> Any:
        """In place of `psycopg.Connection.wait`."""
        self._connections.add(connection)
        if self.whole and self.has_died:
            raise Died
        said = _WAIT(connection, *words, **options)
        self.count += self._counts
        if not self._counts or self.count != self.last:
            return said
        if self.whole:
            for each in self._connections:
                each.pgconn.finish()
            raise Died
        connection.pgconn.finish()
        raise psycopg.OperationalError("server closed the connection unexpectedly")


_WAIT: Any = psycopg.Connection.wait


@contextmanager
def dying_after(last: int, *, whole: bool) -> Iterator[Mortal]:
    """Let what is inside die after so many conversations; where it needs fewer, it lives."""
    mortal = Mortal(last, whole=whole)

    def wait(connection: psycopg.Connection[Any], *words: Any, **options: Any) -> Any:
        return mortal.wait(connection, *words, **options)  # a function, so that it becomes a method

    with patch.object(psycopg.Connection, "wait", wait):
        try:
            yield mortal
        except Died:
            if not whole:
                raise
