"""`logdrain result:…`: named places to write results to."""

import argparse
import getpass
import os
import sys
from urllib.parse import quote

from logdrain.cli import servers
from logdrain.cli.output import print_table
from logdrain.errors import UsageError
from logdrain.log import mask


def add_user_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare -u and -p."""
    parser.add_argument("-u", "--user", metavar="USER", help="the user of the result's URL")
    parser.add_argument("-p", "--password", action="store_true", help="ask for that user's password")


def with_user(result: str, arguments: argparse.Namespace) -> str:
    """The result with the user, and the password that is asked for, in its URL.

    Raises:
        UsageError: there is no URL that they could belong to, or a password without a user.
    """
    if arguments.user is None and not arguments.password:
        return result
    scheme, mark, rest = result.partition("://")
    if not mark or arguments.user is None:
        raise UsageError(
            "-u USER and -p belong to a result that is a URL",
            hint="-r postgres://HOST/DATABASE/TABLE -u USER -p; what `result:create` keeps has both",
        )
    place = rest.partition("/")[0]
    if "@" in place:
        raise UsageError("the result's URL has a user, and -u names one, too", hint="leave one of them out")
    secret = f":{quote(getpass.getpass(), safe='')}" if arguments.password else ""
    return f"{scheme}://{quote(arguments.user, safe='')}{secret}@{rest}"


def left_behind(before: str, after: str) -> str:
    """A warning where a schedule's rows go to another table from now on; else ""."""
    from logdrain.ledger.schedules import result_table

    table = result_table(before)
    if not table or table == result_table(after):
        return ""
    return f"{mask(table)} stays as it is, with the rows until now: delete it yourself when nobody reads it"


def add_time_argument(parser: argparse.ArgumentParser) -> None:
    """Declare --time."""
    parser.add_argument(
        "--time",
        choices=["timestamp", "unix", "start"],
        help="what the result's column time is: the END of its hour as a timestamp, the same in unix seconds,"
        " or its START (default: timestamp)",
    )


def with_time(result: str, time: str | None) -> str:
    """The result with this option `time`, if one is given.

    Raises:
        UsageError: there is no result that it could belong to.
    """
    if time is None:
        return result
    if not result:
        raise UsageError("--time belongs to a result", hint="-r NAME:TABLE --time start")
    place, _, options = result.partition("?")
    others = [option for option in options.split("&") if option and not option.startswith("time=")]
    return f"{place}?{'&'.join([*others, f'time={time}'])}"


def add_result_create_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "With env:NAME the worker reads the variable at each run, so that credentials can rotate.\n"
        "example: logdrain result:create heroku_db env:HEROKU_POSTGRESQL_NAVY_URL"
    )
    parser.add_argument("name", help="how schedules name it: NAME:table")
    parser.add_argument(
        "url", help="postgres://user:password@host:5432/database, file:///folder, or env:NAME"
    )
    servers.add_data_argument(parser)


def run_result_create(arguments: argparse.Namespace) -> int:
    """Keep a result; one of that name gets the new URL."""
    from logdrain.bootstrap.ledger import open_ledger
    from logdrain.results.url.target import check_name, check_url

    check_name(arguments.name)
    check_url(arguments.url)
    with open_ledger(servers.settings_of(arguments)) as ledger:
        before = dict(ledger.results.all()).get(arguments.name, arguments.url)
        ledger.results.create(arguments.name, arguments.url)
    if before != arguments.url:
        sys.stderr.write(f"warning: tables that are at {mask(before)} stay there\n")
    if reason := _unreachable(arguments.url):
        sys.stderr.write(f"warning: it cannot be reached from here: {reason}\n")
    print(f"Result '{arguments.name}' is created: {mask(arguments.url)}")
    return 0


def _unreachable(url: str) -> str:
    """Why a Postgres cannot be reached; "" where it can, or where only a worker can know."""
    from logdrain.results.postgres.target_check import connection_warning
    from logdrain.results.url.connection_url import connection_url
    from logdrain.results.url.file_url import is_file_url
    from logdrain.results.url.target import OPTIONS, variable_name

    variable = variable_name(url)
    found = os.environ.get(variable, "") if variable else url
    if not found or is_file_url(found):
        return ""
    return connection_warning(connection_url(found, ssl=False, table_options=OPTIONS))


def add_result_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    servers.add_data_argument(parser)


def run_result_list(arguments: argparse.Namespace) -> int:
    """Print the results, passwords masked."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        rows = [(name, mask(url)) for name, url in ledger.results.all()]
    print_table(("name", "url"), rows, sys.stdout)
    return 0


def add_result_delete_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("name", help="the result")
    servers.add_data_argument(parser)


def run_result_delete(arguments: argparse.Namespace) -> int:
    """Forget a result."""
    from logdrain.bootstrap.ledger import open_ledger

    with open_ledger(servers.settings_of(arguments)) as ledger:
        ledger.results.delete(arguments.name)
        users = [
            item.schedule.name
            for item in ledger.schedules.all()
            if item.schedule.result.startswith(f"{arguments.name}:")
        ]
    if users:
        sys.stderr.write(f"warning: these schedules write to it, and fail from now on: {', '.join(users)}\n")
    print(f"Result '{arguments.name}' is deleted; its tables stay.")
    return 0
