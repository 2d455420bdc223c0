"""`logdrain tables`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print each table with its count, its size and the time it spans."""
    from logdrain.cli.look import open_look

    with open_look(arguments) as look:
        rows = [look.facts(table) for table in look.tables()]
    listed = [(row.table.name, row.events, row.size_bytes, row.first_time, row.last_time) for row in rows]
    headings = ("table", "events", "size_bytes", "first_time", "last_time")
    if listed or arguments.json:
        print_rows(headings, listed, sys.stdout, as_json=arguments.json)
    else:
        print('no events yet: print @[database.table] {"key":"value"} into `logdrain ship`')
    return 0
