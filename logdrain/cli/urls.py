"""`logdrain urls [WHICH] [--json]`."""

import argparse
import json
import os
import sys

from logdrain.cli import servers
from logdrain.cli.output import print_facts
from logdrain.errors import NotRunning, UsageError
from logdrain.log import mask
from logdrain.sandbox.folder_state import SandboxState, read_keys, read_state

_WHICH = ("drain", "api", "postgres", "mongodb")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = 'example: psql "$(logdrain urls postgres)"'
    parser.add_argument("which", nargs="?", choices=_WHICH, help="print this URL only, with its password")
    parser.add_argument("--json", action="store_true", help="print all of them, and the keys, as JSON")
    servers.add_data_argument(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the URLs of a running `logdrain up`, or those that the environment names."""
    if arguments.which and arguments.json:
        raise UsageError("--json prints all URLs", hint="leave out the name, or --json")
    state = read_state(arguments.data)
    found = _from_state(state) if state else _from_environment()
    if arguments.which:
        if arguments.which not in found:
            servers.running(arguments)
            raise NotRunning(f"there is no {arguments.which} URL")
        print(found[arguments.which])
    elif arguments.json:
        keys = read_keys(arguments.data) if state else None
        document = {name: found.get(name) for name in _WHICH}
        named = {scope.value: key for scope, key in (keys or {}).items()}
        print(json.dumps({**document, "keys": named}, indent=2))
    else:
        if not found:
            servers.running(arguments)
        print_facts({name: mask(url) for name, url in found.items()}, sys.stdout)
    return 0


def _from_state(state: SandboxState) -> dict[str, str]:
    return {"drain": state.drain, "api": state.api, "postgres": state.postgres, "mongodb": state.mongodb}


def _from_environment() -> dict[str, str]:
    named = {"postgres": "DATABASE_URL", "mongodb": "MONGODB_URI"}
    return {name: os.environ[variable] for name, variable in named.items() if os.environ.get(variable)}
