"""`logdrain result:create NAME URL`."""

import argparse

from logdrain.cli import servers
from logdrain.log import mask


def add_arguments(parser: argparse.ArgumentParser) -> None:
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


def run(arguments: argparse.Namespace) -> int:
    """Keep a result; one of that name gets the new URL."""
    from logdrain.bootstrap import open_ledger
    from logdrain.results.url.target import check_name, check_url

    check_name(arguments.name)
    check_url(arguments.url)
    with open_ledger(servers.settings(arguments)) as ledger:
        ledger.create_result(arguments.name, arguments.url)
    print(f"Result '{arguments.name}' is created: {mask(arguments.url)}")
    return 0
