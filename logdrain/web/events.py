"""POST /v1/events: items of JSON instead of frames, on the drain's road."""

import asyncio
import time
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

from aiohttp import web

from logdrain import log
from logdrain.drain.ids import bounded_name
from logdrain.drain.json_events import read_items, split_items
from logdrain.errors import BadRequest, UnsupportedMediaType
from logdrain.ingest.accept import IngestResult
from logdrain.ingest.parse import run_in_reader_if_large
from logdrain.model.events import Content, Delivery, DropReason, RejectedItem
from logdrain.model.keys import Scope
from logdrain.model.spool import Spooled
from logdrain.web.parts import BODY_MEMORY, PARTS
from logdrain.web.server.access import require
from logdrain.web.server.answers import error_fields, json_response
from logdrain.web.server.body import UndecodableBody, receive_body

# text/plain is what a page may send without asking first; none is what curl -d sends.
_MEDIA_TYPES = frozenset(
    {"application/json", "application/x-ndjson", "text/plain", "application/x-www-form-urlencoded"}
)
_DEFAULT_MEDIA_TYPE = "application/octet-stream"  # aiohttp's word for no Content-Type

_STORE_REFUSES = "the store does not take these items; they are in quarantine"


async def post_events(request: web.Request) -> web.Response:
    """Accept items; 200 once all that are events are durable, with what became of the others."""
    parts = request.app[PARTS]
    key_name = bounded_name((await require(request, Scope.WRITE)).key_name)
    _check_media_type(request)
    received_ms = time.time_ns() // 1_000_000
    started_s = asyncio.get_running_loop().time()
    with request.app[BODY_MEMORY].reservation() as memory:
        try:
            body = await receive_body(request, parts.settings.body_size_max_bytes, memory)
        except UndecodableBody as error:
            raise BadRequest(error.detail, hint="send gzip, deflate or plain") from error
        delivery = Delivery(key_name, uuid.uuid4().hex, "", None, Content.ITEMS, received_ms)
        # What is no body of items is refused before it can be spooled.
        items = len(await run_in_reader_if_large(body, partial(split_items, body)))
        result = await parts.intake.accept(Spooled(delivery, body, ""))
        rejected = result.rejected_items
        if result.spooled_because:  # nobody has read it yet
            rejected = tuple(
                (await run_in_reader_if_large(body, partial(read_items, body, delivery))).rejected_items
            )
    answer = _answer(items, rejected, result, received_ms)
    log.info(
        "events_received",
        key=key_name,
        bytes=len(body),
        spooled=result.spooled_because or None,
        items=items,
        accepted=answer["accepted"],
        duplicates=answer["duplicates"],
        rejected=items - answer["accepted"] - answer["duplicates"],
        seconds=asyncio.get_running_loop().time() - started_s,
    )
    return json_response(answer, BadRequest.status if "error" in answer else 200)


def _check_media_type(request: web.Request) -> None:
    given = request.content_type
    if given not in _MEDIA_TYPES and given != _DEFAULT_MEDIA_TYPE:
        raise UnsupportedMediaType(
            f"the Content-Type {given!r} is not taken",
            hint="send application/json, application/x-ndjson or text/plain",
        )


def _answer(
    items: int, rejected: Sequence[RejectedItem], result: IngestResult, received_ms: int
) -> dict[str, Any]:
    """What is told of the items: those that MongoDB held already are duplicates, not accepted."""
    stored = result.stored
    refused = [
        {"index": None, "insert_id": None, "code": reason, "message": _STORE_REFUSES, "count": count}
        for reason, count in _refused_by_store(rejected, result)
    ]
    listed = [
        {"index": item.position, "insert_id": item.insert_id, "code": item.reason, "message": item.detail}
        for item in rejected
    ]
    accepted = items - len(rejected) - stored.duplicates - stored.rejected
    answer: dict[str, Any] = {
        "accepted": accepted,
        "duplicates": stored.duplicates,
        "rejected": listed + refused,
        "server_time": received_ms,
    }
    if items and not accepted and not stored.duplicates:
        none_accepted = BadRequest(
            "no item of the body is an event", hint="`rejected` says what is wrong with each"
        )
        answer.update(error_fields(none_accepted))
    return answer


def _refused_by_store(rejected: Sequence[RejectedItem], result: IngestResult) -> list[tuple[DropReason, int]]:
    """Reasons and counts of what only the store could see."""
    if not result.stored.rejected:
        return []
    counts = dict(result.stored.quarantined)
    for item in rejected:
        counts[item.reason] = counts.get(item.reason, 0) - 1
    return [(reason, count) for reason, count in counts.items() if count > 0]
