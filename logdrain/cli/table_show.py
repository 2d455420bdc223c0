"""`logdrain table:show DATABASE TABLE`."""

import argparse

from logdrain.cli import schema, servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("database", help="the first half of the tag")
    parser.add_argument("table", help="the second half")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a table's fields, as `logdrain schema DATABASE.TABLE` does."""
    arguments.table = f"{arguments.database}.{arguments.table}"
    return schema.run(arguments)
