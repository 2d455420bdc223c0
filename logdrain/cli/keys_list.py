"""`logdrain keys:list`."""

import argparse
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_rows

_HEADINGS = ("id", "name", "scope", "source", "created", "revoked")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the keys of Postgres and those of LOGDRAIN_KEYS; a secret cannot be shown again."""
    from logdrain.bootstrap import open_keys

    settings = servers.settings(arguments)
    rows: list[tuple[object, ...]] = [
        (None, key.name, key.scope.value, "environment", None, None) for key in settings.keys
    ]
    if settings.database_url or not rows:
        with open_keys(settings) as keys:
            rows += [
                (key.id, key.name, key.scope.value, "postgres", key.created_at, key.revoked_at)
                for key in keys.every()
            ]
    print_rows(_HEADINGS, rows, sys.stdout, as_json=arguments.format == "json")
    return 0
