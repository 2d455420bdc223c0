"""What bi:grant and bi:revoke share."""

import argparse
import os

from logdrain.cli import servers
from logdrain.cli.readers import Change, change_readers


def add_role_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare who reads, and what."""
    parser.add_argument("role", help="a role of the result's Postgres, made for reading")
    parser.add_argument(
        "--result", default="", metavar="NAME", help="this result only (default: all schedules')"
    )
    servers.add_data_argument(parser)


def change_tables(arguments: argparse.Namespace, change: Change) -> list[str]:
    """Grant or revoke; returns the tables that it was done for."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        return change_readers(change, arguments.role, ledger, os.environ, result=arguments.result)
