"""Lines -> Logplex frames -> batches. Times are passed in.

A frame is `<octets> SP "<190>1" SP TIME SP HOST SP APP SP PROCID SP "-" SP MSG LF`: RFC 6587 octet counting
around Logplex's form of an RFC 5424 header, which has a `-` for MSGID and no structured data
(heroku/logplex, src/logplex_syslog_utils.erl). The count includes the final newline.
"""

import re
from collections import deque
from datetime import UTC, datetime

from logdrain.errors import UsageError

BATCH_LINES = 500
BATCH_SIZE_BYTES = 100 * 1024  # what Logplex aims at for one request
BATCH_WAIT_S = 0.25

_PRIORITY_AND_VERSION = "<190>1"  # local7.info: an application's STDOUT
_HOST = "host"  # Logplex writes this word literally
_FIELD_LENGTH_MAX = {"app": 48, "proc": 128}  # RFC 5424 section 6, APP-NAME and PROCID


def check_field(name: str, value: str) -> str:
    """Return a header field's value if it can stand in a header.

    Args:
        name: `app` or `proc`.
        value: Printable ASCII without spaces, at most 48 (app) or 128 (proc) characters.

    Raises:
        UsageError: it cannot.
    """
    length_max = _FIELD_LENGTH_MAX[name]
    if re.fullmatch(r"[!-~]+", value) is None or len(value) > length_max:
        raise UsageError(
            f"{name} {value!r} cannot stand in a syslog header",
            hint=f"use 1 to {length_max} printable ASCII characters without spaces, such as app or web.1",
        )
    return value


def frame(time: datetime, app: str, proc: str, line: bytes) -> bytes:
    """Frame one line; its bytes are not touched.

    Args:
        time: When the line was read, aware; written in UTC with microseconds.
        app: The APP field; Logplex writes `app` for what an application prints.
        proc: The PROCID field, such as `web.1`.
        line: Any bytes without a newline; the frame ends with one in any case, because a receiver may take
            a long message without it for the first piece of a cut line.
    """
    instant = time.astimezone(UTC).isoformat(timespec="microseconds")
    header = f"{_PRIORITY_AND_VERSION} {instant} {_HOST} {app} {proc} - ".encode("ascii")
    return b"%d %b%b\n" % (len(header) + len(line) + 1, header, line)


class Batcher:
    """Frames in order of arrival, cut into batches by number, size and age.

    Args:
        lines_max: A batch has at most so many frames.
        size_max_bytes: And at most so many octets; a bigger frame goes alone.
        wait_s: A batch goes so long after its first frame came, however small it is.
    """

    def __init__(
        self,
        *,
        lines_max: int = BATCH_LINES,
        size_max_bytes: int = BATCH_SIZE_BYTES,
        wait_s: float = BATCH_WAIT_S,
    ) -> None:
        self._lines_max = lines_max
        self._size_max_bytes = size_max_bytes
        self._wait_s = wait_s
        self._frames: deque[tuple[bytes, float]] = deque()  # with the time each came
        self._size_bytes = 0

    def __len__(self) -> int:
        """Frames that wait."""
        return len(self._frames)

    @property
    def size_bytes(self) -> int:
        """Octets that wait."""
        return self._size_bytes

    def add(self, data: bytes, now_s: float) -> None:
        """Take one frame that came at `now_s` (any monotonic clock, the same in every call)."""
        self._frames.append((data, now_s))
        self._size_bytes += len(data)

    def wait_s(self, now_s: float) -> float | None:
        """Seconds until the next batch must go: 0 if it is full or old enough, None if nothing waits."""
        if not self._frames:
            return None
        if len(self._frames) >= self._lines_max or self._size_bytes >= self._size_max_bytes:
            return 0.0
        _, came_s = self._frames[0]
        return max(0.0, came_s + self._wait_s - now_s)

    def take(self) -> list[bytes]:
        """Remove and return the next batch, full or not; empty if nothing waits."""
        batch: list[bytes] = []
        room_bytes = self._size_max_bytes
        while self._frames and len(batch) < self._lines_max:
            data, _ = self._frames[0]
            if batch and len(data) > room_bytes:
                break
            self._frames.popleft()
            batch.append(data)
            room_bytes -= len(data)
        self._size_bytes -= sum(map(len, batch))
        return batch


class LineSplitter:
    """Cuts a stream of bytes at its newlines, whatever chunks it comes in.

    Args:
        size_max_bytes: A longer line comes out cut to one byte more than this: memory stays bounded, and
            whoever takes the line can see that it is too long.
    """

    def __init__(self, size_max_bytes: int) -> None:
        self._kept_bytes = size_max_bytes + 1
        self._begun = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next chunk; returns the lines that ended in it, without their newlines."""
        *ends, rest = chunk.split(b"\n")
        lines = [self._end(end) for end in ends]
        self._extend(rest)
        return lines

    def rest(self) -> list[bytes]:
        """At the end of the stream: the last line if it has no newline, else nothing."""
        return [self._end(b"")] if self._begun else []

    def _end(self, data: bytes) -> bytes:
        self._extend(data)
        line = bytes(self._begun)
        self._begun.clear()
        return line

    def _extend(self, data: bytes) -> None:
        self._begun += data[: self._kept_bytes - len(self._begun)]
