"""`logdrain keys:create SCOPE NAME`."""

import argparse

from logdrain.cli import servers
from logdrain.model.keys import Scope
from logdrain.sandbox.folder_state import read_state


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "example: logdrain keys:create drain shop --host my-drain.example.com"
    parser.add_argument("scope", choices=[scope.value for scope in Scope], help="what the key may do")
    parser.add_argument("name", help="tells keys apart; several may have one name")
    parser.add_argument("--host", help="public host of the drain, for the URL that is printed")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make a key; this is the only time that its secret is shown."""
    from logdrain.bootstrap import open_keys

    scope = Scope(arguments.scope)
    with open_keys(servers.settings(arguments)) as keys:
        new = keys.create(scope, arguments.name)
    print(f"Key {new.stored.id} is created: {scope.value} {new.stored.name}")
    print(f"\n  secret     {new.secret}\n             shown this once: only its SHA-256 is kept")
    if scope is Scope.DRAIN:
        scheme, host = _address(arguments)
        url = f"{scheme}://{new.stored.name}:{new.secret}@{host}/logs"
        print(f"\n  drain URL  {url}")
        if scheme == "https":  # what `logdrain up` listens on, Heroku does not reach
            print(f"             heroku drains:add {url} -a APP")
    return 0


def _address(arguments: argparse.Namespace) -> tuple[str, str]:
    """Scheme and host of the drain, as far as they are known."""
    state = read_state(arguments.data)
    if arguments.host or state is None:
        return "https", arguments.host or "HOST"
    scheme, _, host = state.api.partition("://")
    return scheme, host
