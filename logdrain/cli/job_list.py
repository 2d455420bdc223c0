"""`logdrain job:list`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.job_rows import notes, row
from logdrain.cli.output import print_table, to_json
from logdrain.cli.words import count
from logdrain.model.jobs import RunState

_HEADINGS = (
    "run",
    "schedule",
    "scheduled_at",
    "cause",
    "state",
    "started_at",
    "seconds",
    "rows_written",
    "error",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("max", nargs="?", type=count, default=20, help="so many runs (default: 20)")
    parser.add_argument("--state", choices=[state.value for state in RunState], help="only these")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest runs of all schedules, newest first."""
    from logdrain.bootstrap import open_ledger

    state = RunState(arguments.state) if arguments.state else None
    with open_ledger(servers.settings(arguments)) as ledger:
        runs = ledger.runs(arguments.max, state)
    rows = [row(item) for item in runs]
    if arguments.json:
        print(to_json(rows))
        return 0
    print_table(_HEADINGS, [[item[name] for name in _HEADINGS] for item in rows], sys.stdout)
    for note in notes(runs):
        print(note)
    return 0
