"""Whole tagged lines of applications, from octets to documents in one pass: what most bodies hold.

Whatever is not exactly of that form takes the road that `reading.py` describes, which is the specification:
both give the same documents, counts and quarantine (tests/unit/drain/test_bulk.py). What the form asks for:

- a frame whose count ends at its newline, with no other newline behind it: no need to look further
- `<PRI>1 TIME HOST APP PROCID MSGID @[tag] {…}`, single spaces, nothing else before the tag
- a process without an unfinished line
- a tag that names a table, and a JSON object that BSON holds as it is, with a time that is certain
"""

import re
from functools import lru_cache
from typing import NamedTuple

import msgspec
from bson.errors import InvalidDocument

from logdrain.drain.frames import frame_at, skip_space
from logdrain.drain.ids import IdGenerator
from logdrain.drain.messages import kind_of, read_message
from logdrain.drain.reading import FrameReader, ParsedDelivery
from logdrain.drain.records import RESERVED_KEYS
from logdrain.drain.tags import table_of
from logdrain.drain.times import record_time_ms, text_time_ms
from logdrain.model.events import Delivery, Frame, LineKind, Origin, Record, Table
from logdrain.types.event_documents import (
    HOUR_MS,
    KEY_SIZE_BYTES_MIN,
    encode_document,
    encode_origin,
    shape_of,
)

_PAYLOAD_SIZE_MAX_BYTES = 1024 * 1024
_DEPTH_MAX = 32
# What is remembered of senders and tags is short.
_NAME_SIZE_MAX_BYTES = 512
_COUNT_DIGITS_MAX = 8
_SPACES_IN_SENDER = 3
_TIME_OCTETS = b"0123456789-:.TZ+"
_PLAIN_TAG = re.compile(rb"[\w.-]+")
_PRIORITY = re.compile(rb"<\d{1,3}>\d{1,3}")
_SECOND = re.compile(rb"\d{4}-\d\d-\d\dT(?!24)\d\d:\d\d:\d\d")
_SECONDS_BELOW = 10**11
_ABSENT = object()
_NOT_AS_IT_IS = (
    *(msgspec.DecodeError, UnicodeDecodeError, RecursionError),
    *(OverflowError, InvalidDocument, UnicodeEncodeError),
)
_decode = msgspec.json.Decoder().decode


def parse_in_bulk(body: bytes, delivery: Delivery, keys_per_record_max: int) -> ParsedDelivery:
    """As `reading.parse`, but that events which need no second look are documents already.

    Args:
        body: A decoded request body, any bytes.
        delivery: Where it came in.
        keys_per_record_max: A payload with room for more keys is not read in bulk.
    """
    frames = FrameReader(delivery)
    clean = _CleanFrames(frames, delivery, keys_per_record_max)
    position = 0
    at = skip_space(body, 0)
    while at < len(body):
        end = clean.take(body, at, position)
        if not end:
            frame, end = frame_at(body, at, position)
            frames.take(frame)
        position += 1
        at = end if body[end : end + 1].isdigit() else skip_space(body, end)
    clean.finish()
    return frames.finish()


class _Sender(NamedTuple):
    """Who printed a message, from its header.

    Attributes:
        element: The origin as it is in a document.
        kind: APP or PLATFORM.
    """

    origin: Origin
    element: bytes
    kind: LineKind


