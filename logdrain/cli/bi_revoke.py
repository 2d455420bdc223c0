"""`logdrain bi:revoke ROLE [--result NAME]`."""

import argparse
import os

from logdrain.cli import servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain bi:revoke metabase --result heroku_db"
    parser.add_argument("role", help="a role of the result's Postgres")
    parser.add_argument(
        "--result", default="", metavar="NAME", help="this result only (default: all schedules')"
    )
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Take reading back."""
    from logdrain.bootstrap import open_ledger
    from logdrain.pipeline.readers import change_readers
    from logdrain.results.postgres_readers import revoke

    with open_ledger(servers.settings(arguments)) as ledger:
        tables = change_readers(revoke, arguments.role, ledger, os.environ, result=arguments.result)
    for table in tables:
        print(f"{arguments.role} may no longer read {table}")
    print("It is given no table that comes, either.")
    return 0
