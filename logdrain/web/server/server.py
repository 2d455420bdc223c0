"""Serving the application: one listening socket, a clean stop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from logdrain.config import Settings
from logdrain.errors import PortInUse
from logdrain.web.server.connections import Connections

# Heroku kills 30 s after SIGTERM; what is in flight gets most of that.
_FINISH_S = 15.0
_BACKLOG = 1024
_WATCH_EVERY_S = 0.5


@asynccontextmanager
async def serving(
    application: web.Application, listening: socket.socket, settings: Settings
) -> AsyncIterator[Connections]:
    """While it lasts, the application answers on a listening socket; at the end requests are finished."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(application, shutdown_timeout=_FINISH_S)
    await runner.setup()
    try:
        assert runner.server is not None  # noqa: S101  # it was set up
        connections = Connections(runner.server, settings)
        accepting = await loop.create_server(connections, sock=listening, backlog=_BACKLOG)
        watching = loop.create_task(_watch(connections))
        try:
            yield connections
        finally:
            accepting.close()
            watching.cancel()
    finally:
        await runner.cleanup()


async def _watch(connections: Connections) -> None:
    while True:
        await asyncio.sleep(_WATCH_EVERY_S)
        connections.close_overdue(asyncio.get_running_loop().time())


def listen(port: int) -> socket.socket:
    """A listening socket on all interfaces; port 0 takes a free one.

    Raises:
        PortInUse: another program listens there, or this user may not.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("0.0.0.0", port))  # noqa: S104  # a drain is there to be reached
    except OSError as error:
        listening.close()
        raise PortInUse(
            f"port {port} cannot be used: {error.strerror}", hint="choose another with --port or PORT"
        ) from error
    listening.listen(_BACKLOG)
    listening.setblocking(False)  # noqa: FBT003  # the socket module's own signature
    return listening
