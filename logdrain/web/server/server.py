"""Serving the application: one listening socket, a clean stop."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from logdrain import log
from logdrain.bootstrap import Drain
from logdrain.config import Settings
from logdrain.errors import ConfigError, PortInUse
from logdrain.model.keys import Scope
from logdrain.web.application import make_application
from logdrain.web.server.connections import ConnectionLimits, Connections
from logdrain.web.server.library_log import take_over
from logdrain.web.server.process_files import room_for_connections

# Heroku kills 30 s after SIGTERM; what is in flight gets most of that.
_FINISH_S = 15.0
_BACKLOG = 1024
_WATCH_EVERY_S = 0.5
# Threads that read large bodies let the event loop in this often; each of its system calls waits for it.
# A delivery of 16 MiB is 100,000 objects without cycles. With the default thresholds the collector walks them
# again and again: 40 % more CPU, and pauses of 170 ms instead of 20.
_GC_THRESHOLDS = (100_000, 50, 100)
_SWITCH_INTERVAL_S = 0.0005


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight is finished first.

    Args:
        settings: Where to listen, who may, where events go.

    Raises:
        PortInUse: another program listens there.
        ConfigError: no key lets anybody in.
    """
    lets_in = any(key.scope in (Scope.DRAIN, Scope.ADMIN) for key in settings.keys)
    if not lets_in and not settings.database_url:
        raise ConfigError(
            "no key may send to the drain: LOGDRAIN_KEYS has none of scope drain, DATABASE_URL is not set",
            hint="LOGDRAIN_KEYS=drain:shop:$(openssl rand -hex 32), or DATABASE_URL and keys:create",
        )
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    take_over(asyncio.get_running_loop())
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.set_threshold(*_GC_THRESHOLDS)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    listening = listen(settings.port)
    drain = Drain(settings)
    try:
        async with serving(make_application(drain.parts), listening, _connection_limits(settings)):
            log.info("serving", port=listening.getsockname()[1])
            await stopping.wait()
            log.info("stopping")
    finally:
        await drain.close()
        listening.close()


def _connection_limits(settings: Settings) -> ConnectionLimits:
    """What the settings and the limit of open files allow."""
    connections_max = room_for_connections(settings.connections_max)
    if connections_max < settings.connections_max:
        log.warning("connections_limited", connections_max=connections_max, hint="raise `ulimit -n`")
    return ConnectionLimits(connections_max, settings.head_timeout_s, settings.idle_timeout_s)


@asynccontextmanager
async def serving(
    application: web.Application, listening: socket.socket, limits: ConnectionLimits
) -> AsyncIterator[Connections]:
    """While it lasts, the application answers on a listening socket; at the end requests are finished."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(application, shutdown_timeout=_FINISH_S)
    await runner.setup()
    try:
        assert runner.server is not None  # noqa: S101  # it was set up
        connections = Connections(runner.server, limits)
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
