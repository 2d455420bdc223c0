"""`logdrain result:delete NAME`."""

import argparse
import sys

from logdrain.cli import servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the result")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Forget a result."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        ledger.delete_result(arguments.name)
        users = [
            item.schedule.name
            for item in ledger.schedules()
            if item.schedule.result.startswith(f"{arguments.name}:")
        ]
    if users:
        sys.stderr.write(f"warning: these schedules write to it, and fail from now on: {', '.join(users)}\n")
    print(f"Result '{arguments.name}' is deleted; its tables stay.")
    return 0
