"""`logdrain sched:…`: schedules are created, changed and shown. Runs: runs.py, sched_run.py."""

import argparse
import dataclasses
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from logdrain.cli import servers
from logdrain.cli.output import print_facts, print_table, terminal_width
from logdrain.cli.results import add_time_argument, add_user_arguments, left_behind, with_time, with_user
from logdrain.cli.runs import waits_lines
from logdrain.cli.sched_options import add_changeable, given
from logdrain.cli.sql_text import add_text_arguments, dialect_of, read_sql, sql_of
from logdrain.errors import UsageError
from logdrain.log import mask
from logdrain.model.jobs import Queue, Schedule


def add_sched_create_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "example: logdrain sched:create pay_hourly '0 * * * *' -d production -D 600 \\\n"
        "  --result heroku_db:payment_history -q sql/pay_hourly.sql"
    )
    parser.add_argument("name", help="the schedule")
    parser.add_argument("cron", help="five fields, or @hourly, @daily, @monthly; '' never runs by itself")
    add_text_arguments(parser)
    parser.add_argument("-d", "--database", required=True, help="where table names without a database live")
    add_changeable(parser)
    add_time_argument(parser)
    add_user_arguments(parser)
    parser.add_argument(
        "--engine-version", metavar="VERSION", help="taken as td takes it; there is one engine"
    )
    servers.add_data_argument(parser)


def run_sched_create(arguments: argparse.Namespace) -> int:
    """Keep a schedule; all that can be checked now is checked now."""
    from logdrain.bootstrap.ledger import open_ledger
    from logdrain.bootstrap.queries import open_queries
    from logdrain.jobs.option_values import check_schedule_name
    from logdrain.worker.schedule_checks import check_for_results

    check_schedule_name(arguments.name)
    fields = {"timezone": "UTC", "delay_s": 0, **given(arguments)}
    fields["result"] = with_time(with_user(fields.get("result", ""), arguments), arguments.time)
    schedule = Schedule(
        name=arguments.name,
        cron=arguments.cron,
        database=arguments.database,
        sql=sql_of(arguments),
        dialect=dialect_of(arguments),
        **fields,
    )
    settings = servers.settings_of(arguments)
    with open_ledger(settings) as ledger, open_queries(settings) as queries:
        now = ledger.clock.now()
        checked = check_for_results(schedule, ledger, queries, settings, os.environ.get)
        ledger.schedules.create(schedule, now)
    for warning in checked.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    starts = (
        "It never runs by itself"
        if checked.first is None
        else f"It starts at {checked.first:%Y-%m-%d %H:%M:%S} UTC"
    )
    print(f"Schedule '{schedule.name}' is created. {starts}.")
    return 0


def add_sched_update_arguments(parser: argparse.ArgumentParser) -> None:
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
    add_time_argument(parser)
    servers.add_data_argument(parser)


def run_sched_update(arguments: argparse.Namespace) -> int:
    """Change a schedule; all that can be checked now is checked now."""
    from logdrain.bootstrap.ledger import open_ledger
    from logdrain.bootstrap.queries import open_queries
    from logdrain.worker.schedule_checks import check_for_results

    fields = _fields(arguments)
    if not fields and arguments.time is None:
        raise UsageError(
            "nothing to change was given", hint="`logdrain sched:update --help` tells what there is"
        )
    settings = servers.settings_of(arguments)
    with open_ledger(settings) as ledger, open_queries(settings) as queries:
        now = ledger.clock.now()
        before = ledger.schedules.get(arguments.name)
        schedule = dataclasses.replace(before, **fields)
        schedule = dataclasses.replace(schedule, result=with_time(schedule.result, arguments.time))
        checked = check_for_results(schedule, ledger, queries, settings, os.environ.get)
        ledger.schedules.update(arguments.name, schedule, now)
    for warning in filter(None, (*checked.warnings, left_behind(before.result, schedule.result))):
        sys.stderr.write(f"warning: {warning}\n")
    print(f"Schedule '{schedule.name}' is updated.")
    return 0


