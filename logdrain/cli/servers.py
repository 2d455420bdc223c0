"""`logdrain serve`, `work`, `migrate` and `urls`; where every command finds its servers."""

import argparse
import dataclasses
import json
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from logdrain import log
from logdrain.config import Settings, read_settings, unknown_settings
from logdrain.errors import NotRunning, UsageError
from logdrain.log import mask
from logdrain.sandbox.folder_state import SandboxState, read_keys, read_state

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


def settings_of(arguments: argparse.Namespace) -> Settings:
    """Settings from the environment; servers that it does not name are those of a running `logdrain up`.

    Raises:
        ConfigError: a setting is wrong.
    """
    environment: Mapping[str, str] = os.environ
    state = read_state(arguments.data)
    if state is not None:
        found = {"MONGODB_URI": state.mongodb, "DATABASE_URL": state.postgres}
        environment = found | {name: value for name, value in os.environ.items() if value}
    for warning in unknown_settings(environment):
        sys.stderr.write(f"warning: {warning}\n")
    return read_settings(environment)


def port_number(text: str) -> int:
    """A TCP port, for argparse; 0 takes a free one."""
    if not (text.isascii() and text.isdigit() and int(text) <= _PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: a whole number from 0 to {_PORT_MAX}")
    return int(text)


def add_host_argument(parser: argparse.ArgumentParser, default: str) -> None:
    """Declare `--host HOST`, once or several times."""
    parser.add_argument(
        "--host",
        action="append",
        help=f"address to listen on; may be repeated (default: {default})",
    )


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


def add_serve_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "Needs MONGODB_URI, and keys: in LOGDRAIN_KEYS, or in the Postgres of DATABASE_URL (keys:create).\n"
        "With DATABASE_URL, /metrics tells of runs, and /health of Postgres."
    )
    parser.add_argument("--port", type=port_number, help="TCP port (default: PORT, else 8080)")
    add_host_argument(parser, "all, IPv4 and IPv6")
    add_data_argument(parser)


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT."""
    from logdrain.web.serve import serve
    from logdrain.web.server.server import ALL_INTERFACES

    settings = settings_of(arguments)
    if arguments.port is not None:
        settings = dataclasses.replace(settings, port=arguments.port)
    serve(settings, arguments.host or ALL_INTERFACES)
    return 0


def add_work_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = "Any number of workers may run. SIGTERM: the slices under way are finished first."
    add_data_argument(parser)


def run_work(arguments: argparse.Namespace) -> int:
    """Load the job files, then run slices until SIGTERM or SIGINT."""
    from logdrain.cli.jobs import load_at_start
    from logdrain.worker.loop import Worker
    from logdrain.worker.parts import open_worker_parts

    settings = settings_of(arguments)
    with open_worker_parts(settings) as parts:
        worker = Worker(
            parts.ledger.slices,
            parts.runner.run,
            parts.ledger.clock,
            lease_s=settings.lease_s,
            chores=parts.chores,
            when_idle=parts.runner.close_idle,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: worker.stop())

        def begin() -> None:
            parts.ledger.slices.identity()  # before anything else: is the ledger there?
            load_at_start(Path(settings.jobs_folder), parts.ledger.schedules, parts.ledger.clock.now())
            log.info("working", threads=settings.worker_threads)

        worker.once_there(begin)
        worker.run_forever(settings.worker_threads)
    log.info("stopped")
    return 0


def add_migrate_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    add_data_argument(parser)


def run_migrate(arguments: argparse.Namespace) -> int:
    """Apply the migrations that DATABASE_URL has not had yet."""
    from logdrain.ledger.schema.migrate import migrate

    url = settings_of(arguments).database_url
    if not url:
        raise NotRunning("DATABASE_URL is not set", hint="it names the Postgres that keeps the ledger")
    applied = migrate(url)
    print(f"{applied} migrations applied" if applied else "up to date")
    return 0


_WHICH = ("drain", "api", "postgres", "mongodb")


def add_urls_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = 'example: psql "$(logdrain urls postgres)"'
    parser.add_argument("which", nargs="?", choices=_WHICH, help="print this URL only, with its password")
    parser.add_argument("--json", action="store_true", help="print all of them, and the keys, as JSON")
    add_data_argument(parser)


def run_urls(arguments: argparse.Namespace) -> int:
    """Print the URLs of a running `logdrain up`, or those that the environment names."""
    if arguments.which and arguments.json:
        raise UsageError("--json prints all URLs", hint="leave out the name, or --json")
    state = read_state(arguments.data)
    found = _from_state(state) if state else _from_environment()
    if arguments.which:
        if arguments.which not in found:
            running(arguments)
            raise NotRunning(f"there is no {arguments.which} URL")
        print(found[arguments.which])
    elif arguments.json:
        keys = read_keys(arguments.data) if state else None
        document = {name: found.get(name) for name in _WHICH}
        named = {scope.value: key for scope, key in (keys or {}).items()}
        print(json.dumps({**document, "keys": named}, indent=2))
    else:
        if not found:
            running(arguments)
        from logdrain.cli.output import print_facts  # what `ship` imports needs no other package

        print_facts({name: mask(url) for name, url in found.items()}, sys.stdout)
    return 0


def _from_state(state: SandboxState) -> dict[str, str]:
    return {"drain": state.drain, "api": state.api, "postgres": state.postgres, "mongodb": state.mongodb}


def _from_environment() -> dict[str, str]:
    named = {"postgres": "DATABASE_URL", "mongodb": "MONGODB_URI"}
    return {name: os.environ[variable] for name, variable in named.items() if os.environ.get(variable)}
