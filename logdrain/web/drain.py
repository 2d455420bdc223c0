"""POST /logs: the drain."""

import asyncio
import re

from aiohttp import web

from logdrain import log, metrics
from logdrain.drain.ids import body_id, bounded_name
from logdrain.model.events import Delivery
from logdrain.model.keys import Scope
from logdrain.model.spool import Spooled
from logdrain.web.parts import BODY_MEMORY, PARTS
from logdrain.web.server.access import require
from logdrain.web.server.body import UndecodableBody, receive_body

_COUNT = re.compile(r"[0-9]{1,9}")
# These send no X-Request-Id of their own: one on their requests is a router's, new at every retry.
_SENDERS_WITHOUT_REQUEST_ID = ("logplex/", "excon/")


async def post_logs(request: web.Request) -> web.Response:
    """Accept a delivery; 204 once all of it is durable. No content is ever refused."""
    parts = request.app[PARTS]
    drain = (await require(request, Scope.DRAIN)).name
    clock_s = asyncio.get_running_loop().time
    started_s = clock_s()
    with request.app[BODY_MEMORY].reservation() as memory:
        problem = ""
        try:
            body = await receive_body(request, parts.settings.body_size_max_bytes, memory)
        except UndecodableBody as error:
            body, problem = error.raw, error.detail
        delivery = _delivery(request, drain, body)
        result = await parts.intake.accept(Spooled(delivery, body, problem))
    metrics.DELIVERIES.labels("204").inc()
    log.info(
        "delivery",
        drain=delivery.drain,
        id=delivery.id,
        bytes=len(body),
        spooled=result.spooled_because or None,
        frames=result.frames,
        events=result.stored.events,
        duplicates=result.stored.duplicates,
        quarantined=sum(result.stored.quarantined.values()),
        seconds=clock_s() - started_s,
    )
    return web.Response(status=204)


def _delivery(request: web.Request, drain: str, body: bytes) -> Delivery:
    return Delivery(
        drain=bounded_name(drain),
        id=bounded_name(_delivery_id(request, body)),
        token=bounded_name(_header(request, "Logplex-Drain-Token")),
        message_count=_count(_header(request, "Logplex-Msg-Count")),
    )


def _delivery_id(request: web.Request, body: bytes) -> str:
    """What this sender repeats when it sends the same body again."""
    if frame_id := _header(request, "Logplex-Frame-Id"):
        return frame_id
    sender = _header(request, "User-Agent").lower()
    request_id = _header(request, "X-Request-Id")
    if request_id and not sender.startswith(_SENDERS_WITHOUT_REQUEST_ID):
        return request_id
    return body_id(body)


def _header(request: web.Request, name: str) -> str:
    """A header as text that every part below can store."""
    return request.headers.get(name, "").strip().encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _count(text: str) -> int | None:
    return int(text) if _COUNT.fullmatch(text) else None
