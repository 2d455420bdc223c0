"""Serving the application: one listening socket, a clean stop."""

import asyncio
import errno
import signal
import socket

from aiohttp import web

from logdrain import log
from logdrain.bootstrap import Drain
from logdrain.config import Settings
from logdrain.errors import ConfigError, PortInUse
from logdrain.model.keys import Scope
from logdrain.web.application import make_application

# Heroku kills 30 s after SIGTERM; what is in flight gets most of that.
_FINISH_S = 20.0
_BACKLOG = 1024


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight is finished first.

    Args:
        settings: Where to listen, who may, where events go.

    Raises:
        PortInUse: another program listens there.
        ConfigError: no key lets anybody in.
    """
    if not any(key.scope in (Scope.DRAIN, Scope.ADMIN) for key in settings.keys):
        raise ConfigError(
            "no key may send to the drain: LOGDRAIN_KEYS has none of scope drain",
            hint="LOGDRAIN_KEYS=drain:shop:$(openssl rand -hex 32)",
        )
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    listening = listen(settings.port)
    drain = Drain(settings)
    runner = web.AppRunner(
        make_application(drain.parts), access_log=None, auto_decompress=False, shutdown_timeout=_FINISH_S
    )
    try:
        await runner.setup()
        await web.SockSite(runner, listening).start()
        log.info("serving", port=listening.getsockname()[1])
        await stopping.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()
        await drain.close()
        listening.close()


def listen(port: int) -> socket.socket:
    """A listening socket on all interfaces; port 0 takes a free one.

    Raises:
        PortInUse: another program listens there.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("0.0.0.0", port))  # noqa: S104  # a drain is there to be reached
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(
                f"port {port} is in use by another program", hint="choose another with --port or PORT"
            ) from error
        raise
    listening.listen(_BACKLOG)
    listening.setblocking(False)  # noqa: FBT003  # the socket module's own signature
    return listening
