"""A body of `POST /v1/events` -> events, quarantine and what is told of each item: the drain's second front.

What an item may be is docs/reference/http.md; names, values and limits are those of printed lines.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from logdrain.drain.ids import body_id, make_id
from logdrain.drain.reading import ParsedDelivery
from logdrain.drain.records import free_name, read_record, rename_reserved
from logdrain.drain.tags import Rejection, table_of
from logdrain.drain.times import is_local_time, record_time_ms
from logdrain.errors import BadRequest
from logdrain.model.events import (
    Delivery,
    DropReason,
    Event,
    LineKind,
    Origin,
    Quarantined,
    Record,
    RejectedItem,
    Table,
)
from logdrain.model.names import nearest_hint

AHEAD_MAX_MS = 3_600_000
"""An event time may lie so far ahead of the server's clock."""
INSERT_ID_SIZE_MAX_BYTES = 255
IDS = ("user_id", "anonymous_id", "session_id")
_FIELDS = ("event", "properties", *IDS, "time", "insert_id")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_decode_any = msgspec.json.Decoder(msgspec.Raw).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode


class _ItemTime(NamedTuple):
    """When an item happened.

    Attributes:
        time_ms: Unix milliseconds.
        fields: The properties without what the time was read from.
        is_given: The sender said it; else it is when the server took the item.
        is_local: The properties have a `time` without a zone.
    """

    time_ms: int
    fields: Record
    is_given: bool
    is_local: bool


def split_items(body: bytes) -> list[bytes]:
    """The octets of each item of a body: one object, an array, or a line for each (NDJSON).

    Raises:
        BadRequest: it begins as an array and is none.
    """
    text = body.removeprefix(_BYTE_ORDER_MARK).strip()
    if text.startswith(b"["):
        try:
            return [bytes(item).strip() for item in _decode_list(text)]
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequest(
                f"the body is no JSON array: {error}",
                hint="send an array, one object, or an object a line (application/x-ndjson)",
            ) from error
    try:
        _decode_any(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return [line for line in map(bytes.strip, text.split(b"\n")) if line]
    return [text]


def read_items(body: bytes, delivery: Delivery) -> ParsedDelivery:
    """Read the items of a body; the same delivery gives the same again, at any later time.

    Raises:
        BadRequest: as `split_items`.
    """
    parsed = ParsedDelivery()
    for index, raw in enumerate(split_items(body)):
        item = _read_item(raw)
        outcome = item if isinstance(item, Rejection) else _make_event(item, raw, index, delivery)
        parsed.frames += 1
        if isinstance(outcome, Event):
            parsed.batch.events.append(outcome)
            parsed.times_without_zone += outcome.has_time_without_zone
            parsed.kinds[LineKind.EVENT] += 1
            continue
        parsed.batch.quarantined.append(_quarantine(raw, index, delivery, outcome))
        parsed.kinds[LineKind.REJECTED] += 1
        insert_id = item.get("insert_id") if isinstance(item, dict) else None
        parsed.rejected_items.append(
            RejectedItem(
                index, insert_id if isinstance(insert_id, str) else None, outcome.reason, outcome.detail
            )
        )
    return parsed


def _read_item(raw: bytes) -> Record | Rejection:
    record = read_record(raw)
    if record is None:
        return Rejection(DropReason.NOT_AN_OBJECT, "an item is a JSON object")
    return record


def _make_event(item: Record, raw: bytes, index: int, delivery: Delivery) -> Event | Rejection:
    if detail := _mistake(item):
        return Rejection(DropReason.BAD_ITEM, detail)
    table = table_of(item["event"])
    if isinstance(table, Rejection):
        return table
    time = _time_of(item, delivery.received_ms)
    if isinstance(time, Rejection):
        return time
    insert_id = item.get("insert_id")
    if insert_id is None:
        event_id = make_id(time.time_ms, delivery.drain, delivery.id, index)
    elif not time.is_given:
        return Rejection(
            DropReason.INSERT_ID_WITHOUT_TIME,
            "an insert_id needs a time: the same item a second later would be another event",
        )
    else:
        event_id = make_id(time.time_ms, delivery.drain, f"insert_id:{insert_id}", 0)
    return Event(
        id=event_id,
        table=Table(*table),
        time_ms=time.time_ms,
        record=_with_ids(time.fields, item),
        origin=Origin(delivery.drain, "", "", ""),
        raw=raw,
        has_time_without_zone=time.is_local,
    )


def _mistake(item: Record) -> str:
    """What is wrong with an item's form, or ""."""
    for name in item:
        if name not in _FIELDS:
            hint = nearest_hint(name, _FIELDS, "an event's own fields stand in properties")
            return f"an item has no field {name!r}: {hint}"
    for name, is_right, what in _FORMS:
        value = item.get(name)
        if (value is not None or name == "event") and not is_right(value):
            return f"{name} must be {what}"
    return ""


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _is_insert_id(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value.encode("utf-8", "replace")) <= INSERT_ID_SIZE_MAX_BYTES


_FORMS: tuple[tuple[str, Callable[[Any], bool], str], ...] = (
    ("event", lambda value: isinstance(value, str), "the table's name, as in shop.pay"),
    ("properties", lambda value: isinstance(value, dict), "an object"),
    *((name, _is_id, "text or a whole number") for name in IDS),
    ("insert_id", _is_insert_id, f"text of 1 to {INSERT_ID_SIZE_MAX_BYTES} octets"),
)


def _time_of(item: Record, received_ms: int) -> _ItemTime | Rejection:
    """The item's `time`; else that of its properties, as in a printed line; else when it was received."""
    properties: Record = item.get("properties") or {}
    given, own = item.get("time"), properties.get("time")
    given_ms, own_ms = record_time_ms(given), record_time_ms(own)
    if given is not None and given_ms is None:
        return Rejection(
            DropReason.BAD_TIME, "time must be ISO 8601 with an offset, or unix seconds or milliseconds"
        )
    is_own = given is None and own_ms is not None
    time_ms = given_ms if given_ms is not None else own_ms if is_own else received_ms
    if time_ms is None or time_ms - received_ms > AHEAD_MAX_MS:
        return Rejection(DropReason.BAD_TIME, "time is more than an hour ahead of the server's clock")
    kept = free_name("time", properties) if "time" in properties else ""
    fields = {
        kept if name == "time" else name: value
        for name, value in properties.items()
        if not (name == "time" and is_own)
    }
    return _ItemTime(time_ms, fields, given_ms is not None or is_own, given is None and is_local_time(own))


def _with_ids(fields: Record, item: Record) -> Record:
    """The properties with the ids beside them; a property of an id's name is kept under another one."""
    given = {name: item[name] for name in IDS if item.get(name) is not None}
    renamed = {free_name(name, fields) if name in given else name: value for name, value in fields.items()}
    return rename_reserved({**renamed, **given})


def _quarantine(raw: bytes, index: int, delivery: Delivery, rejection: Rejection) -> Quarantined:
    """An entry that a repeat of the body makes again, though its delivery has another name."""
    return Quarantined(
        id=make_id(None, delivery.drain, body_id(raw), index),
        reason=rejection.reason,
        detail=rejection.detail,
        time_ms=delivery.received_ms,
        origin=Origin(delivery.drain, "", "", ""),
        raw=raw,
    )
