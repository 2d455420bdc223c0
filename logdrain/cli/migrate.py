"""`logdrain migrate`: the ledger's tables."""

import argparse

from logdrain.cli import servers
from logdrain.errors import NotRunning


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Apply the migrations that DATABASE_URL has not had yet."""
    from logdrain.ledger.schema.migrate import migrate

    url = servers.settings(arguments).database_url
    if not url:
        raise NotRunning("DATABASE_URL is not set", hint="it names the Postgres that keeps the ledger")
    applied = migrate(url)
    print(f"{applied} migrations applied" if applied else "up to date")
    return 0
