"""Everything that runs in a round: servers, links, drain, workers; started, and stopped whatever happens."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import psycopg

from logdrain.sandbox.folder_port import LOOPBACK
from logdrain.sandbox.mongo_server import MongoServer
from logdrain.sandbox.postgres_server import PostgresServer
from tests.chaos.disks import SmallDisk, small_disk
from tests.chaos.plan import DRAIN, LINKS, MONGOD, MONGOD_LINK, POSTGRES_LINK, SENDER_LINK, SPOOL, WORKERS
from tests.chaos.programs import Program
from tests.chaos.proxy import Link
from tests.chaos.servers import Member, Mongods, fixed_port, give_port, hurt, start

LEASE_S = 2.0
_WAREHOUSE = "warehouse"
_DRAIN_KEY = "chaos-sends-with-this-key"
READ_KEY = "chaos-looks-with-this-key"
_SPOOL_MIB, _MONGOD_MIB = 16, 400


@dataclass
class World:
    """What runs, by the names that faults use."""

    folder: Path
    mongods: Mongods
    postgres: PostgresServer
    links: dict[str, Link]
    programs: dict[str, Program]
    disks: dict[str, SmallDisk]
    drain_port: int

    @property
    def direct_url(self) -> str:
        """The drain itself."""
        return self._drain_url(self.drain_port)

    @property
    def linked_url(self) -> str:
        """The drain through a link."""
        return self._drain_url(self.links[SENDER_LINK].port)

    @property
    def warehouse_uri(self) -> str:
        """The database that is not the ledger's."""
        return urlsplit(self.postgres.uri)._replace(path=f"/{_WAREHOUSE}").geturl()

    @property
    def spool_folder(self) -> Path:
        """Where the drain may keep deliveries."""
        return self.disks[SPOOL].folder if SPOOL in self.disks else self.folder / "spool"

    @property
    def direct_environment(self) -> dict[str, str]:
        """For commands that no link hinders."""
        return self._environment(self.mongods.uri, self.postgres.uri, self.warehouse_uri)

    @property
    def linked_environment(self) -> dict[str, str]:
        """For the programs under test."""
        mongodb = self.mongods.uri
        if not self.mongods.is_replica_set:  # members of a set are reached where they say they are
            mongodb = f"mongodb://{LOOPBACK}:{self.links[MONGOD_LINK].port}/logdrain"
        return self._environment(mongodb, *(map(self._through_link, (self.postgres.uri, self.warehouse_uri))))

    def _environment(self, mongodb: str, ledger: str, warehouse: str) -> dict[str, str]:
        ours = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("LOGDRAIN_") and name != "PORT"
        }
        return ours | {
            "MONGODB_URI": mongodb,
            "DATABASE_URL": ledger,
            "CHAOS_HERE": ledger,
            "CHAOS_THERE": warehouse,
            "LOGDRAIN_KEYS": f"drain:chaos:{_DRAIN_KEY},read:chaos:{READ_KEY}",
            "LOGDRAIN_METRICS_OPEN": "1",
            "LOGDRAIN_ACK": "spooled",
            "LOGDRAIN_LEASE_S": str(LEASE_S),
            "LOGDRAIN_JOBS_FOLDER": str(self.folder / "jobs"),
            "LOGDRAIN_SPOOL_FOLDER": str(self.spool_folder),
        }

    def _through_link(self, url: str) -> str:
        parts = urlsplit(url)
        user = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{user}@{LOOPBACK}:{self.links[POSTGRES_LINK].port}").geturl()

    @staticmethod
    def _drain_url(port: int) -> str:
        return f"http://chaos:{_DRAIN_KEY}@{LOOPBACK}:{port}/logs"


@asynccontextmanager
async def running_world(folder: Path, random: Random, *, replica_set: bool) -> AsyncIterator[World]:
    """Start everything in an empty folder."""
    async with AsyncExitStack() as stack:
        disks: dict[str, SmallDisk] = {}
        sizes = {SPOOL: _SPOOL_MIB} | ({} if replica_set else {MONGOD: _MONGOD_MIB})
        for name, size_mib in sizes.items():
            disk = small_disk(folder / f"{name}.disk", size_mib)
            if disk is not None:
                disks[name] = disk
                stack.callback(disk.unmount)
        mongods, postgres = _servers(folder, random, disks, replica_set=replica_set)
        stack.callback(_stop_servers, mongods, postgres)
        await asyncio.gather(mongods.start(), start(postgres))
        with psycopg.connect(postgres.uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {_WAREHOUSE}".encode())
        drain_port = fixed_port(random)
        ports = {
            SENDER_LINK: lambda: drain_port,
            MONGOD_LINK: lambda: mongods.servers[0].port,
            POSTGRES_LINK: lambda: postgres.port,
        }
        links = {name: await stack.enter_async_context(Link(ports[name])) for name in LINKS}
        world = World(folder, mongods, postgres, links, {}, disks, drain_port)
        words = {DRAIN: ("serve", "--port", str(drain_port)), **dict.fromkeys(WORKERS, ("work",))}
        for name, command in words.items():
            world.programs[name] = Program(
                name, (*command, "--data", str(folder / "none")), world.linked_environment, folder
            )
            stack.callback(world.programs[name].kill)
        yield world


def _servers(
    folder: Path, random: Random, disks: dict[str, SmallDisk], *, replica_set: bool
) -> tuple[Mongods, PostgresServer]:
    postgres = PostgresServer(folder / "postgres")
    give_port(postgres, random)
    if replica_set:
        mongods = Mongods([Member(folder / f"mongod-{number}") for number in range(3)])
    else:
        place = disks[MONGOD].folder if MONGOD in disks else folder / "mongod"
        mongods = Mongods([MongoServer(place)])
    for server in mongods.servers:
        give_port(server, random)
    return mongods, postgres


def _stop_servers(mongods: Mongods, postgres: PostgresServer) -> None:
    mongods.stop()
    hurt(postgres, signal.SIGCONT)
    postgres.stop()
