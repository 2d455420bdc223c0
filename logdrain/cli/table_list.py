"""`logdrain table:list [DATABASE]`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_rows
from logdrain.errors import UnknownTable
from logdrain.model.names import nearest_hint


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("database", nargs="?", help="only its tables")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print tables with their counts, sizes and the time they span."""
    from logdrain.cli.look import open_look

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
