"""`logdrain db:list`."""

import argparse
import sys
from itertools import groupby

from logdrain.cli import servers
from logdrain.cli.output import print_rows


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print each database with the number of its tables."""
    from logdrain.cli.look import open_look

    with open_look(arguments) as look:
        tables = sorted(look.tables())
    rows = [(name, len(list(group))) for name, group in groupby(tables, key=lambda table: table.database)]
    headings = ("database", "tables")
    print_rows(headings, rows, sys.stdout, as_json=arguments.json)
    return 0
