"""What a Logplex node writes: messages as octet-counted frames of one body. Pure.

Source: Heroku Dev Center, "Log Drains"; RFC 6587 section 3.4.1 (octet counting). The header is RFC 5424's
with one dash where that has two: there is no field for structured data.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

APP_PRIORITY = 190  # local7.info: what an application prints to STDOUT
PAYLOAD_LIMIT_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class LogplexMessage:
    """One line as a node has it.

    Attributes:
        time: Aware; written in UTC, without a fraction where it has none.
        text: The payload's octets, without the final newline.
        ends_in_newline: False for L10, `heroku api` and the first pieces of a line that was cut.
    """

    time: datetime
    text: bytes
    host: str = "host"
    app: str = "app"
    proc: str = "web.1"
    priority: int = APP_PRIORITY
    ends_in_newline: bool = True


def encode_body(messages: Iterable[LogplexMessage]) -> bytes:
    """The request body that carries these messages, in order; b"" for none."""
    return b"".join(map(encode_frame, messages))


def encode_frame(message: LogplexMessage) -> bytes:
    """`83 <190>1 2012-11-30T06:45:29+00:00 host app web.1 - text`; octets are counted, newline too."""
    time = message.time.astimezone(UTC).isoformat()
    header = f"<{message.priority}>1 {time} {message.host} {message.app} {message.proc} - "
    line = header.encode() + message.text + (b"\n" if message.ends_in_newline else b"")
    return f"{len(line)} ".encode() + line


def cut_long(message: LogplexMessage) -> Iterator[LogplexMessage]:
    """The message as Logplex passes it on: in pieces of 10,000 octets, cut anywhere, without a mark.

    Only the last piece keeps the newline.
    """
    last = max(0, len(message.text) - 1) // PAYLOAD_LIMIT_BYTES
    for number in range(last + 1):
        start = number * PAYLOAD_LIMIT_BYTES
        piece = message.text[start : start + PAYLOAD_LIMIT_BYTES]
        yield replace(message, text=piece, ends_in_newline=message.ends_in_newline and number == last)
