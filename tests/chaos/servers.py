"""MongoDB and Postgres as they are hurt: the sandbox's servers, alone or as a replica set."""

import asyncio
import contextlib
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pymongo
from pymongo.errors import PyMongoError

from logdrain.errors import LogdrainError, NotRunning
from logdrain.sandbox.folder_port import LOOPBACK, is_free, remember_port
from logdrain.sandbox.folder_private import make_private_folder
from logdrain.sandbox.mongo_server import MongoServer
from logdrain.sandbox.process_server import SandboxServer
from tests.chaos.programs import signal_tree

_WITHIN_S = 60.0
_LOOK_S = 0.05
_SET_NAME = "chaos"
# Below the range that the kernel gives to outgoing connections: a restart finds its port free.
_PORTS = (20_000, 32_000)


def fixed_port(random: Random) -> int:
    """A port that nobody takes while its server is down."""
    while not is_free(port := random.randrange(*_PORTS)):
        pass
    return port


def give_port(server: SandboxServer, random: Random) -> None:
    """Let a server have the same port in all its lives."""
    make_private_folder(server.folder)
    remember_port(server.folder, fixed_port(random))


def is_running(server: SandboxServer) -> bool:
    """Whether its process is there."""
    try:
        return server.poll() is None
    except NotRunning:
        return False


def hurt(server: SandboxServer, number: signal.Signals) -> None:
    """Send a signal to a server, if it runs, and to all its processes."""
    if is_running(server):
        signal_tree(server.pid, number)


async def kill(server: SandboxServer) -> None:
    """End a server as a crash does, and wait for its end."""
    hurt(server, signal.SIGKILL)
    await asyncio.to_thread(_wait_for_end, server)


async def start(server: SandboxServer) -> None:
    """Start a server; again where remains of the one before were in its way."""
    deadline_s = time.monotonic() + _WITHIN_S
    while True:
        try:
            await asyncio.to_thread(server.start)
        except LogdrainError:
            if time.monotonic() > deadline_s:
                raise
            await asyncio.sleep(_LOOK_S)
        else:
            return


def _wait_for_end(server: SandboxServer) -> None:
    while is_running(server):
        time.sleep(_LOOK_S)


class Member(MongoServer):
    """One mongod of a replica set."""

    def _command(self, program: Path, port: int) -> list[str]:
        return [*super()._command(program, port), "--replSet", _SET_NAME, "--oplogSize", "64"]


class Mongods:
    """A mongod alone, or three as a replica set."""

    def __init__(self, servers: Sequence[MongoServer]) -> None:
        self.servers = list(servers)

    @property
    def is_replica_set(self) -> bool:
        """Whether there is a primary to change."""
        return len(self.servers) > 1

    @property
    def uri(self) -> str:
        """All of them, directly."""
        hosts = ",".join(f"{LOOPBACK}:{server.port}" for server in self.servers)
        return f"mongodb://{hosts}/logdrain" + (f"?replicaSet={_SET_NAME}" if self.is_replica_set else "")

    async def start(self) -> None:
        """Start all, and make them a set."""
        for server in self.servers:
            await start(server)
        if self.is_replica_set:
            await asyncio.to_thread(self._initiate)

    def stop(self) -> None:
        """End all; their data is not needed any more."""
        for server in self.servers:
            hurt(server, signal.SIGCONT)
            hurt(server, signal.SIGKILL)
            server.stop()

    def victim(self, random: Random) -> MongoServer:
        """The primary where one is known, mostly; else any."""
        primary = self._primary() if self.is_replica_set and random.random() < 0.8 else None
        return primary or random.choice(self.servers)

    def step_down(self) -> None:
        """Make the primary give up its office for a while."""
        primary = self._primary()
        if primary is not None:
            with contextlib.suppress(PyMongoError), self._client(primary) as client:
                client.admin.command("replSetStepDown", 5, secondaryCatchUpPeriodSecs=2, force=True)

    def _primary(self) -> MongoServer | None:
        for server in self.servers:
            with contextlib.suppress(PyMongoError, NotRunning), self._client(server) as client:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return server
        return None

    def _initiate(self) -> None:
        members = [{"_id": at, "host": f"{LOOPBACK}:{server.port}"} for at, server in enumerate(self.servers)]
        settings = {"electionTimeoutMillis": 1500, "heartbeatIntervalMillis": 300}
        with self._client(self.servers[0]) as client:
            client.admin.command(
                "replSetInitiate", {"_id": _SET_NAME, "members": members, "settings": settings}
            )
        deadline_s = time.monotonic() + _WITHIN_S
        while self._primary() is None:
            if time.monotonic() > deadline_s:
                raise TimeoutError("the replica set has no primary")
            time.sleep(_LOOK_S)

    @staticmethod
    def _client(server: MongoServer) -> "pymongo.MongoClient[dict[str, Any]]":
        return pymongo.MongoClient(
            LOOPBACK,
            server.port,
            directConnection=True,
            serverSelectionTimeoutMS=1000,
            socketTimeoutMS=8000,
        )
