"""`logdrain up`: everything in one command, for development and small lives."""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from urllib.parse import quote

from logdrain import log
from logdrain.cli import servers
from logdrain.config import read_settings
from logdrain.errors import DiskNearlyFull, LogdrainError, SandboxServerFailed
from logdrain.ledger.schema.migrate import migrate
from logdrain.model.keys import Scope
from logdrain.sandbox.folder_state import DataFolder, SandboxState
from logdrain.sandbox.mongo_server import MongoServer
from logdrain.sandbox.postgres_server import PostgresServer
from logdrain.sandbox.process_server import child_command
from logdrain.web.server.server import listen

_DRAIN_NAME = "app"
_LOOPBACK = ("127.0.0.1", "::1")
_THIS_MACHINE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104  # as addresses to call
_READY_WITHIN_S = 60.0
_POLL_S = 0.1
_STOP_WITHIN_S = 25.0
_RESTART_AFTER_S = 1.0

_READY = """
logdrain is ready.

  drain     {drain}
  api       {api}
  postgres  {postgres}
  mongodb   {mongodb}

Print   @[production.pay] {{"uid":123,"price":321321}}   and pipe it:   python app.py | logdrain ship
Or      heroku drains:add DRAIN_URL     (a public host instead of 127.0.0.1)
Stop    Ctrl-C
"""


def add_up_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of the command."""
    parser.epilog = (
        "MONGODB_URI and DATABASE_URL name servers to use instead of the sandbox's own.\n"
        "The data folder keeps everything between two starts."
    )
    parser.add_argument(
        "--port",
        type=servers.port_number,
        help="TCP port of the drain (default: PORT, else 8080); 0 takes a free one",
    )
    servers.add_host_argument(parser, " and ".join(_LOOPBACK))
    servers.add_data_argument(parser)


def run_up(arguments: argparse.Namespace) -> int:
    """Start all parts, say where they are, restart what dies, stop cleanly."""
    settings = read_settings(os.environ)
    hosts = arguments.host or _LOOPBACK
    port = _free_port(settings.port if arguments.port is None else arguments.port, hosts)
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with ExitStack() as stack:
        folder = stack.enter_context(DataFolder(arguments.data))
        keys = folder.keys()
        watched: list[MongoServer | PostgresServer] = []

        def started(server: MongoServer | PostgresServer, name: str) -> str:
            _say(f"starting {name} …")
            server.start()
            stack.callback(server.stop)
            watched.append(server)
            return server.uri

        # Servers of our own for those that the environment does not name.
        mongodb = settings.mongodb_uri or started(MongoServer(folder.mongodb), "MongoDB")
        postgres = settings.database_url or started(PostgresServer(folder.postgres), "Postgres")
        _say("starting the drain and a worker …")
        migrate(postgres)
        spool = os.environ.get("LOGDRAIN_SPOOL_FOLDER") or str(folder.spool)
        parts = _start_parts(stack, (hosts, port), keys, (mongodb, postgres, spool))
        address = f"{_reachable(hosts)}:{port}"
        state = SandboxState(
            pid=os.getpid(),
            port=port,
            drain=f"http://{_DRAIN_NAME}:{quote(keys[Scope.DRAIN], safe='')}@{address}/logs",
            api=f"http://{address}",
            postgres=postgres,
            mongodb=mongodb,
        )
        if not _wait_ready(state.api, parts, stopping):
            return 0
        folder.write_state(state)
        _say(_READY.format(**asdict(state)))
        while not stopping.wait(_POLL_S):
            for part in parts:
                part.revive(stopping)
            for server in watched:
                _revive_server(server, stopping)
        log.info("stopping")
    return 0


def _say(text: str) -> None:
    print(text, flush=True)  # whoever waits reads it now, also through a pipe


def _revive_server(server: MongoServer | PostgresServer, stopping: threading.Event) -> None:
    """Start it again if it has died; where that fails, too, the next round tries."""
    try:
        server.check()
    except LogdrainError as error:
        log.error("server_died", message=error.message)
        try:
            server.start()
        except SandboxServerFailed as failure:
            log.error("server_not_started", message=failure.message)
            stopping.wait(_RESTART_AFTER_S)


class _Part:
    """A command of ours as a child process that is started again when it dies."""

    def __init__(self, words: list[str], environment: dict[str, str]) -> None:
        self.name = words[0]
        self._words = words
        self._environment = environment
        self._process = self._spawn()

    def poll(self) -> int | None:
        """Exit status, or None while it runs."""
        return self._process.poll()

    def revive(self, stopping: threading.Event) -> None:
        """Start it again if it has died, not at once."""
        status = self.poll()
        if status is None:
            return
        log.error("part_died", part=self.name, status=status)
        if not stopping.wait(_RESTART_AFTER_S):
            self._process = self._spawn()

    def stop(self) -> None:
        """Ask it to end, make it end."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            log.error("part_killed", part=self.name)
            self._process.kill()
            self._process.wait()

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = child_command([sys.executable, "-m", "logdrain", *self._words], death_signal=signal.SIGTERM)
        # A session of its own: Ctrl-C reaches us, and we stop the parts in order.
        return subprocess.Popen(  # noqa: S603  # our own program
            command, env=self._environment, stdin=subprocess.DEVNULL, start_new_session=True
        )


