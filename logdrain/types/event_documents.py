"""An event as a BSON document: `_id`, `time` (date, ms) and `_origin`, then the record's fields.

What stands before the fields is put together as octets (https://bsonspec.org): it has the same form in every
event, and most of it is the same for all events of a process.
"""

from collections.abc import Hashable, Iterable, Sequence
from functools import lru_cache
from struct import Struct

import bson

from logdrain.model.events import Origin, Record

HOUR_MS = 3_600_000
KEY_SIZE_BYTES_MIN = 5
"""A key in JSON takes at least this: `"":1,`."""

_SIZE = Struct("<i")
_ARRAY_AT = _SIZE.size + 1 + 1 + _SIZE.size  # of a document that is an array under an empty key
_HEAD = Struct("<i10s16s6sq")
_ID = b"\x05_id\x00" + (16).to_bytes(4, "little") + b"\x04"  # a UUID
_ID_AT = _SIZE.size + len(_ID)
_TIME = b"\x09time\x00"
_ORIGIN = b"\x03_origin\x00"
_CONTAINERS = frozenset({dict, list})

Shape = Hashable
"""Equal for records with the same keys in the same order, and the same types: its hash is remembered."""


def encode_document(event_id: bytes, time_ms: int, origin: bytes, record: Record) -> bytes:
    """An event's document.

    Args:
        event_id: 16 bytes.
        time_ms: Event time.
        origin: What `encode_origin` gave.
        record: The fields, none of which is called `_id`, `time` or `_origin`.

    Raises:
        OverflowError: an integer beyond 64 bits.
        InvalidDocument: a key with U+0000.
        UnicodeEncodeError: half of a surrogate pair.
    """
    fields = bson.encode(record)
    size = _HEAD.size + len(origin) + len(fields) - _SIZE.size
    return _HEAD.pack(size, _ID, event_id, _TIME, time_ms) + origin + fields[_SIZE.size :]


def encode_documents(heads: Iterable[tuple[bytes, int, bytes]], records: Sequence[Record]) -> list[bytes]:
    """As `encode_document`, for many: all records are encoded at once, as an array.

    Args:
        heads: Id, time and origin of each.
        records: Their fields.
    """
    documents = []
    array = bson.encode({"": records})
    at = _ARRAY_AT
    for number, (event_id, time_ms, origin) in enumerate(heads):
        at += 2 + len(str(number))  # type, key
        (fields_size,) = _SIZE.unpack_from(array, at)
        size = _HEAD.size + len(origin) + fields_size - _SIZE.size
        fields = array[at + _SIZE.size : at + fields_size]
        documents.append(_HEAD.pack(size, _ID, event_id, _TIME, time_ms) + origin + fields)
        at += fields_size
    return documents


@lru_cache(maxsize=1024)  # an application has a handful of processes
def encode_origin(origin: Origin) -> bytes:
    """The element `_origin` of a document."""
    return _ORIGIN + bson.encode(origin_document(origin))


def origin_document(origin: Origin) -> dict[str, str]:
    """An origin as it is stored: the token only where there is one."""
    document = {"drain": origin.drain, "app": origin.app, "proc": origin.proc}
    if origin.token:
        document["token"] = origin.token
    return document


def read_origin(document: dict[str, str]) -> Origin:
    """An origin from what `origin_document` made."""
    return Origin(document["drain"], document["app"], document["proc"], document.get("token", ""))


def document_id(document: bytes) -> bytes:
    """The 16 bytes of `_id` of a document that begins with it, as all of ours do."""
    return document[_ID_AT : _ID_AT + 16]


def document_time_ms(document: bytes) -> int:
    """The event time of an event's document."""
    time_ms: int = _HEAD.unpack_from(document)[-1]
    return time_ms


def shape_of(record: Record, depth_max: int = 1_000) -> Shape:
    """The shape of a record as BSON holds it.

    Raises:
        RecursionError: it is nested deeper than `depth_max`.
    """
    kinds: tuple[object, ...] = tuple(map(type, record.values()))
    if not _CONTAINERS.isdisjoint(kinds):
        if not depth_max:
            raise RecursionError
        kinds = tuple([_kind(value, depth_max - 1) for value in record.values()])
    return tuple(record), kinds


def _kind(value: object, depth_max: int) -> object:
    if isinstance(value, dict):
        return shape_of(value, depth_max)
    if isinstance(value, list):
        if not depth_max:
            raise RecursionError
        return frozenset([_kind(element, depth_max - 1) for element in value])
    return type(value)
