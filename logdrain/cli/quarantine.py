"""`logdrain quarantine`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_table, to_json
from logdrain.cli.words import count
from logdrain.model.events import DropReason

_EXCERPT_LENGTH = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    reasons = [reason.value for reason in DropReason]
    parser.add_argument(
        "--reason", choices=reasons, metavar="REASON", help=f"only this one of: {', '.join(reasons)}"
    )
    parser.add_argument(
        "-n", type=count, default=20, metavar="N", help="so many, the newest (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print JSON, one entry a line, octets as text")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the newest entries and the count of each reason."""
    from logdrain.cli.look import open_look

    reason = DropReason(arguments.reason) if arguments.reason else None
    with open_look(arguments) as look:
        entries = look.quarantine(arguments.n, reason)
        counts = look.quarantine_counts()
    headings = ("received_at", "reason", "drain", "detail", "raw")
    rows = [
        (
            entry.received_at,
            entry.item.reason.value,
            entry.item.origin.drain,
            entry.item.detail,
            entry.item.raw.decode("utf-8", "backslashreplace"),
        )
        for entry in entries
    ]
    if arguments.json:
        for row in rows:
            print(to_json(dict(zip(headings, row, strict=True))))
        return 0
    if not counts:
        print("the quarantine is empty")
        return 0
    print_table(headings, [(*row[:-1], row[-1][:_EXCERPT_LENGTH]) for row in rows], sys.stdout)
    print()
    print_table(("reason", "entries"), [(found.value, count) for found, count in counts.items()], sys.stdout)
    return 0
