"""Whole tagged lines of applications, from octets to documents in one pass: what most bodies hold.

Whatever is not exactly of that form takes the road that `reading.py` describes, which is the specification:
both give the same documents, counts and quarantine (tests/unit/drain/test_bulk.py). What the form asks for:

- a frame whose count ends at its newline, with no other newline behind it: no need to look further
- `<PRI>1 TIME HOST APP PROCID MSGID @[tag] {…}`, single spaces, nothing else before the tag
- a process without an unfinished line
- a tag that names a table, and a JSON object that BSON holds as it is, with a time that is certain
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import compress
from operator import attrgetter
from typing import Any, NamedTuple

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
    encode_documents,
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
_ROWS_MAX = 256
_ROWS_SIZE_MAX_BYTES = 1024 * 1024
_NO_JSON = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_NOT_AS_IT_IS = (OverflowError, InvalidDocument, UnicodeEncodeError, RecursionError)
_decode = msgspec.json.Decoder().decode


def parse_in_bulk(body: bytes, delivery: Delivery, keys_per_record_max: int) -> ParsedDelivery:
    """As `reading.parse`, but that events which need no second look are documents already.

    Args:
        body: A decoded request body, any bytes.
        delivery: Where it came in.
        keys_per_record_max: A payload with room for more keys is not read in bulk.
    """
    frames = FrameReader(delivery)
    clean = _CleanFrames(body, frames, delivery, keys_per_record_max)
    position = 0
    at = skip_space(body, 0)
    while at < len(body):
        end = clean.take(at, position)
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
        is_app: The application, not the platform.
    """

    origin: Origin
    element: bytes
    is_app: bool


_Row = tuple[int, int, _Sender, str, bytes, bytes, bytes]
"""Of a line with a clean header: its frame's start, position, sender, table, payload, header time, record."""


