"""A drain that listens, its store and keys made up, and peers that speak to it octet by octet."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import AsyncMock, Mock

from logdrain import metrics
from logdrain.bootstrap.drain import DrainParts
from logdrain.config import Settings
from logdrain.ingest.accept import IngestResult
from logdrain.model.events import Stored
from logdrain.model.keys import Key, Scope, digest
from logdrain.web.application import make_application
from logdrain.web.server.connections import Connections
from logdrain.web.server.server import listen, serving
from tests.changed_settings import settings_with

KEY = "a-drain-key-for-tests"
HEAD = f"Host: drain\r\nAuthorization: Bearer {KEY}\r\n"
POST = f"POST /logs HTTP/1.1\r\n{HEAD}Content-Length: 2\r\n\r\nhi".encode()
SETTINGS = settings_with(
    keys=(
        Key(Scope.READ, "read", digest((KEY + "read").encode())),
        Key(Scope.DRAIN, "shop", digest(KEY.encode())),
    ),
    keys_refresh_s=3600.0,
    body_size_max_bytes=1_000_000,
    bodies_size_max_bytes=10_000_000,
    split_wait_s=3600.0,
    connections_max=100,
)
WITHIN_S = 10.0


def make_parts(settings: Settings) -> Mock:
    parts = Mock(spec=DrainParts)
    parts.configure_mock(settings=settings, replay=None, ledger=None, stored_keys=None)
    parts.store.check = AsyncMock()
    parts.intake.has_spool = False
    parts.intake.accept = AsyncMock(return_value=IngestResult(0, Stored()))
    return parts


@dataclass
class Drain:
    port: int
    connections: Connections
    parts: Mock

    @asynccontextmanager
    async def connect(self) -> AsyncIterator["Peer"]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Peer(reader, writer)
        finally:
            writer.close()

    async def ask(self, octets: bytes, *, half_close: bool = False) -> "Answer":
        async with self.connect() as peer:
            peer.writer.write(octets)
            if half_close:
                peer.writer.write_eof()
            return await peer.answer()


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        assert self.headers["content-type"].startswith("application/json")
        return str(json.loads(self.body)["error"]["code"])


@dataclass
class Peer:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def answer(self) -> Answer:
        async with asyncio.timeout(WITHIN_S):
            lines = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(lines[0].split()[1]), headers, body)

    async def is_ended(self) -> bool:
        """Waits until the drain ends the connection; what it has sent is read away."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while await self.reader.read(65_536):
                    pass
        except ConnectionResetError:
            pass
        except TimeoutError:
            return False
        return True


@asynccontextmanager
async def running(**changes: Any) -> AsyncIterator[Drain]:
    settings = replace(SETTINGS, **changes)
    parts = make_parts(settings)
    listening = listen(0, ["127.0.0.1"])
    async with serving(make_application(parts), listening, settings) as connections:
        yield Drain(listening[0].getsockname()[1], connections, parts)


def counted(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110  # conditions of a program that knows no such event
            await asyncio.sleep(0)


def later(drain: Drain, seconds: float) -> None:
    """As if so much time had passed."""
    drain.connections.close_overdue(asyncio.get_running_loop().time() + seconds)
