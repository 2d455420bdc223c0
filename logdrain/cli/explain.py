"""`logdrain explain -d DB "SELECT …"`."""

import argparse

from logdrain.cli import servers
from logdrain.cli.sql_text import add_sql_arguments, request_of
from logdrain.log import printable


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    add_sql_arguments(parser)
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print what is read from MongoDB, what is filtered there, and what DuckDB runs."""
    from logdrain.bootstrap import open_queries

    settings = servers.settings(arguments)
    with open_queries(settings) as queries:
        print(printable(queries.explain(request_of(arguments))))
    return 0
