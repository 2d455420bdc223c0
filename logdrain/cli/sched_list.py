"""`logdrain sched:list`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_table
from logdrain.log import mask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the schedules and when each runs next."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        rows = [
            (
                item.name,
                item.cron,
                item.timezone,
                item.delay_s,
                item.priority,
                item.database,
                mask(item.result),
                following,
                paused_at,
                item.source,
            )
            for item, following, paused_at in ledger.schedules()
        ]
    headings = (
        "name",
        "cron",
        "timezone",
        "delay_s",
        "priority",
        "database",
        "result",
        "next_scheduled_at",
        "paused_at",
        "source",
    )
    print_table(headings, rows, sys.stdout)
    return 0