class _CleanFrames:
    """Takes frames that need no second look.

    A sender is in `_senders` once its process had a message in this delivery.
    """

    def __init__(self, frames: FrameReader, delivery: Delivery, keys_per_record_max: int) -> None:
        self._parsed = frames.parsed
        self._processes = frames.line_filter
        self._delivery = delivery
        self._ids = IdGenerator(delivery.drain, delivery.id)
        self._size_max_bytes = min(_PAYLOAD_SIZE_MAX_BYTES, keys_per_record_max * KEY_SIZE_BYTES_MIN)
        self._senders: dict[bytes, _Sender] = {}
        self._priorities: set[bytes] = set()
        self._counts = dict.fromkeys((LineKind.EVENT, LineKind.APP, LineKind.PLATFORM), 0)

    def take(self, body: bytes, at: int, position: int) -> int:
        """Take the frame that begins here; returns where it ends, or 0 where it was not taken."""
        space = body.find(b" ", at, at + _COUNT_DIGITS_MAX + 1)
        if space < 0 or not body[at:space].isdigit():
            return 0
        end = space + 1 + int(body[at:space])
        ending = body[end - 1 : end + 1]
        if ending[:1] != b"\n" or ending == b"\n\n":
            return 0
        head, mark, tagged = body[space + 1 : end - 1].partition(b" @[")
        kind = self._read_tagged(head, tagged, position) if mark else self._read_plain(head)
        if kind is None:
            return 0
        self._counts[kind] += 1
        return end

    def finish(self) -> None:
        """Count what was taken."""
        self._parsed.kinds.update(self._counts)
        self._parsed.frames += sum(self._counts.values())

    def _read_tagged(self, head: bytes, tagged: bytes, position: int) -> LineKind | None:
        priority, _, head = head.partition(b" ")
        time, _, name = head.partition(b" ")
        sender = self._senders.get(name) or self._find_sender(name)
        if sender is None or sender.kind is not LineKind.APP or not self._is_header(priority, time):
            return None
        tag, _, text = tagged.partition(b"] ")
        table = _table_name(tag) if len(tag) < _NAME_SIZE_MAX_BYTES else ""
        if not table or sender.origin in self._processes.open or len(tagged) > self._size_max_bytes:
            return None
        try:
            record = _decode(text)
            if type(record) is not dict or not RESERVED_KEYS.isdisjoint(record):
                return None
            time_ms = _take_time(record, time)
            if time_ms is None:
                return None
            shape = hash(shape_of(record, _DEPTH_MAX))
            document = encode_document(self._ids.at(time_ms, position), time_ms, sender.element, record)
        except _NOT_AS_IT_IS:
            return None
        if name not in self._senders:
            self._begin(name, sender)
        documents = self._parsed.batch.documents[table]
        documents.documents.append(document)
        documents.raws.append(b"@[" + tagged)
        documents.shapes.setdefault((shape, time_ms // HOUR_MS), document)
        return LineKind.EVENT

    def _read_plain(self, message: bytes) -> LineKind | None:
        """Lines that are only counted: of the platform, and of processes that had a message before."""
        priority, _, rest = message.partition(b" ")
        time, _, rest = rest.partition(b" ")
        *names, text = rest.split(b" ", _SPACES_IN_SENDER + 1)
        name = b" ".join(names)
        sender = self._senders.get(name) or self._find_sender(name)
        if sender is None or not self._is_header(priority, time):
            return None
        if sender.kind is LineKind.PLATFORM:
            return None if b"Error L1" in text else sender.kind
        has_more = sender.origin not in self._processes.seen or sender.origin in self._processes.open
        return None if has_more or b"@" in text else sender.kind

    def _is_header(self, priority: bytes, time: bytes) -> bool:
        if priority not in self._priorities:
            if not _PRIORITY.fullmatch(priority):
                return False
            self._priorities.add(priority)
        return bool(time) and not time.strip(_TIME_OCTETS)

    def _find_sender(self, name: bytes) -> _Sender | None:
        if len(name) > _NAME_SIZE_MAX_BYTES:
            return None
        return _read_sender(name, self._delivery.drain, self._delivery.token)

    def _begin(self, name: bytes, sender: _Sender) -> None:
        self._senders[name] = sender
        if sender.origin not in self._processes.seen:
            self._processes.seen.add(sender.origin)
            self._parsed.begun.add(sender.origin)


@lru_cache(maxsize=1024)
def _read_sender(name: bytes, drain: str, token: str) -> _Sender | None:
    """`HOST APP PROCID MSGID`, read as a header by those who know."""
    message = read_message(Frame(0, b"<1>1 - " + name, resync=False, junk=False))
    if message is None or message.ended or name.count(b" ") != _SPACES_IN_SENDER:
        return None
    origin = Origin(drain, message.app, message.proc, token)
    return _Sender(origin, encode_origin(origin), kind_of(message))


@lru_cache(maxsize=1024)
def _table_name(tag: bytes) -> str:
    """The table that a tag names; "" where that takes a second look."""
    table = table_of(tag.decode()) if _PLAIN_TAG.fullmatch(tag) else None
    return table.name if isinstance(table, Table) else ""


def _take_time(record: Record, header_time: bytes) -> int | None:
    """The event time, taken out of the record; None where it is not certain."""
    own = record.pop("time", _ABSENT)
    if own is _ABSENT:
        return _header_time_ms(header_time)
    if type(own) is int and 0 <= own < _SECONDS_BELOW:
        return own * 1000
    if type(own) in (int, float) or (type(own) is str and own.endswith("Z")):
        return record_time_ms(own)
    return None


def _header_time_ms(text: bytes) -> int | None:
    """As `text_time_ms`; in Logplex's form, most of it was read a moment ago."""
    if text[26:] == b"+00:00" and text[19:20] == b"." and text[20:26].isdigit():
        second_ms = _second_ms(text[:19])
        if second_ms is not None:
            return second_ms + int(text[20:23])
    return text_time_ms(text.decode())


@lru_cache(maxsize=64)
def _second_ms(second: bytes) -> int | None:
    return text_time_ms(f"{second.decode()}+00:00") if _SECOND.fullmatch(second) else None
