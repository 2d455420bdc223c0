"""A delivery becomes events, durably."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from logdrain import metrics
from logdrain.drain.reading import Parsed, parse, read, unfinished
from logdrain.errors import StoreUnavailable
from logdrain.model.events import Batch, Delivery, LineKind, Stored
from logdrain.ports import EventStore

# Reading a large body takes a while: other requests go on meanwhile.
_THREAD_ABOVE_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of a delivery, for its log line."""

    frames: int
    stored: Stored


async def ingest(body: bytes, delivery: Delivery, store: EventStore, within_s: float) -> Ingested:
    """Take a delivery in: returns once everything in it is durable.

    Args:
        body: Decoded octets, whatever they are.
        delivery: How the request names it.
        store: Where events go.
        within_s: How long the store may take for all of it; senders do not wait longer.

    Raises:
        StoreUnavailable, StoreBusy: not durable; the sender may send it again.
    """
    is_large = len(body) > _THREAD_ABOVE_BYTES
    parsed = await asyncio.to_thread(parse, body, delivery) if is_large else parse(body, delivery)
    pieces = unfinished(parsed, delivery)
    async with _deadline(within_s):
        waiting = await store.waiting_splits(list(pieces), list(pieces.values())) if pieces else []
        if is_large:
            reading = await asyncio.to_thread(read, parsed, delivery, waiting)
        else:
            reading = read(parsed, delivery, waiting)
        stored = await _write(reading.batch, store)
    _count(parsed, delivery, reading.kinds)
    return Ingested(parsed.frames, stored)


async def keep(batch: Batch, store: EventStore, within_s: float) -> Stored:
    """Make a batch durable.

    Raises:
        StoreUnavailable, StoreBusy: not durable.
    """
    async with _deadline(within_s):
        return await _write(batch, store)


@asynccontextmanager
async def _deadline(within_s: float) -> AsyncIterator[None]:
    try:
        async with asyncio.timeout(within_s):
            yield
    except TimeoutError as error:
        raise StoreUnavailable(
            f"the store did not confirm within {within_s:g} s", hint="it is overloaded or hangs"
        ) from error


async def _write(batch: Batch, store: EventStore) -> Stored:
    if batch.is_empty:
        return Stored()
    with metrics.STORE_SECONDS.time():
        return await store.write(batch)


def _count(parsed: Parsed, delivery: Delivery, kinds: Mapping[LineKind, int]) -> None:
    metrics.MESSAGES_RECEIVED.inc(parsed.frames)
    metrics.FRAMES_RESYNCED.inc(parsed.resynced)
    if delivery.message_count not in (None, parsed.frames):
        metrics.MESSAGE_COUNT_MISMATCHES.inc()
    for kind, count in kinds.items():
        metrics.LINES.labels(kind.value).inc(count)
    for code, count in parsed.lost.items():
        metrics.LOSSES_REPORTED.labels(code).inc(count)
