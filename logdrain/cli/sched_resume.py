"""`logdrain sched:resume NAME`."""

import argparse

from logdrain.cli import servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the schedule")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Let a paused schedule go on; what it missed is made up by its catch-up rule."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        is_changed = ledger.resume_schedule(arguments.name)
    print(f"Schedule '{arguments.name}' {'goes on' if is_changed else 'was not paused'}.")
    return 0