def _start_parts(
    stack: ExitStack,
    listening: tuple[Sequence[str], int],
    keys: dict[Scope, str],
    places: tuple[str, str, str],
) -> list[_Part]:
    hosts, port = listening
    mongodb, postgres, spool = places
    ours = " ".join(f"{scope.value}:{_DRAIN_NAME}:{secret}" for scope, secret in keys.items())
    environment = {
        "LOGDRAIN_METRICS_OPEN": "1",  # a machine of one's own
        **os.environ,
        "MONGODB_URI": mongodb,
        "DATABASE_URL": postgres,
        "LOGDRAIN_SPOOL_FOLDER": spool,
        "PORT": str(port),
        "LOGDRAIN_KEYS": f"{ours} {os.environ.get('LOGDRAIN_KEYS', '')}",
    }
    serve = ["serve", *(word for host in hosts for word in ("--host", host))]
    parts = [_Part(serve, environment), _Part(["work"], environment)]
    for part in parts:
        stack.callback(part.stop)
    return parts


def _reachable(hosts: Sequence[str]) -> str:
    """The host in URLs: the first that it listens on."""
    host = hosts[0]
    return _THIS_MACHINE.get(host, f"[{host}]" if ":" in host else host)


def _wait_ready(api: str, parts: list[_Part], stopping: threading.Event) -> bool:
    """Wait until it answers; False if it shall stop before."""
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while not stopping.wait(_POLL_S):
        answer = health_of(api)
        if answer == "ready":
            return True
        for part in parts:
            if part.poll() is not None:
                raise SandboxServerFailed(
                    f"`logdrain {part.name}` ended with status {part.poll()}",
                    hint="its last lines above say why",
                )
        if time.monotonic() > deadline_s:
            raise SandboxServerFailed(f"not ready after {_READY_WITHIN_S:g} s: {answer}")
    return False


def health_of(api: str) -> str:
    """`ready` where both servers answer, whatever else is wrong; else what is said instead."""
    try:
        with urllib.request.urlopen(f"{api}/health", timeout=5) as response:  # noqa: S310  # our own address
            report = json.load(response)
        away = {name: report[name] for name in ("mongodb", "postgres") if report[name] != "ok"}
        is_ready = all(part["code"] == DiskNearlyFull.code for part in away.values())
        return "ready" if is_ready else json.dumps(away)
    except urllib.error.HTTPError as error:
        return error.read().decode("utf-8", "replace")
    except OSError as error:
        return str(error)


def _free_port(port: int, hosts: Sequence[str]) -> int:
    """The port, checked; 0 becomes a free one.

    Raises:
        PortInUse: another program listens there, or this user may not.
        UsageError: a host is no address of this machine.
    """
    listening = listen(port, hosts)
    found = int(listening[0].getsockname()[1])
    for each in listening:
        each.close()
    return found
