"""`logdrain sched:create NAME CRON -d DB [--result NAME:table] SQL`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.result_user import add_user_arguments, with_user
from logdrain.cli.sched_options import add_changeable, given
from logdrain.cli.sql_text import add_text_arguments, dialect_of, sql_of
from logdrain.model.jobs import Schedule


def add_arguments(parser: argparse.ArgumentParser) -> None:
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
    add_user_arguments(parser)
    parser.add_argument(
        "--engine-version", metavar="VERSION", help="taken as td takes it; there is one engine"
    )
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Keep a schedule; all that can be checked now is checked now."""
    from logdrain.bootstrap import open_ledger, open_queries
    from logdrain.jobs.schedule_names import check_schedule_name
    from logdrain.worker.slices import check_schedule

    check_schedule_name(arguments.name)
    fields = {"timezone": "UTC", "delay_s": 0, **given(arguments)}
    fields["result"] = with_user(fields.get("result", ""), arguments)
    schedule = Schedule(
        name=arguments.name,
        cron=arguments.cron,
        database=arguments.database,
        sql=sql_of(arguments),
        dialect=dialect_of(arguments),
        **fields,
    )
    settings = servers.settings(arguments)
    with open_ledger(settings) as ledger, open_queries(settings) as queries:
        now = ledger.now()
        checked = check_schedule(schedule, ledger, queries, now, result_folder=settings.result_folder)
        ledger.create_schedule(schedule, now)
    for warning in checked.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    starts = (
        "It never runs by itself"
        if checked.first is None
        else f"It starts at {checked.first:%Y-%m-%d %H:%M:%S} UTC"
    )
    print(f"Schedule '{schedule.name}' is created. {starts}.")
    return 0