class _CleanFrames:
    """Takes frames that need no second look.

    Tagged lines are read some at a time, each step over all of them: line by line they would take half as
    long again. A line that a step cannot read goes to the careful road, and takes its place in order there.
    """

    def __init__(
        self, body: bytes, frames: FrameReader, delivery: Delivery, keys_per_record_max: int
    ) -> None:
        self._body = body
        self._frames = frames
        self._tables = frames.parsed.batch.documents
        self._seen, self._open = frames.line_filter.seen, frames.line_filter.open
        self._delivery = delivery
        self._ids = IdGenerator(delivery.drain, delivery.id)
        self._size_max_bytes = min(_PAYLOAD_SIZE_MAX_BYTES, keys_per_record_max * KEY_SIZE_BYTES_MIN)
        self._senders: dict[bytes, _Sender] = {}  # whose process had a message in this delivery
        self._priorities: set[bytes] = set()
        self._plain = Counter[LineKind]()
        self._rows: list[_Row] = []
        self._rows_size_bytes = 0

    def take(self, at: int, position: int) -> int:
        """Take the frame that begins here; returns where it ends, or 0 where it was not taken."""
        body = self._body
        space = body.find(b" ", at, at + _COUNT_DIGITS_MAX + 1)
        if space < 0 or not body[at:space].isdigit():
            return 0
        end = space + 1 + int(body[at:space])
        ending = body[end - 1 : end + 1]
        if ending[:1] != b"\n" or ending == b"\n\n":
            return 0
        head, mark, tagged = body[space + 1 : end - 1].partition(b" @[")
        is_taken = self._take_tagged(at, position, head, tagged) if mark else self._take_plain(head)
        return end if is_taken else 0

    def finish(self) -> None:
        """Read what is left, and count."""
        self._read()
        parsed = self._frames.parsed
        parsed.messages.sort(key=attrgetter("position"))
        events = parsed.batch.events_count
        parsed.kinds.update({LineKind.EVENT: events, **self._plain})
        parsed.frames += events + self._plain.total()

    def _take_tagged(self, at: int, position: int, head: bytes, tagged: bytes) -> bool:
        priority, _, head = head.partition(b" ")
        time, _, name = head.partition(b" ")
        sender = self._senders.get(name) or self._find_sender(name)
        if sender is None or not sender.is_app or not self._is_header(priority, time):
            return False
        tag, _, text = tagged.partition(b"] ")
        table = _table_name(tag) if len(tag) < _NAME_SIZE_MAX_BYTES else ""
        if not table or len(tagged) > self._size_max_bytes or (self._open and sender.origin in self._open):
            return False
        if name not in self._senders:
            self._begin(name, sender)
        self._rows.append((at, position, sender, table, b"@[" + tagged, time, text))
        self._rows_size_bytes += len(tagged)
        if len(self._rows) == _ROWS_MAX or self._rows_size_bytes > _ROWS_SIZE_MAX_BYTES:
            self._read()
        return True

    def _take_plain(self, message: bytes) -> bool:
        """Lines that are only counted: of the platform, and of processes that had a message before."""
        priority, _, rest = message.partition(b" ")
        time, _, rest = rest.partition(b" ")
        *names, text = rest.split(b" ", _SPACES_IN_SENDER + 1)
        name = b" ".join(names)
        sender = self._senders.get(name) or self._find_sender(name)
        if sender is None or not self._is_header(priority, time):
            return False
        if sender.is_app:
            has_more = sender.origin not in self._seen or sender.origin in self._open or b"@" in text
        else:
            has_more = b"Error L1" in text  # a loss
        if has_more:
            return False
        self._plain[LineKind.APP if sender.is_app else LineKind.PLATFORM] += 1
        return True

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
        if sender.origin not in self._seen:
            self._seen.add(sender.origin)
            self._frames.parsed.begun.add(sender.origin)

    def _read(self) -> None:
        """Rows to records and times."""
        rows, self._rows, self._rows_size_bytes = self._rows, [], 0
        if not rows:
            return
        *_, header_times, texts = zip(*rows, strict=True)
        records = _decode_each(texts)
        times_ms = list(map(_take_time, records, header_times))
        if None in times_ms:
            is_certain = [time_ms is not None for time_ms in times_ms]
            self._look_again([row for row, is_kept in zip(rows, is_certain, strict=True) if not is_kept])
            rows, records = list(compress(rows, is_certain)), list(compress(records, is_certain))
        self._store(rows, records, [time_ms for time_ms in times_ms if time_ms is not None])

    def _store(self, rows: list[_Row], records: list[Record], times_ms: list[int]) -> None:
        """Records to documents, by table."""
        ids = self._ids.make(times_ms, [row[1] for row in rows])
        heads = [(each, at_ms, row[2].element) for each, at_ms, row in zip(ids, times_ms, rows, strict=True)]
        try:
            shapes = [hash(shape_of(record, _DEPTH_MAX)) for record in records]
            documents = encode_documents(heads, records)
        except _NOT_AS_IT_IS:
            self._store_each(rows, records, times_ms)
            return
        for row, record, time_ms, shape, document in zip(
            rows, records, times_ms, shapes, documents, strict=True
        ):
            table = self._tables[row[3]]
            table.documents.append(document)
            table.raws.append(row[4])
            table.shapes.setdefault(shape, record)
            table.hours.add(time_ms // HOUR_MS)

    def _store_each(self, rows: list[_Row], records: list[Record], times_ms: list[int]) -> None:
        """As `_store`: one of them is no document as it is."""
        if len(rows) == 1:
            self._look_again(rows)
            return
        for row, record, time_ms in zip(rows, records, times_ms, strict=True):
            self._store([row], [record], [time_ms])

    def _look_again(self, rows: Iterable[_Row]) -> None:
        for at, position, *_ in rows:
            frame, _ = frame_at(self._body, at, position)
            self._frames.take(frame)


@lru_cache(maxsize=1024)
def _read_sender(name: bytes, drain: str, token: str) -> _Sender | None:
    """`HOST APP PROCID MSGID`, read as a header by those who know."""
    message = read_message(Frame(0, b"<1>1 - " + name, resync=False, junk=False))
    if message is None or message.ended or name.count(b" ") != _SPACES_IN_SENDER:
        return None
    origin = Origin(drain, message.app, message.proc, token)
    return _Sender(origin, encode_origin(origin), kind_of(message) is LineKind.APP)


@lru_cache(maxsize=1024)
def _table_name(tag: bytes) -> str:
    """The table that a tag names; "" where that takes a second look."""
    table = table_of(tag.decode()) if _PLAIN_TAG.fullmatch(tag) else None
    return table.name if isinstance(table, Table) else ""


def _decode_each(texts: Sequence[bytes]) -> list[Any]:
    """JSON values; None where there is none, or more than one."""
    try:
        return list(map(_decode, texts))
    except _NO_JSON:
        return [_decode_or_none(text) for text in texts]


def _decode_or_none(text: bytes) -> Any:
    try:
        return _decode(text)
    except _NO_JSON:
        return None


def _take_time(record: Any, header_time: bytes) -> int | None:
    """The event time, taken out of a record; None where it is not certain, or this is no plain record."""
    if type(record) is not dict or not RESERVED_KEYS.isdisjoint(record):
        return None
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
