"""`logdrain tables`, `schema`, `table:…`, `db:list`, `tail`, `quarantine`: what is in MongoDB."""

import argparse
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby

from logdrain.bootstrap import require
from logdrain.cli import servers
from logdrain.cli.output import print_rows, print_table, to_json
from logdrain.cli.words import count
from logdrain.errors import UnknownTable, UsageError
from logdrain.events.read.look import MongoLook, StoredEvent
from logdrain.model.events import DropReason, Table
from logdrain.model.names import nearest_hint


@contextmanager
def open_look(arguments: argparse.Namespace) -> Iterator[MongoLook]:
    """The store, to look at."""
    look = MongoLook(require(servers.settings_of(arguments).mongodb_uri, "MONGODB_URI"))
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


def add_tables_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_tables(arguments: argparse.Namespace) -> int:
    """Print each table with its count, its size and the time it spans."""
    with open_look(arguments) as look:
        rows = [look.facts(table) for table in look.tables()]
    listed = [(row.table.name, row.events, row.size_bytes, row.first_time, row.last_time) for row in rows]
    headings = ("table", "events", "size_bytes", "first_time", "last_time")
    if listed or arguments.json:
        print_rows(headings, listed, sys.stdout, as_json=arguments.json)
    else:
        print('no events yet: print @[database.table] {"key":"value"} into `logdrain ship`')
    return 0


def add_schema_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("table", help="database.table")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_schema(arguments: argparse.Namespace) -> int:
    """Print a table's fields, the BSON types seen in each, and the SQL type they read as."""
    from logdrain.bootstrap.events import open_source
    from logdrain.types.sql_types import column_type

    with open_source(servers.settings_of(arguments)) as source:
        catalog = source.catalog(table_named(arguments.table, source.tables()))
    rows = [
        (".".join(path), ", ".join(sorted(kinds)), str(column_type(catalog, path)))
        for path, kinds in sorted(catalog.fields.items())
    ]
    headings = ("field", "seen", "sql_type")
    if arguments.json:
        print(to_json([dict(zip(headings, row, strict=True)) for row in rows]))
        return 0
    print_table(headings, [("time", "date", "BIGINT"), ("_time", "date", "TIMESTAMPTZ"), *rows], sys.stdout)
    if catalog.has_times_without_zone:
        print("Of some events the `time` has no zone: the frame's timestamp counts, `time_` has the text.")
    if catalog.is_full:
        print("There are more fields than LOGDRAIN_FIELDS_MAX: the others read as NULL.")
    return 0


def add_db_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_db_list(arguments: argparse.Namespace) -> int:
    """Print each database with the number of its tables."""
    with open_look(arguments) as look:
        tables = sorted(look.tables())
    rows = [(name, len(list(group))) for name, group in groupby(tables, key=lambda table: table.database)]
    headings = ("database", "tables")
    print_rows(headings, rows, sys.stdout, as_json=arguments.json)
    return 0


def add_table_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("database", nargs="?", help="only its tables")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_table_list(arguments: argparse.Namespace) -> int:
    """Print tables with their counts, sizes and the time they span."""
    with open_look(arguments) as look:
        tables = look.tables()
        databases = {table.database for table in tables}
        if arguments.database and arguments.database not in databases:
            hint = nearest_hint(arguments.database, databases, "`logdrain db:list` lists the databases")
            raise UnknownTable(f"there is no database {arguments.database}", hint=hint)
        wanted = [table for table in tables if arguments.database in (None, table.database)]
        facts = [look.facts(table) for table in wanted]
    rows = [
        (fact.table.database, fact.table.table, fact.events, fact.size_bytes, fact.first_time, fact.last_time)
        for fact in facts
    ]
    headings = ("database", "table", "events", "size_bytes", "first_time", "last_time")
    print_rows(headings, rows, sys.stdout, as_json=arguments.json)
    return 0


def add_table_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("database", help="the first half of the tag")
    parser.add_argument("table", help="the second half")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run_table_show(arguments: argparse.Namespace) -> int:
    """Print a table's fields, as `logdrain schema DATABASE.TABLE` does."""
    arguments.table = f"{arguments.database}.{arguments.table}"
    return run_schema(arguments)


