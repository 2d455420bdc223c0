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

from logdrain.model.events import DropReason, Event, NearMiss, Quarantined, Split
from logdrain.types.event_documents import (
    document_id,
    document_time_ms,
    encode_document,
    encode_origin,
    origin_document,
    read_origin,
)

DOCUMENT_SIZE_MAX_BYTES = 16 * 1024 * 1024
# A part of a raw text that leaves room for the rest of its document.
_PART_SIZE_BYTES = 15 * 1024 * 1024
INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
REFERENCE_OCTETS = b"\x02$ref\x00"
"""In every encoded document that bson reads a DBRef from."""


def binary_id(value: bytes) -> Binary:
    """16 bytes as MongoDB's UUID."""
    return Binary(value, UUID_SUBTYPE)


def encode_event(event: Event) -> bytes | Quarantined:
    """An event's document.

    Raises:
        OverflowError: an integer of the record has more than 64 bits: see `with_decimals`.
    """
    try:
        encoded = encode_document(event.id, event.time_ms, encode_origin(event.origin), event.record)
    except (InvalidDocument, UnicodeEncodeError) as error:
        return quarantine_event(event, DropReason.STORE_REJECTED, str(error))
    if len(encoded) > DOCUMENT_SIZE_MAX_BYTES:
        detail = f"the document has {len(encoded)} bytes, at most {DOCUMENT_SIZE_MAX_BYTES} are possible"
        return quarantine_event(event, DropReason.TOO_LARGE, detail)
    return encoded


def quarantine_event(event: Event, reason: DropReason, detail: str) -> Quarantined:
    """The quarantine entry of an event that cannot be stored; it keeps the event's id."""
    return Quarantined(event.id, reason, detail, event.time_ms, event.origin, event.raw)


def quarantine_document(document: bytes, raw: bytes, reason: DropReason, detail: str) -> Quarantined:
    """The quarantine entry of an event that was encoded already."""
    origin = read_origin(bson.decode(document)["_origin"])
    return Quarantined(document_id(document), reason, detail, document_time_ms(document), origin, raw)


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


def near_miss_document(item: NearMiss, received_ms: int) -> dict[str, Any]:
    """A near miss as it is stored."""
    return {
        "_id": binary_id(item.id),
        "reason": item.reason.value,
        "detail": item.detail,
        "time": None if item.time_ms is None else DatetimeMS(item.time_ms),
        "received_at": DatetimeMS(received_ms),
        "_origin": origin_document(item.origin),
        "raw": item.raw,
    }


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
            "is_structured": split.is_structured,
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
        is_structured=document.get("is_structured", False),
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


def with_decimals(value: Any) -> Any:
    """Integers beyond 64 bits as Decimal128: BSON's only type that holds them exactly (34 digits)."""
    if isinstance(value, dict):
        return {key: with_decimals(item) for key, item in value.items()}
    if isinstance(value, list):
        return [with_decimals(item) for item in value]
    if isinstance(value, int) and not INT64_MIN <= value <= INT64_MAX:
        return Decimal128(str(value))
    return value
