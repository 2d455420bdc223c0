"""`logdrain sched:pause NAME`."""

import argparse

from logdrain.cli import servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the schedule")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Hold a schedule: no slices but those asked for by hand."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        is_changed = ledger.pause_schedule(arguments.name)
    print(f"Schedule '{arguments.name}' {'is paused' if is_changed else 'was paused already'}.")
    return 0
