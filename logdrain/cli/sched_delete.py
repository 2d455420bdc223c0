"""`logdrain sched:delete NAME`."""

import argparse

from logdrain.cli import servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the schedule")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Forget a schedule and its history."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        ledger.delete_schedule(arguments.name)
    print(f"Schedule '{arguments.name}' is deleted; its result table stays.")
    return 0
