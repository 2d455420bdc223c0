"""What a delivery holds, ready to store; every frame is counted once it is stored."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from logdrain import metrics
from logdrain.drain.reading import Parsed, Reading, parse, quarantine_body, read, unfinished
from logdrain.ingest.collector import CollectorRest, empty
from logdrain.model.events import Batch, Delivery, DropReason, LineKind, Origin, Split, Stored
from logdrain.model.spool import Spooled

# Reading a large body takes a while: other requests go on meanwhile.
_THREAD_ABOVE_BYTES = 256 * 1024
# One after the other: with each more of them the event loop would get a smaller share of the interpreter.
_READERS = ThreadPoolExecutor(max_workers=1, thread_name_prefix="reader")

_Result = TypeVar("_Result")

FindSplits = Callable[[Sequence[Origin], Sequence[str]], Awaitable[list[Split]]]
"""Asks the store for the lines of these origins that an earlier delivery left open."""


@dataclass(slots=True)
class Content:
    """What one or more deliveries hold.

    Attributes:
        frames: Frames found, whatever is in them.
        resynced: How many of them had a wrong count.
        miscounted: Deliveries whose Logplex-Msg-Count is not the number of frames found.
        lost: Lines that senders say they dropped, by code.
    """

    batch: Batch = field(default_factory=Batch)
    kinds: Counter[LineKind] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    frames: int = 0
    resynced: int = 0
    miscounted: int = 0

    def add(self, other: "Content") -> None:
        """Put another delivery's content behind this."""
        self.batch.events.extend(other.batch.events)
        self.batch.quarantined.extend(other.batch.quarantined)
        self.batch.splits.extend(other.batch.splits)
        self.batch.joins.extend(other.batch.joins)
        self.kinds.update(other.kinds)
        self.lost.update(other.lost)
        self.frames += other.frames
        self.resynced += other.resynced
        self.miscounted += other.miscounted
        if other.batch.held and not self.batch.held:
            _rest_for(self.batch)

    def count(self, stored: Stored) -> None:
        """Count it, now that it is stored: a delivery that comes again is counted again."""
        kinds = Counter(self.kinds)
        kinds[LineKind.EVENT] -= stored.rejected
        kinds[LineKind.REJECTED] += stored.rejected
        metrics.MESSAGES_RECEIVED.inc(self.frames)
        metrics.FRAMES_RESYNCED.inc(self.resynced)
        metrics.MESSAGE_COUNT_MISMATCHES.inc(self.miscounted)
        for kind, number in kinds.items():
            metrics.LINES.labels(kind.value).inc(number)
        for code, number in self.lost.items():
            metrics.LOSSES_REPORTED.labels(code).inc(number)


async def content_of(spooled: Spooled, find_splits: FindSplits) -> Content:
    """Read a delivery.

    Args:
        spooled: The delivery, with its body.
        find_splits: Asked only where a message may continue a line of an earlier delivery.

    Raises:
        StoreUnavailable: from `find_splits`.
    """
    delivery, body, problem = spooled
    if problem:
        return Content(quarantine_body(body, delivery, DropReason.BAD_ENCODING, problem))
    is_large = len(body) > _THREAD_ABOVE_BYTES
    rest = CollectorRest() if is_large else None  # until this returns
    readers = _READERS if is_large else None
    parsed = await _done(readers, partial(parse, body, delivery))
    pieces = await _done(readers, partial(unfinished, parsed, delivery))
    waiting = await find_splits(list(pieces), list(pieces.values())) if pieces else []
    reading = await _done(readers, partial(_read, parsed, delivery, waiting))
    if rest:
        _rest_for(reading.batch)
    return Content(
        batch=reading.batch,
        kinds=reading.kinds,
        lost=parsed.lost,
        frames=parsed.frames,
        resynced=parsed.resynced,
        miscounted=int(delivery.message_count not in (None, parsed.frames)),
    )


def _read(parsed: Parsed, delivery: Delivery, waiting: Sequence[Split]) -> Reading:
    reading = read(parsed, delivery, waiting)
    empty(parsed.messages)
    return reading


def _rest_for(batch: Batch) -> None:
    batch.held.append(CollectorRest((batch.events, batch.quarantined)))


async def _done(readers: Executor | None, work: Callable[[], _Result]) -> _Result:
    return await asyncio.get_running_loop().run_in_executor(readers, work) if readers else work()
