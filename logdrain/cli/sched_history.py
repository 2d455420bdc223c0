"""`logdrain sched:history NAME`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_table, to_json
from logdrain.model.jobs import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name")
    parser.add_argument("max", nargs="?", type=int, default=20, help="so many runs (default: 20)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest runs, newest first, with errors and what to do about them."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        runs = ledger.history(arguments.name, arguments.max)
    rows = [_row(item) for item in runs]
    if arguments.json:
        print(to_json(rows))
        return 0
    headings = (
        "run",
        "scheduled_at",
        "cause",
        "attempt",
        "state",
        "seconds",
        "rows_read",
        "rows_written",
        "error",
    )
    print_table(headings, [[row[name] for name in headings] for row in rows], sys.stdout)
    notes = dict.fromkeys(f"hint: {item.error_hint}" for item in runs if item.error_hint)
    notes |= dict.fromkeys(f"warning: {warning}" for item in runs for warning in item.warnings)
    for note in notes:
        print(note)
    return 0


def _row(item: Run) -> dict[str, object]:
    seconds = None if item.finished_at is None else (item.finished_at - item.started_at).total_seconds()
    return {
        "run": item.run_id,
        "scheduled_at": item.scheduled_at,
        "cause": item.cause.value,
        "attempt": item.attempt,
        "state": item.state.value,
        "started_at": item.started_at,
        "seconds": None if seconds is None else round(seconds, 3),
        "rows_read": item.rows_read,
        "rows_written": item.rows_written,
        "warnings": list(item.warnings),
        "error": f"{item.error_code}: {item.error_message}" if item.error_code else None,
        "hint": item.error_hint or None,
    }
