"""The frames that are sent: everything follows from an event's number, time goes on from one to the next.

A usual frame has 172 octets behind its count: a payment of a shop, without a time of its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 1, tzinfo=UTC)
EVENTS_PER_S = 50_000
FRAME_SIZE_BYTES = 172
CUT_AT_BYTES = 10_000
_PROCESSES = 8
_USERS = 5_000
_HEAD = b"<190>1 %b.%06d+00:00 host app web.%d - @[shop.pay%d] "


@dataclass(frozen=True, slots=True)
class Corpus:
    """What frames hold.

    Attributes:
        tables: How many tables they go round in.
        size_bytes: Of a frame, its count not included; a record is as large as that makes it.
        shapes: How many different sets of keys records have.
        odd: "" or what every second frame is instead: "junk", "cut", "plain" or "shape" (never seen before).
    """

    tables: int = 1
    size_bytes: int = FRAME_SIZE_BYTES
    shapes: int = 1
    odd: str = ""

    def body(self, start: int, stop: int) -> bytes:
        """The frames of these events."""
        return b"".join(map(self.frame, range(start, stop)))

    def frame(self, number: int) -> bytes:
        """One octet-counted frame."""
        if self.odd and number % 2:
            return self._odd_frame(number)
        return _counted(_head(number, number % self.tables) + self._record(number, number % self.shapes))

    def events(self, start: int, stop: int) -> int:
        """How many of these frames are events."""
        if self.odd not in ("junk", "cut", "plain"):
            return stop - start
        return stop // 2 + stop % 2 - (start // 2 + start % 2)

    def _odd_frame(self, number: int) -> bytes:
        if self.odd == "junk":
            return b"this is no frame, but it has as many octets as one has, or nearly so: %010d\n" % number
        if self.odd == "shape":
            return _counted(_head(number, 0) + self._record(number, number))
        head = _head(number, 0)
        if self.odd == "plain":
            return _counted(head.replace(b"@[shop.pay0] ", b"") + b"a line that has no tag, as most have\n")
        text = b"@[shop.cut] " + b"x" * CUT_AT_BYTES  # the rest never comes
        return _counted(head.replace(b"@[shop.pay0] ", b"") + text[:CUT_AT_BYTES])

    def _record(self, number: int, shape: int) -> bytes:
        fields = b'{"uid":%d,"item_id":%d,"price":%d,"k%d":"' % (
            number * 7919 % _USERS,
            number % 977,
            number * 31 % 100_000,
            shape,
        )
        left = self.size_bytes - len(_head(number, number % self.tables)) - len(fields) - 3
        return fields + b"x" * max(left, 0) + b'"}\n'


def frames_of(corpus: Corpus, start: int, stop: int, size: int) -> Iterator[tuple[bytes, int]]:
    """Bodies of `size` frames, and how many frames each has."""
    for first in range(start, stop, size):
        last = min(first + size, stop)
        yield corpus.body(first, last), last - first


def _head(number: int, table: int) -> bytes:
    seconds, part = divmod(number, EVENTS_PER_S)
    at = (START + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S").encode()
    return _HEAD % (at, part * (1_000_000 // EVENTS_PER_S), 1 + number % _PROCESSES, table)


def _counted(message: bytes) -> bytes:
    return b"%d %b" % (len(message), message)
