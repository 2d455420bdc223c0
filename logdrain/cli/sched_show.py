"""`logdrain sched:show NAME`."""

import argparse
import dataclasses
import sys
from urllib.parse import urlsplit

from logdrain.cli import servers
from logdrain.cli.job_rows import waits_lines
from logdrain.cli.output import print_facts
from logdrain.log import mask


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the schedule")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print all of a schedule, what it waits for, and its SQL or Python last."""
    from logdrain.bootstrap import open_ledger

    with open_ledger(servers.settings(arguments)) as ledger:
        fields = dataclasses.asdict(ledger.schedule(arguments.name))
        waits = ledger.waits(arguments.name)
    sql = fields.pop("sql")
    if fields["notify"]:  # the paths of webhooks are secrets
        fields["notify"] = f"{urlsplit(fields['notify']).hostname} (path not shown)"
    fields["after"] = ", ".join(fields["after"])
    fields["result"] = mask(fields["result"])
    fields["timeout_s"] = fields["timeout_s"] or None  # LOGDRAIN_QUERY_TIMEOUT_S
    print_facts(fields, sys.stdout)
    for line in waits_lines(waits):
        print(line)
    print(f"\n{sql.strip()}")
    return 0