_POLL_S = 1.0
_BURST_MAX = 1000
# Events come out of order: what is a little older than the newest one shown may be new.
_LOOK_BACK_MS = 60_000


def add_tail_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "Newest by event time: events that carry an old time of their own are not shown as they come."
    )
    parser.add_argument("table", nargs="?", help="database.table (default: all tables)")
    parser.add_argument(
        "-n", type=count, default=10, metavar="N", help="start with so many (default: %(default)s)"
    )
    parser.add_argument("--once", action="store_true", help="do not wait for more")
    servers.add_data_argument(parser)


def run_tail(arguments: argparse.Namespace) -> int:
    """Print the newest events as the lines they came from, until Ctrl-C."""
    with open_look(arguments) as look:

        def newest(count: int, after: bytes | None = None) -> list[StoredEvent]:
            tables = look.tables()
            chosen = [table_named(arguments.table, tables)] if arguments.table else tables
            return look.newest(chosen, count, after)

        _print(newest(arguments.n))
        after = _some_time_before([])
        seen = {event.id for event in newest(_BURST_MAX, after)}
        while not arguments.once:
            time.sleep(_POLL_S)
            found = newest(_BURST_MAX, after)
            _print([event for event in found if event.id not in seen])
            after = _some_time_before(found)
            seen = {event.id for event in found if event.id > after}
    return 0


def _some_time_before(events: Sequence[StoredEvent]) -> bytes:
    """An id a little older than the newest event that is not from the future, or than now."""
    now_ms = int(time.time() * 1000)
    newest_ms = max((event.time_ms for event in events if event.time_ms <= now_ms), default=now_ms)
    return max(0, newest_ms - _LOOK_BACK_MS).to_bytes(6, "big") + bytes(10)


def _print(events: Sequence[StoredEvent]) -> None:
    for event in events:
        moment = datetime.fromtimestamp(event.time_ms / 1000, UTC).isoformat(timespec="milliseconds")
        print(f"{moment.replace('+00:00', 'Z')} @[{event.table.name}] {to_json(event.record)}", flush=True)


_EXCERPT_LENGTH = 80


def add_quarantine_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    reasons = [reason.value for reason in DropReason]
    parser.add_argument(
        "--reason", choices=reasons, metavar="REASON", help=f"only this one of: {', '.join(reasons)}"
    )
    parser.add_argument("--near", action="store_true", help="lines that are nearly tagged lines instead")
    parser.add_argument(
        "-n", type=count, default=20, metavar="N", help="so many, the newest (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one entry a line, octets as text")
    servers.add_data_argument(parser)


def run_quarantine(arguments: argparse.Namespace) -> int:
    """Print the newest entries and the count of each reason."""
    if arguments.near and arguments.reason:
        raise UsageError("--reason chooses among quarantine entries", hint="leave out --reason, or --near")
    reason = DropReason(arguments.reason) if arguments.reason else None
    with open_look(arguments) as look:
        entries = look.near_misses(arguments.n) if arguments.near else look.quarantine(arguments.n, reason)
        counts = {} if arguments.near else look.quarantine_counts()
    headings = ("received_at", "reason", "drain", "detail", "raw")
    rows = [
        (
            entry.received_at,
            entry.item.reason.value,
            entry.item.origin.drain,
            entry.item.detail,
            entry.item.raw.decode("utf-8", "backslashreplace"),
        )
        for entry in entries
    ]
    if arguments.json:
        for row in rows:
            print(to_json(dict(zip(headings, row, strict=True))))
        return 0
    if not counts and not rows:
        print("there are no near misses" if arguments.near else "the quarantine is empty")
        return 0
    print_table(headings, [(*row[:-1], row[-1][:_EXCERPT_LENGTH]) for row in rows], sys.stdout)
    if counts:
        print()
        print_table(("reason", "entries"), list(counts.items()), sys.stdout)
    return 0
