"""`logdrain sched:history NAME`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.job_rows import notes, row, waits_lines
from logdrain.cli.output import print_table, to_json
from logdrain.cli.words import count

_HEADINGS = (
    "run",
    "scheduled_at",
    "cause",
    "attempt",
    "state",
    "late_start_s",
    "seconds",
    "rows_read",
    "bytes_read",
    "rows_written",
    "error",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the schedule")
    parser.add_argument("max", nargs="?", type=count, default=20, help="so many runs (default: 20)")
    parser.add_argument(
        "-p", "--page", type=count, default=0, metavar="N", help="skip so many pages of max runs"
    )
    parser.add_argument("-s", "--skip", type=count, default=0, metavar="N", help="skip so many runs")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest runs, newest first, with errors and what to do about them."""
    from logdrain.bootstrap import open_ledger

    skipped = arguments.page * arguments.max + arguments.skip
    with open_ledger(servers.settings(arguments)) as ledger:
        runs = ledger.history(arguments.name, skipped + arguments.max)[skipped:]
        waits = ledger.waits(arguments.name)
    rows = [row(item) for item in runs]
    if arguments.json:
        print(to_json(rows))
        return 0
    print_table(_HEADINGS, [[item[name] for name in _HEADINGS] for item in rows], sys.stdout)
    for note in (*waits_lines(waits), *notes(runs)):
        print(note)
    return 0
