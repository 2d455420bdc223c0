"""`logdrain bi:grant ROLE [--result NAME]`."""

import argparse
import os

from logdrain.cli import servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain bi:grant metabase --result heroku_db"
    parser.add_argument("role", help="a role of the result's Postgres, made for reading")
    parser.add_argument(
        "--result", default="", metavar="NAME", help="this result only (default: all schedules')"
    )
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Let a role read."""
    from logdrain.bootstrap import open_ledger
    from logdrain.pipeline.readers import change_readers
    from logdrain.results.postgres_readers import grant

    with open_ledger(servers.settings(arguments)) as ledger:
        tables = change_readers(grant, arguments.role, ledger, os.environ, result=arguments.result)
    for table in tables:
        print(f"{arguments.role} may read {table}")
    print("Result tables that come in their schemas can be read, too.")
    return 0
