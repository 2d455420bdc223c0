"""Events and quarantine entries -> BSON documents."""

from collections.abc import Iterator
from typing import Any

import bson
from bson.binary import UUID_SUBTYPE, Binary
from bson.datetime_ms import DatetimeMS
from bson.dbref import DBRef
from bson.decimal128 import Decimal128
from bson.errors import InvalidDocument
from bson.timestamp import Timestamp

from logdrain.model.events import DropReason, Event, Origin, Quarantined, Split

DOCUMENT_SIZE_MAX_BYTES = 16 * 1024 * 1024
# A part of a raw text that leaves room for the rest of its document.
_PART_SIZE_BYTES = 15 * 1024 * 1024
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
REFERENCE_OCTETS = b"\x02$ref\x00"
"""In every encoded document that bson reads a DBRef from."""

# size, type, "_id\0", length, subtype (https://bsonspec.org)
_ID_START, _ID_SIZE_BYTES = 4 + 1 + 4 + 4 + 1, 16


def binary_id(value: bytes) -> Binary:
    """16 bytes as MongoDB's UUID."""
    return Binary(value, UUID_SUBTYPE)


def document_id(document: bytes) -> bytes:
    """The 16 bytes of `_id` of a document that begins with `binary_id`, as all of ours do."""
    return document[_ID_START : _ID_START + _ID_SIZE_BYTES]


def origin_document(origin: Origin) -> dict[str, str]:
    """An origin as it is stored: the token only where there is one."""
    document = {"drain": origin.drain, "app": origin.app, "proc": origin.proc}
    if origin.token:
        document["token"] = origin.token
    return document


def read_origin(document: dict[str, str]) -> Origin:
    """An origin from what `origin_document` made."""
    return Origin(document["drain"], document["app"], document["proc"], document.get("token", ""))


def encode_event(event: Event) -> bytes | Quarantined:
    """An event's document: `_id`, `time` (date, ms), `_origin`, then the record's fields."""
    document: dict[str, Any] = {
        "_id": binary_id(event.id),
        "time": DatetimeMS(event.time_ms),
        "_origin": origin_document(event.origin),
    }
    try:
        encoded = bson.encode(document | event.record)
    except OverflowError:
        encoded = bson.encode(document | _with_decimals(event.record))
    except (InvalidDocument, UnicodeEncodeError) as error:
        return quarantine_event(event, DropReason.STORE_REJECTED, str(error))
    if len(encoded) > DOCUMENT_SIZE_MAX_BYTES:
        detail = f"the document has {len(encoded)} bytes, at most {DOCUMENT_SIZE_MAX_BYTES} are possible"
        return quarantine_event(event, DropReason.TOO_LARGE, detail)
    return encoded


def quarantine_event(event: Event, reason: DropReason, detail: str) -> Quarantined:
    """The quarantine entry of an event that cannot be stored; it keeps the event's id."""
    return Quarantined(event.id, reason, detail, event.time_ms, event.origin, event.raw)


def encode_quarantined(item: Quarantined, received_ms: int) -> Iterator[bytes]:
    """The document of an entry, or several where its octets are more than one holds."""
    raw = item.raw
    parts = max(1, -(-len(raw) // _PART_SIZE_BYTES))
    for part in range(parts):
        # Ids of further parts differ in their last octets, where there is hash only.
        number = (int.from_bytes(item.id, "big") + part) % 2**128
        part_id = number.to_bytes(16, "big")
        document = {
            "_id": binary_id(part_id),
            "reason": item.reason.value,
            "detail": item.detail,
            "time": None if item.time_ms is None else DatetimeMS(item.time_ms),
            "received_at": DatetimeMS(received_ms),
            "_origin": origin_document(item.origin),
            "raw": raw[part * _PART_SIZE_BYTES : (part + 1) * _PART_SIZE_BYTES],
            "part": part,
            "parts": parts,
        }
        yield bson.encode(document)


def encode_split(split: Split, received_ms: int) -> bytes:
    """A waiting line's document."""
    return bson.encode(
        {
            "_id": binary_id(split.id),
            "state": "waiting",
            "origin": origin_document(split.origin),
            "time": None if split.time_ms is None else DatetimeMS(split.time_ms),
            "delivery_id": split.delivery_id,
            "position": split.position,
            "raw": split.raw,
            "continued_by": list(split.continued_by),
            "claimed_by": split.claimed_by,
            "received_at": DatetimeMS(received_ms),
            "waits_since": Timestamp(0, 0),  # MongoDB puts its own clock here
        }
    )


def decode_split(document: dict[str, Any]) -> Split:
    """A waiting line from its document; `raw` is empty once it was joined."""
    time = document["time"]
    return Split(
        id=bytes(document["_id"]),
        origin=read_origin(document["origin"]),
        time_ms=None if time is None else int(time),
        delivery_id=document["delivery_id"],
        position=document["position"],
        raw=bytes(document.get("raw", b"")),
        continued_by=tuple(document["continued_by"]),
        claimed_by=document.get("claimed_by", ""),
    )


def own_objects(value: Any) -> Any:
    """A decoded value without DBRefs: bson makes one of a record's own object with keys `$ref` and `$id`.

    These keys come first in it, then `$db`.
    """
    if isinstance(value, DBRef):
        value = value.as_doc()
    if isinstance(value, dict):
        return {key: own_objects(item) for key, item in value.items()}
    if isinstance(value, list):
        return [own_objects(item) for item in value]
    return value


def _with_decimals(value: Any) -> Any:
    """Integers beyond 64 bits as Decimal128: BSON's only type that holds them exactly (34 digits)."""
    if isinstance(value, dict):
        return {key: _with_decimals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_decimals(item) for item in value]
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return Decimal128(str(value))
    return value