def _fields(arguments: argparse.Namespace) -> dict[str, Any]:
    from logdrain.jobs.option_values import check_schedule_name
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


def add_sched_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("-w", "--wide", action="store_true", help="all columns, whole, however wide")
    servers.add_data_argument(parser)


_LIST_HEADINGS = ("name", "cron", "next_scheduled_at", "queue", "result")


def run_sched_list(arguments: argparse.Namespace) -> int:
    """Print the schedules, when each runs next, and what waits and runs."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        queues = ledger.history.queues()
        rows = [
            {
                "name": item.name,
                "cron": item.cron,
                "timezone": item.timezone,
                "delay_s": item.delay_s,
                "priority": item.priority,
                "database": item.database,
                "result": mask(item.result),
                "next_scheduled_at": "paused" if paused_at and not arguments.wide else following,
                "queue": queue_text(queues.get(item.name, Queue())),
                "paused_at": paused_at,
                "source": item.source,
            }
            for item, following, paused_at in ledger.schedules.all()
        ]
    headings = _LIST_HEADINGS if not arguments.wide else tuple(rows[0]) if rows else _LIST_HEADINGS
    cells = [[row[heading] for heading in headings] for row in rows]
    print_table(headings, cells, sys.stdout, width_max=None if arguments.wide else terminal_width())
    return 0


def queue_text(queue: Queue) -> str:
    """`3 waiting, 1 running`; "" for an empty queue."""
    counts = ((queue.waiting, "waiting"), (queue.running, "running"))
    return ", ".join(f"{count} {what}" for count, what in counts if count)


def add_sched_show_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the schedule")
    servers.add_data_argument(parser)


def run_sched_show(arguments: argparse.Namespace) -> int:
    """Print all of a schedule, its queue, what it waits for, and its SQL or Python last."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        fields = dataclasses.asdict(ledger.schedules.get(arguments.name))
        waits = ledger.history.waits(arguments.name)
        queue = ledger.history.queues().get(arguments.name, Queue())
    sql = fields.pop("sql")
    if fields["notify"]:  # the paths of webhooks are secrets
        fields["notify"] = f"{urlsplit(fields['notify']).hostname} (path not shown)"
    fields["after"] = ", ".join(fields["after"])
    fields["result"] = mask(fields["result"])
    fields["timeout_s"] = fields["timeout_s"] or None  # LOGDRAIN_QUERY_TIMEOUT_S
    fields["queue"] = queue_text(queue)
    if queue.oldest_at:
        fields["queue"] += f", from {queue.oldest_at:%Y-%m-%dT%H:%M:%SZ} on"
    print_facts(fields, sys.stdout)
    for line in waits_lines(waits):
        print(line)
    print(f"\n{sql.strip()}")
    return 0


def add_sched_pause_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of sched:pause, sched:resume and sched:delete."""
    parser.add_argument("name", help="the schedule")
    servers.add_data_argument(parser)


add_sched_resume_arguments = add_sched_delete_arguments = add_sched_pause_arguments


def run_sched_pause(arguments: argparse.Namespace) -> int:
    """Hold a schedule: no slices but those asked for by hand."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        is_changed = ledger.schedules.pause(arguments.name)
    print(f"Schedule '{arguments.name}' {'is paused' if is_changed else 'was paused already'}.")
    return 0


def run_sched_resume(arguments: argparse.Namespace) -> int:
    """Let a paused schedule go on; what it missed is made up by its catch-up rule."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        is_changed = ledger.schedules.resume(arguments.name)
    print(f"Schedule '{arguments.name}' {'goes on' if is_changed else 'was not paused'}.")
    return 0


def run_sched_delete(arguments: argparse.Namespace) -> int:
    """Forget a schedule and its history."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        ledger.schedules.delete(arguments.name)
    print(f"Schedule '{arguments.name}' is deleted; its result table stays.")
    return 0
