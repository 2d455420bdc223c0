"""Events of a batch -> documents by table: the part of storing that keeps a processor busy."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from logdrain.events.bson.documents import encode_event, quarantine_event
from logdrain.events.write.shapes import ObjectShape, shape_of
from logdrain.model.events import DropReason, Event, Quarantined, Record

HOUR_MS = 3_600_000
# A key in JSON takes at least this: "":1,
_KEY_SIZE_BYTES_MIN = 5


@dataclass(slots=True)
class Encoded:
    """A batch's events, ready to insert.

    Attributes:
        documents: By table; `events` has the event of each at the same place.
        quarantined: Events that cannot be stored.
        shapes: The different shapes of the records, by table and hash.
        times_without_zone: Tables with records whose `time` has no zone.
        hours: Which hours of event time they belong to: table and hours since 1970.
    """

    documents: dict[str, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    events: dict[str, list[Event]] = field(default_factory=lambda: defaultdict(list))
    quarantined: list[Quarantined] = field(default_factory=list)
    shapes: dict[str, dict[int, ObjectShape]] = field(default_factory=lambda: defaultdict(dict))
    times_without_zone: set[str] = field(default_factory=set)
    hours: set[tuple[str, int]] = field(default_factory=set)


def encode_events(events: Sequence[Event], keys_per_record_max: int) -> Encoded:
    """Encode events; those that no document can hold become quarantine entries."""
    done = Encoded()
    for event in events:
        encoded = _encode(event, keys_per_record_max)
        if isinstance(encoded, Quarantined):
            done.quarantined.append(encoded)
            continue
        table = event.table.name
        done.documents[table].append(encoded)
        done.events[table].append(event)
        shape = shape_of(event.record)
        done.shapes[table][hash(shape)] = shape
        if event.has_time_without_zone:
            done.times_without_zone.add(table)
        done.hours.add((table, event.time_ms // HOUR_MS))
    return done


def _encode(event: Event, keys_max: int) -> bytes | Quarantined:
    # Counted only where there is room for so many.
    if len(event.raw) > keys_max * _KEY_SIZE_BYTES_MIN:
        count = count_keys(event.record)
        if count > keys_max:
            detail = f"the record has {count} keys, at most {keys_max} are allowed"
            return quarantine_event(event, DropReason.TOO_MANY_KEYS, detail)
    return encode_event(event)


def count_keys(record: Record) -> int:
    """The keys of a record, with those of objects and arrays in it."""
    count = 0
    left: list[Any] = [record]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            count += len(value)
            left += value.values()
        elif isinstance(value, list):
            left += value
    return count
