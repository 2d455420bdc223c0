"""`logdrain sched:result NAME [--last N]`."""

import argparse

from logdrain.cli import servers
from logdrain.cli.job_show import show
from logdrain.errors import UnknownRun, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "The rows are in the result's table; this shows how they got there."
    parser.add_argument("name", help="the schedule")
    parser.add_argument("--last", type=int, default=1, metavar="N", help="the Nth newest run (default: 1)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest run of a schedule, or an earlier one."""
    from logdrain.bootstrap import open_ledger

    if arguments.last < 1:
        raise UsageError(f"--last {arguments.last} is not a run", hint="1 is the newest")
    with open_ledger(servers.settings(arguments)) as ledger:
        runs = ledger.history(arguments.name, arguments.last)
        if len(runs) < arguments.last:
            raise UnknownRun(
                f"schedule {arguments.name!r} has {len(runs)} runs", hint="`logdrain sched:run` runs it"
            )
        show(ledger, runs[-1], as_json=arguments.json)
    return 0
