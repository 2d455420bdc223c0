"""The events that every measurement uses: a shop's payments, evenly over thirty days, in order of time.

A record has four fields and its time, a frame about 180 octets. Everything follows from an event's number:
two runs store the same bytes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle

import msgspec
from bson.raw_bson import RawBSONDocument

from logdrain.drain.ids import make_id
from logdrain.drain.reading import parse, read
from logdrain.events.bson.documents import encode_event
from logdrain.model.events import Batch, Delivery, Event, Origin, Record, Table
from logdrain.sandbox.logplex import LogplexMessage, encode_body

TABLE = Table("production", "pay")
START = datetime(2012, 3, 1, tzinfo=UTC)
SPAN = timedelta(days=30)
END = START + SPAN
_CATEGORIES = 20
_USERS = 5_000
_PRICE_MAX = 100_000


def make_body(numbers: range, total: int) -> bytes:
    """The body of a delivery with these events, of `total` that there are in the thirty days."""
    return encode_body(_message(number, total) for number in numbers)


def make_delivery(name: str) -> Delivery:
    """How the request with such a body names it; another name makes other events of the same body."""
    return Delivery(drain="shop", id=name, token="", message_count=None)


def make_bodies(total: int, sizes: Sequence[int]) -> Iterator[bytes]:
    """Bodies for all events; the numbers of frames go round in `sizes`."""
    start = 0
    for size in cycle(sizes):
        if start >= total:
            return
        yield make_body(range(start, min(start + size, total)), total)
        start += size


def make_batches(total: int, sizes: Sequence[int]) -> Iterator[Batch]:
    """What the drain makes of `make_bodies`."""
    for number, body in enumerate(make_bodies(total, sizes)):
        delivery = make_delivery(f"delivery {number}")
        yield read(parse(body, delivery), delivery, []).batch


def make_event_batches(total: int, size: int) -> Iterator[Batch]:
    """The same events in batches of this size, without the way through frames and lines: for millions."""
    origin = Origin("shop", "production", "web.1", "")
    for start in range(0, total, size):
        events = []
        for number in range(start, min(start + size, total)):
            at_ms = int(_time(number, total).timestamp()) * 1000
            event_id = make_id(at_ms, origin.drain, "sample", number)
            events.append(Event(event_id, TABLE, at_ms, _record(number), origin, b""))
        yield Batch(events=events)


def encode(batch: Batch) -> list[RawBSONDocument]:
    """A batch's documents as the store makes them."""
    documents = [encode_event(event) for event in batch.events]
    return [RawBSONDocument(document) for document in documents if isinstance(document, bytes)]


async def send(
    batches: Iterable[Batch], write: Callable[[Batch], Awaitable[object]], *, senders: int
) -> None:
    """Write batches from concurrent senders, each of which waits for one before it sends the next."""
    waiting = iter(batches)

    async def sender() -> None:
        for batch in waiting:  # the senders share one iterator
            await write(batch)

    async with asyncio.TaskGroup() as group:
        for _ in range(senders):
            group.create_task(sender())


def _message(number: int, total: int) -> LogplexMessage:
    at = _time(number, total)
    record = {**_record(number), "time": int(at.timestamp())}
    return LogplexMessage(at, f"@[{TABLE.name}] ".encode() + msgspec.json.encode(record))


def _time(number: int, total: int) -> datetime:
    return START + SPAN * number / total


def _record(number: int) -> Record:
    return {
        "uid": number * 7919 % _USERS,
        "item_id": number % 977,
        "item_category": f"category{number % _CATEGORIES}",
        "price": number * 31 % _PRICE_MAX,
    }
