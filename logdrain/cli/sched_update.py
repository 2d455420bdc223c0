"""`logdrain sched:update NAME [-n NEW] [-s CRON] [-q QUERY] …`."""

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

from logdrain.cli import servers
from logdrain.cli.sched_options import add_changeable, given
from logdrain.cli.sql_text import read_sql
from logdrain.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "What is not given stays as it is; the defaults are those of sched:create.\n"
        "Slices that have run stay, too: `sched:run` runs them with the new query.\n"
        "example: logdrain sched:update pay_hourly -s '*/30 * * * *' -D 120"
    )
    parser.add_argument("name", help="the schedule")
    parser.add_argument("-n", "--newname", metavar="NEW", help="another name")
    parser.add_argument(
        "-s", "--schedule", metavar="CRON", help="another cron expression; '' never runs by itself"
    )
    parser.add_argument(
        "-q", "--query", metavar="QUERY", help="a file with the SQL, the SQL itself, or - for STDIN"
    )
    parser.add_argument("-d", "--database", help="where table names without a database live")
    parser.add_argument("-T", "--type", choices=["trino", "presto", "hive"], help="the SQL dialect")
    add_changeable(parser)
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Change a schedule; all that can be checked now is checked now."""
    from logdrain.bootstrap import open_ledger, open_queries
    from logdrain.worker.slices import check_schedule

    fields = _fields(arguments)
    if not fields:
        raise UsageError(
            "nothing to change was given", hint="`logdrain sched:update --help` tells what there is"
        )
    settings = servers.settings(arguments)
    with open_ledger(settings) as ledger, open_queries(settings) as queries:
        now = ledger.now()
        schedule = dataclasses.replace(ledger.schedule(arguments.name), **fields)
        checked = check_schedule(schedule, ledger, queries, now, result_folder=settings.result_folder)
        ledger.update_schedule(arguments.name, schedule, now)
    for warning in checked.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    print(f"Schedule '{schedule.name}' is updated.")
    return 0


def _fields(arguments: argparse.Namespace) -> dict[str, Any]:
    from logdrain.jobs.schedule_names import check_schedule_name
    from logdrain.model.plans import Dialect

    if arguments.newname is not None:
        check_schedule_name(arguments.newname)
    fields = given(arguments)
    named = {"name": arguments.newname, "cron": arguments.schedule, "database": arguments.database}
    fields |= {name: value for name, value in named.items() if value is not None}
    if arguments.type is not None:
        fields["dialect"] = Dialect.HIVE if arguments.type == "hive" else Dialect.TRINO
    if arguments.query is not None:
        fields["sql"] = _sql(arguments.query)
    return fields


def _sql(text: str) -> str:
    """The SQL itself, as td takes it here, or a file, as in `sched:create`: few paths have white space."""
    if text == "-":
        return read_sql(None)
    if any(char.isspace() for char in text.strip()) and not Path(text.splitlines()[0][:255]).is_file():
        return text
    return read_sql(Path(text))
