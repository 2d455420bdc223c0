"""`logdrain job:kill RUN_ID`."""

import argparse

from logdrain.cli import servers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "Its slice is not tried again; `logdrain sched:run` runs it."
    parser.add_argument("run", type=int, metavar="RUN", help="its number, from job:list or sched:history")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """End a run: its worker stops it within seconds, and nothing of it is written."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        is_asked = ledger.kill(arguments.run)
    if is_asked:
        print(f"Run {arguments.run} is asked to end; `logdrain job:show {arguments.run}` tells when it has.")
    else:
        print(f"Run {arguments.run} had failed; it is not tried again.")
    return 0
