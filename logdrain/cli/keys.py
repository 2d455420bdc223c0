"""`logdrain keys:…`: keys for drains, readers and administrators."""

import argparse
import re
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_rows
from logdrain.errors import UnknownKey
from logdrain.model.keys import Scope
from logdrain.sandbox.folder_state import read_state

_LOCAL = re.compile(r"(?:localhost|127\.[0-9.]+|\[::1\])(?::|/|\Z)")


def add_keys_create_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain keys:create drain shop --host my-drain.example.com"
    parser.add_argument("scope", choices=[scope.value for scope in Scope], help="what the key may do")
    parser.add_argument("name", help="tells keys apart; several may have one name")
    parser.add_argument("--host", help="host of the drain, for the URL that is printed")
    servers.add_data_argument(parser)


def run_keys_create(arguments: argparse.Namespace) -> int:
    """Make a key; this is the only time that its secret is shown."""
    from logdrain.bootstrap.keys import open_keys

    scope = Scope(arguments.scope)
    with open_keys(servers.settings_of(arguments)) as keys:
        new = keys.create(scope, arguments.name)
    print(f"Key {new.stored.id} is created: {scope.value} {new.stored.name}")
    print(f"\n  secret     {new.secret}\n             shown this once: only its SHA-256 is kept")
    if scope is Scope.DRAIN:
        scheme, host = drain_address(arguments)
        url = f"{scheme}://{new.stored.name}:{new.secret}@{host}/logs"
        print(f"\n  drain URL  {url}")
        if scheme == "https":  # what `logdrain up` listens on, Heroku does not reach
            print(f"             heroku drains:add {url} -a APP")
    return 0


def drain_address(arguments: argparse.Namespace) -> tuple[str, str]:
    """Scheme and host of the drain, as far as they are known."""
    state = read_state(arguments.data)
    if arguments.host or state is None:
        named = arguments.host or "HOST"
        default = "http" if _LOCAL.match(named) else "https"
        address = named if "://" in named else f"{default}://{named}"
    else:
        address = state.api
    scheme, _, host = address.partition("://")
    return scheme, host.rstrip("/")


_HEADINGS = ("id", "name", "scope", "source", "created", "revoked")


def add_keys_list_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    servers.add_data_argument(parser)


def run_keys_list(arguments: argparse.Namespace) -> int:
    """Print the keys of Postgres and those of LOGDRAIN_KEYS; a secret cannot be shown again."""
    from logdrain.bootstrap.keys import open_keys

    settings = servers.settings_of(arguments)
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


def add_keys_revoke_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.add_argument("key", help="its id, or its name where one valid key has it")
    servers.add_data_argument(parser)


def run_keys_revoke(arguments: argparse.Namespace) -> int:
    """Revoke a key of Postgres; those of LOGDRAIN_KEYS end with the variable."""
    from logdrain.bootstrap.keys import open_keys

    settings = servers.settings_of(arguments)
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
