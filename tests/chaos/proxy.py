"""A link: a TCP proxy that drops, half-closes, delays, and loses answers when told to."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Self

from logdrain.sandbox.folder_port import LOOPBACK

_CHUNK_BYTES = 64 * 1024
_LOOK_S = 0.1


class Link:
    """Passes bytes to a port, and back.

    Args:
        port_to: The port to reach; asked for each connection.

    Attributes:
        delay_s: Every chunk waits so long.
        is_cut: Connections are reset as soon as they are there.
        loses_answers: Of an answer half a chunk passes, then the connection is reset.
    """

    def __init__(self, port_to: Callable[[], int]) -> None:
        self._port_to = port_to
        self._server: asyncio.Server | None = None
        self._open: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._passing: set[asyncio.Task[None] | None] = set()
        self.delay_s = 0.0
        self.is_cut = False
        self.loses_answers = False
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._pass, LOOPBACK, 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()
            self.heal()
            while passing := {task for task in self._passing if task is not None}:
                self.reset()
                await asyncio.wait(passing, timeout=_LOOK_S)

    def heal(self) -> None:
        """Pass everything again."""
        self.delay_s, self.is_cut, self.loses_answers = 0.0, False, False

    def reset(self) -> None:
        """Reset all connections."""
        for pair in tuple(self._open):
            for writer in pair:
                writer.transport.abort()

    def half_close(self) -> None:
        """Tell both ends of every connection that the other has finished; nobody has."""
        for pair in tuple(self._open):
            for writer in pair:
                with contextlib.suppress(OSError, RuntimeError):
                    writer.write_eof()

    async def _pass(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._passing.add(task)
        try:
            await self._connect(client_reader, client)
        finally:
            self._passing.discard(task)

    async def _connect(self, client_reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        if self.is_cut:
            client.transport.abort()
            return
        try:
            server_reader, server = await asyncio.open_connection(LOOPBACK, self._port_to())
        except Exception:  # noqa: BLE001  # nobody there, or not started: the client sees a reset
            client.transport.abort()
            return
        pair = (client, server)
        self._open.add(pair)
        try:
            await asyncio.gather(
                self._pump(client_reader, server, pair, is_answer=False),
                self._pump(server_reader, client, pair, is_answer=True),
            )
        finally:
            self._open.discard(pair)
            for writer in pair:
                writer.transport.abort()

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pair: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        *,
        is_answer: bool,
    ) -> None:
        with contextlib.suppress(OSError, RuntimeError):
            while chunk := await reader.read(_CHUNK_BYTES):
                if self.delay_s:
                    await asyncio.sleep(self.delay_s)
                if is_answer and self.loses_answers:
                    writer.write(chunk[: len(chunk) // 2])
                    await writer.drain()
                    for each in pair:
                        each.close()
                    return
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()
