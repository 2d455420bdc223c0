"""The servers of a measurement, each started for it and stopped after it."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pymongo

from bench.serve import await_ready
from logdrain.sandbox.folder_port import LOOPBACK, choose_port
from logdrain.sandbox.mongo_server import MongoServer

REPLICA_SET = "bench"
CACHE_GB = 1.0
_PRIMARY_WITHIN_S, _POLL_S = 30.0, 0.1


class ReplicaSetServer(MongoServer):
    """A replica set of one node, as hosted MongoDB has three of."""

    @property
    def uri(self) -> str:
        """See MongoServer."""
        return f"{super().uri}?replicaSet={REPLICA_SET}"

    def _command(self, program: Path, port: int) -> list[str]:
        return [*super()._command(program, port), "--replSet", REPLICA_SET]

    def initiate(self) -> None:
        """Make it primary."""
        member = {"_id": 0, "host": f"{LOOPBACK}:{self.port}"}
        with pymongo.MongoClient[dict[str, Any]](LOOPBACK, self.port, directConnection=True) as client:
            client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": [member]})
            until_s = time.monotonic() + _PRIMARY_WITHIN_S
            while not client.admin.command("hello")["isWritablePrimary"]:
                if time.monotonic() > until_s:
                    sys.exit("the replica set has no primary")
                time.sleep(_POLL_S)


@contextmanager
def mongodb(folder: Path, *, is_replica_set: bool) -> Iterator[MongoServer]:
    """A mongod: alone, or as a replica set of one."""
    kind = ReplicaSetServer if is_replica_set else MongoServer
    server = kind(folder, cache_gb=CACHE_GB)
    server.start()
    try:
        if isinstance(server, ReplicaSetServer):
            server.initiate()
        yield server
    finally:
        server.stop()


def database_uri(server: MongoServer, database: str) -> str:
    """The server's URI with another database."""
    head, _, query = server.uri.partition("?")
    return f"{head.rpartition('/')[0]}/{database}" + (f"?{query}" if query else "")


@contextmanager
def naive_drain(folder: Path, uri: str) -> Iterator[tuple[str, int]]:
    """The handler by hand: its address and pid."""
    port = choose_port(folder)
    command = [sys.executable, "-m", "bench.ingest.naive", str(port), uri]
    process = subprocess.Popen(command)  # noqa: S603  # ours
    address = f"{LOOPBACK}:{port}"
    try:
        asyncio.run(await_ready(address))
        yield address, process.pid
    finally:
        process.terminate()
        process.wait()
