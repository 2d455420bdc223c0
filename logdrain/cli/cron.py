"""`logdrain cron EXPR [-t TZ] [--after TIME] [-n N]`."""

import argparse
import sys
from datetime import UTC, datetime
from itertools import islice

from logdrain.cli.output import print_table, to_json
from logdrain.errors import UsageError

_COUNT_MAX = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain cron '0 2 * * *' -t America/Los_Angeles --after 2015-03-07 -n 3"
    parser.add_argument("expression", help="five fields, or @hourly, @daily, @monthly")
    parser.add_argument(
        "-t", "--timezone", default="UTC", metavar="TIMEZONE", help="IANA name (default: UTC)"
    )
    parser.add_argument("--after", metavar="TIME", help="unix seconds or a date and time (default: now)")
    parser.add_argument("-n", type=int, default=5, metavar="N", help="so many instants (default: 5)")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")


def run(arguments: argparse.Namespace) -> int:
    """Print the instants strictly after the time; json is a list of unix seconds."""
    from logdrain.jobs.cron import parse
    from logdrain.jobs.instants import read_time

    if not 1 <= arguments.n <= _COUNT_MAX:
        raise UsageError(f"-n {arguments.n} is not a number of instants", hint=f"give 1 to {_COUNT_MAX}")
    cron = parse(arguments.expression, arguments.timezone)
    after = datetime.now(UTC) if arguments.after is None else read_time(arguments.after, arguments.timezone)
    instants = list(islice(cron.iterate(after), arguments.n))
    unix = [int(instant.timestamp()) for instant in instants]
    if arguments.format == "json":
        print(to_json(unix))
        return 0
    rows = [
        (f"{instant.astimezone(cron.zone):%Y-%m-%d %H:%M:%S %a %Z}", f"{instant:%Y-%m-%d %H:%M:%S}", seconds)
        for instant, seconds in zip(instants, unix, strict=True)
    ]
    print_table(("local", "UTC", "unix"), rows, sys.stdout)
    if not rows:
        is_over = cron.next_after(datetime.fromtimestamp(0, UTC)) is not None
        sys.stderr.write(
            "it does not run after that, up to the year 9999\n" if is_over else "it never runs\n"
        )
    return 0
