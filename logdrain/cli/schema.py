"""`logdrain schema production.pay`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_table, to_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("table", help="database.table")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print a table's fields, the BSON types seen in each, and the SQL type they read as."""
    from logdrain.bootstrap import open_source
    from logdrain.cli.look import table_named
    from logdrain.types.sql_types import column_type

    with open_source(servers.settings(arguments)) as source:
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
    if catalog.is_full:
        print("There are more fields than LOGDRAIN_FIELDS_MAX: the others read as NULL.")
    return 0
