"""Serving the application: listening sockets, a clean stop."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager

from aiohttp import web

from logdrain.config import Settings
from logdrain.errors import PortInUse, UsageError
from logdrain.web.server.connections import Connections

ALL_INTERFACES = ("0.0.0.0", "::")  # noqa: S104  # a drain is there to be reached
_HOST_HINT = "an address of this machine: 127.0.0.1 and ::1 are for itself only, 0.0.0.0 and :: are all"
_PORT_TAKEN = frozenset({errno.EADDRINUSE, errno.EACCES})
# Heroku kills 30 s after SIGTERM; what is in flight gets most of that.
_FINISH_S = 15.0
_BACKLOG = 1024
_WATCH_EVERY_S = 0.5


@asynccontextmanager
async def serving(
    application: web.Application, listening: Sequence[socket.socket], settings: Settings
) -> AsyncIterator[Connections]:
    """While it lasts, the application answers on listening sockets; at the end requests are finished."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(application, shutdown_timeout=_FINISH_S)
    await runner.setup()
    try:
        assert runner.server is not None  # noqa: S101  # it was set up
        connections = Connections(runner.server, settings)
        accepting = [await loop.create_server(connections, sock=each, backlog=_BACKLOG) for each in listening]
        watching = loop.create_task(_watch(connections))
        try:
            yield connections
        finally:
            for each in accepting:
                each.close()
            watching.cancel()
    finally:
        await runner.cleanup()


async def _watch(connections: Connections) -> None:
    while True:
        await asyncio.sleep(_WATCH_EVERY_S)
        connections.close_overdue(asyncio.get_running_loop().time())


def listen(port: int, hosts: Sequence[str] = ALL_INTERFACES) -> list[socket.socket]:
    """Listening sockets, one for each host; port 0 takes a free one, the same for all.

    Args:
        port: TCP port.
        hosts: IPv4 and IPv6 addresses. Beside others, one of IPv6 is left out where the machine has none.

    Raises:
        PortInUse: another program listens there, or this user may not.
        UsageError: a host is no address of this machine.
    """
    with ExitStack() as failed:
        sockets: list[socket.socket] = []
        for host in hosts:
            try:
                sockets.append(failed.enter_context(_bind(host, port)))
            except OSError as error:
                if error.errno in _PORT_TAKEN:
                    hint = "choose another with --port or PORT"
                    raise PortInUse(f"port {port} cannot be used: {error.strerror}", hint=hint) from error
                if ":" in host and any(":" not in other for other in hosts):
                    continue  # a machine without IPv6
                raise UsageError(f"host {host} cannot be used: {error.strerror}", hint=_HOST_HINT) from error
            port = sockets[0].getsockname()[1]
        failed.pop_all()
    return sockets


def _bind(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if ":" in host:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)  # noqa: FBT003  # the socket module's own signature
    return listening
