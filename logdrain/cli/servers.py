"""Where commands find their servers: the environment, else a running `logdrain up`."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from logdrain.config import Settings, read_settings
from logdrain.errors import NotRunning
from logdrain.sandbox.folder_state import SandboxState, read_state

DEFAULT_FOLDER = ".logdrain"
_PORT_MAX = 65_535


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--data FOLDER`."""
    parser.add_argument(
        "--data",
        type=Path,
        default=Path(DEFAULT_FOLDER),
        metavar="FOLDER",
        help="data folder of `logdrain up` (default: %(default)s), used where MONGODB_URI "
        "and DATABASE_URL are not set",
    )


def settings(arguments: argparse.Namespace) -> Settings:
    """Settings from the environment; servers that it does not name are those of a running `logdrain up`.

    Raises:
        ConfigError: a setting is wrong.
    """
    environment: Mapping[str, str] = os.environ
    state = read_state(arguments.data)
    if state is not None:
        found = {"MONGODB_URI": state.mongodb, "DATABASE_URL": state.postgres}
        environment = found | {name: value for name, value in os.environ.items() if value}
    return read_settings(environment)


def port_number(text: str) -> int:
    """A TCP port, for argparse; 0 takes a free one."""
    if not (text.isascii() and text.isdigit() and int(text) <= _PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a whole number from 0 to {_PORT_MAX}")
    return int(text)


def running(arguments: argparse.Namespace) -> SandboxState:
    """What runs in the data folder.

    Raises:
        NotRunning: nothing does.
    """
    state = read_state(arguments.data)
    if state is None:
        raise NotRunning(
            f"no `logdrain up` runs on the data folder {arguments.data}",
            hint="start it, or name its folder with --data",
        )
    return state


def drain_url(arguments: argparse.Namespace) -> str:
    """The drain URL of a running `logdrain up`, with its key.

    Raises:
        NotRunning: nothing runs there.
    """
    return running(arguments).drain
