"""`logdrain serve`: the drain as a process, from its start to a clean stop."""

import asyncio
import gc
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace

from logdrain import log
from logdrain.bootstrap.drain import Drain
from logdrain.config import Settings
from logdrain.errors import ConfigError
from logdrain.model.keys import Scope
from logdrain.web.application import make_application
from logdrain.web.server.library_log import take_over
from logdrain.web.server.process_files import room_for_connections
from logdrain.web.server.server import ALL_INTERFACES, listen, serving

# A delivery of 16 MiB is 100,000 objects without cycles. With the default thresholds the collector walks them
# again and again while they are parsed: 50 % more CPU, and pauses of 180 ms instead of 25.
_GC_THRESHOLDS = (100_000, 50, 100)
# Threads that parse large bodies let the event loop in this often; each of its system calls waits for it.
_SWITCH_INTERVAL_S = 0.0005


def serve(settings: Settings, hosts: Sequence[str] = ALL_INTERFACES) -> None:
    """Serve until SIGTERM or SIGINT; what is in flight is finished first.

    Args:
        settings: The port, who may, where events go.
        hosts: Where to listen.

    Raises:
        PortInUse: another program listens there.
        UsageError: a host is no address of this machine.
        ConfigError: no key lets anybody in.
    """
    lets_in = any(key.scope in (Scope.DRAIN, Scope.WRITE, Scope.ADMIN) for key in settings.keys)
    if not lets_in and not settings.database_url:
        raise ConfigError(
            "no key may send events: LOGDRAIN_KEYS has none of scope drain or write, DATABASE_URL is not set",
            hint="LOGDRAIN_KEYS=drain:shop:$(openssl rand -hex 32), or DATABASE_URL and keys:create",
        )
    asyncio.run(_serve(settings, hosts))


async def _serve(settings: Settings, hosts: Sequence[str]) -> None:
    take_over(asyncio.get_running_loop())
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.set_threshold(*_GC_THRESHOLDS)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    listening = listen(settings.port, hosts)
    drain = Drain(settings)
    try:
        async with serving(make_application(drain.parts), listening, _within_open_files(settings)):
            log.info("serving", port=listening[0].getsockname()[1], core=drain.parts.intake.core)
            await stopping.wait()
            log.info("stopping")
    finally:
        await drain.close()
        for each in listening:
            each.close()


def _within_open_files(settings: Settings) -> Settings:
    """With as many connections as the limit of open files allows."""
    connections_max = room_for_connections(settings.connections_max)
    if connections_max < settings.connections_max:
        log.warning("connections_limited", connections_max=connections_max, hint="raise `ulimit -n`")
    return replace(settings, connections_max=connections_max)
