"""`logdrain job:show RUN_ID`."""

import argparse
import contextlib
import sys

from logdrain.cli import servers
from logdrain.cli.job_rows import row
from logdrain.cli.output import print_facts, to_json
from logdrain.errors import UnknownSchedule
from logdrain.log import mask, printable
from logdrain.model.jobs import Run, Schedule
from logdrain.ports import Ledger


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("run", type=int, metavar="RUN", help="its number, from job:list or sched:history")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print all of a run, and the SQL of its schedule as it is now."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        show(ledger, ledger.run(arguments.run), as_json=arguments.json)
    return 0


def show(ledger: Ledger, shown: Run, *, as_json: bool) -> None:
    """Print a run."""
    schedule: Schedule | None = None
    with contextlib.suppress(UnknownSchedule):
        schedule = ledger.schedule(shown.schedule)
    facts = row(shown)
    facts["result"] = mask(schedule.result) or None if schedule else None
    facts["sql"] = schedule.sql.strip() if schedule else None
    if as_json:
        print(to_json(facts))
        return
    del facts["sql"], facts["warnings"]
    print_facts(facts, sys.stdout)
    for warning in shown.warnings:
        print(printable(f"warning: {warning}"))
    if schedule:
        print(f"\n{schedule.sql.strip()}")
