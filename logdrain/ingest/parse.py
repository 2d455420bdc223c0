"""A delivery is parsed, stored and freed. Every frame is counted when it is stored."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from logdrain import metrics
from logdrain.drain.bulk import CleanFrames, PythonFrames, parse_in_bulk
from logdrain.drain.json_events import read_items
from logdrain.drain.reading import ParsedDelivery, quarantine_body, read, unfinished
from logdrain.model.events import Batch, Content, DropReason, LineKind, Origin, Split, Stored
from logdrain.model.spool import Spooled
from logdrain.ports.events import EventStore

# A larger body is parsed in a thread.
_THREAD_ABOVE_BYTES = 256 * 1024
# One after the other: with each more of them the event loop would get a smaller share of the interpreter.
_READERS = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")
# Nothing else runs while a part is freed: a few milliseconds.
_FREED_AT_ONCE = 1_000
# Whoever waits for the answer gives up earlier. The driver gives up by itself where MongoDB hangs.
_STORED_WITHIN_S = 600.0

_Result = TypeVar("_Result")

FindSplits = Callable[[Sequence[Origin], Sequence[str]], Awaitable[list[Split]]]
"""Asks the store for the lines of these origins that an earlier delivery left open."""


async def parse_delivery(
    spooled: Spooled,
    find_splits: FindSplits,
    keys_per_record_max: int,
    clean_frames: type[CleanFrames] = PythonFrames,
) -> ParsedDelivery:
    """Parse a delivery; a large body is parsed in a thread, so other requests go on.

    Args:
        spooled: The delivery, with its body.
        find_splits: Asked only if a message may continue a line of an earlier delivery.
        keys_per_record_max: The store's limit: records that may be above it are left to the store.
        clean_frames: Takes the frames that need no second look.

    Raises:
        StoreUnavailable: from `find_splits`.
        BadRequest: a body of items is neither an array nor lines.
    """
    delivery, body, problem = spooled
    if problem:
        return ParsedDelivery(quarantine_body(body, delivery, DropReason.BAD_ENCODING, problem))
    if delivery.content == Content.ITEMS:
        return await run_in_reader_if_large(body, partial(read_items, body, delivery))
    parsed = await run_in_reader_if_large(
        body, partial(parse_in_bulk, body, delivery, keys_per_record_max, clean_frames)
    )
    pieces = await run_in_reader_if_large(body, partial(unfinished, parsed, delivery))
    waiting = await find_splits(list(pieces), list(pieces.values())) if pieces else []
    return await run_in_reader_if_large(body, partial(read, parsed, delivery, waiting))


async def run_in_reader_if_large(body: bytes, work: Callable[[], _Result]) -> _Result:
    """Do what a large body takes a while for in the readers' thread, so that other requests go on."""
    if len(body) <= _THREAD_ABOVE_BYTES:
        return work()
    return await asyncio.get_running_loop().run_in_executor(_READERS, work)


async def store_parsed(parsed: ParsedDelivery, store: EventStore) -> Stored:
    """Store what was parsed, then free it in parts, in the thread that parses the next large body.

    A delivery of 31 MiB that is freed in one go holds up the event loop for 0.3 s.

    Raises:
        StoreUnavailable, StoreBusy, SplitChanged: from the store; nothing is freed.
    """
    stored = await store.write(parsed.batch, _STORED_WITHIN_S)
    if parsed.batch.count > _FREED_AT_ONCE:
        _READERS.submit(_free, parsed.batch)
    return stored


def count_stored(parsed: ParsedDelivery, stored: Stored) -> None:
    """Count what is stored now; a delivery that is sent again is counted again."""
    kinds = Counter(parsed.kinds)
    kinds[LineKind.EVENT] -= stored.rejected
    kinds[LineKind.REJECTED] += stored.rejected
    metrics.MESSAGES_RECEIVED.inc(parsed.frames)
    metrics.FRAMES_RESYNCED.inc(parsed.resynced)
    metrics.MESSAGE_COUNT_MISMATCHES.inc(parsed.miscounted)
    metrics.TIMES_WITHOUT_ZONE.inc(parsed.times_without_zone)
    for kind, number in kinds.items():
        metrics.LINES.labels(kind.value).inc(number)
    for code, number in parsed.lost.items():
        metrics.LOSSES_REPORTED.labels(code).inc(number)


def _free(batch: Batch) -> None:
    lists: list[list[Any]] = [batch.events, batch.quarantined]
    for table in batch.documents.values():
        lists += [table.documents, table.raws]
    for items in lists:
        while items:
            del items[-_FREED_AT_ONCE:]
