"""An event as it waits to be sent: encoded at the call, with the time and insert_id of every try."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from logdrain.clients.plain_values import JsonWriter, plain

OFFSET_MIN_MS = 60_000  # a clock that is off by less is left alone
IDENTIFY, GROUP, ALIAS, PAGE = "people.identify", "people.group", "people.alias", "web.page"

_NOT_IN_TAG = re.compile(r"[\s\]\x00-\x1f\x7f]")


class EventItem(NamedTuple):
    """One event of a body; only its time may change, and only where a clock was wrong.

    Attributes:
        start: JSON up to the time.
        time_ms: Unix milliseconds.
        end: JSON from the time on: `,"properties":{…}}`.
        insert_id: Names the event in answers.
        stamped: The time is the client's own, not the application's.
    """

    start: str
    time_ms: int
    end: str
    insert_id: str
    stamped: bool

    def encode(self) -> str:
        """The JSON object."""
        return f"{self.start}{self.time_ms}{self.end}"

    def adjusted(self, offset_ms: int) -> "EventItem":
        """The same event by the server's clock, with a mark that it was done."""
        properties = self.end.partition("{")[2]
        comma = "" if properties.startswith("}") else ","
        end = f',"properties":{{"clock_adjusted":true{comma}{properties}'
        return self._replace(time_ms=self.time_ms + offset_ms, end=end, stamped=False)


def event_item(
    event: str,
    ids: Mapping[str, Any],
    properties: Mapping[str, Any],
    moment: tuple[int, bool],
    writer: JsonWriter,
) -> EventItem:
    """Encode an event.

    Args:
        event: The table's name, as it was given.
        ids: insert_id, and user_id, anonymous_id, session_id where there are any.
        properties: The event's own fields.
        moment: Unix milliseconds, and whether they are the client's own.
        writer: Writes what the application gave.
    """
    head = writer.write({"event": event, **ids})
    end = f',"properties":{writer.write(properties)}}}'
    return EventItem(f'{head[:-1]},"time":', moment[0], end, str(ids["insert_id"]), moment[1])


def tagged_line(event: str, fields: Mapping[str, Any], writer: JsonWriter) -> str:
    """The line that a drain reads, with its newline; a tag cannot hold what would end it."""
    return f"@[{_NOT_IN_TAG.sub('_', event)}] {writer.write(fields)}\n"


def body_of(items: Sequence[EventItem]) -> bytes:
    """The body of a request: a JSON array."""
    return f"[{','.join([item.encode() for item in items])}]".encode()


def unix_ms(value: Any) -> int | None:
    """A time in unix milliseconds, as a drain reads it (s, ms, µs or ns by magnitude), or None.

    A datetime without a zone is in the machine's.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            return None
        if value.tzinfo is None:
            return None
    try:
        if isinstance(value, datetime):
            return int(value.timestamp() * 1000)
        if isinstance(value, bool) or not isinstance(value, int | float):
            number = plain(value, lambda _: None)
            return unix_ms(number) if type(number) in (int, float) else None
        return _by_magnitude(value)
    except (ValueError, OverflowError, OSError, TypeError, AttributeError):
        return None


def _by_magnitude(number: float) -> int:
    for limit, per_ms in ((10**11, 0.001), (10**14, 1), (10**17, 1000)):
        if abs(number) < limit:
            return int(number * 1000) if per_ms == 0.001 else int(number // per_ms)  # noqa: PLR2004
    return int(number // 1_000_000)


class BatchAnswer(NamedTuple):
    """What a server said of the events of a body.

    Attributes:
        rejected: Code by insert_id.
        server_ms: The server's clock, or None where it did not tell.
    """

    rejected: dict[str, str]
    server_ms: int | None


def read_answer(body: bytes) -> BatchAnswer:
    """Read an answer; one that cannot be read rejects nothing."""
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return BatchAnswer({}, None)
    listed = answer.get("rejected")
    rejected = {
        str(entry.get("insert_id")): str(entry.get("code", entry.get("error", "rejected")))
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict)
    }
    return BatchAnswer(rejected, unix_ms(answer.get("server_time")))
