"""What the commands that look at the store share."""

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from logdrain.bootstrap import require
from logdrain.cli import servers
from logdrain.errors import UnknownTable, UsageError
from logdrain.events.read.look import MongoLook
from logdrain.model.events import Table
from logdrain.model.names import nearest_hint


@contextmanager
def open_look(arguments: argparse.Namespace) -> Iterator[MongoLook]:
    """The store, to look at."""
    look = MongoLook(require(servers.settings(arguments).mongodb_uri, "MONGODB_URI"))
    try:
        yield look
    finally:
        look.close()


def table_named(name: str, tables: Iterable[Table]) -> Table:
    """A table by `db.table`.

    Raises:
        UsageError: the name has no dot.
        UnknownTable: there is none of this name.
    """
    database, dot, table = name.partition(".")
    if not dot:
        raise UsageError(f"{name!r} names no table", hint="write database.table")
    found = Table(database, table)
    if found not in (known := list(tables)):
        hint = nearest_hint(name, [table.name for table in known], "`logdrain tables` lists the tables")
        raise UnknownTable(f"there is no table {name}", hint=hint)
    return found
