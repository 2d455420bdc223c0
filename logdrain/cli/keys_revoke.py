"""`logdrain keys:revoke KEY`."""

import argparse

from logdrain.cli import servers
from logdrain.errors import UnknownKey


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("key", help="its id, or its name where one valid key has it")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Revoke a key of Postgres; those of LOGDRAIN_KEYS end with the variable."""
    from logdrain.bootstrap import open_keys

    settings = servers.settings(arguments)
    try:
        with open_keys(settings) as keys:
            revoked = keys.revoke(arguments.key)
    except UnknownKey as error:
        if arguments.key in {key.name for key in settings.keys}:
            raise UnknownKey(error.message, hint="one of LOGDRAIN_KEYS is: take it out there") from error
        raise
    print(
        f"Key {revoked.id} is revoked: {revoked.scope.value} {revoked.name}. "
        f"Drains notice within {settings.keys_refresh_s:g} s."
    )
    return 0
