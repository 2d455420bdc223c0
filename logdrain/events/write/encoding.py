"""Events of a batch -> documents by table: the part of storing that keeps a processor busy."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from logdrain.events.bson.documents import encode_event, quarantine_event, with_decimals
from logdrain.model.events import DropReason, Event, Quarantined, Record, TableDocuments
from logdrain.types.event_documents import HOUR_MS, KEY_SIZE_BYTES_MIN, shape_of


@dataclass(slots=True)
class Encoded:
    """A batch's events, ready to insert.

    Attributes:
        tables: Their documents, by table.
        quarantined: Events that cannot be stored.
        times_without_zone: Tables with records whose `time` has no zone.
    """

    tables: defaultdict[str, TableDocuments] = field(default_factory=lambda: defaultdict(TableDocuments))
    quarantined: list[Quarantined] = field(default_factory=list)
    times_without_zone: set[str] = field(default_factory=set)

    @property
    def hours(self) -> set[tuple[str, int]]:
        """Which hours of event time they belong to: table and hours since 1970."""
        return {(table, hour) for table, documents in self.tables.items() for hour in documents.hours}


def encode_events(
    events: Iterable[Event], keys_per_record_max: int, documents: Mapping[str, TableDocuments] | None = None
) -> Encoded:
    """Encode events; those that no document can hold become quarantine entries.

    Args:
        events: Of any tables.
        keys_per_record_max: How many keys a record may have.
        documents: Events that were read in bulk: they are encoded already.
    """
    done = Encoded()
    for table, read_in_bulk in (documents or {}).items():
        done.tables[table].add(read_in_bulk)
    for event in events:
        try:
            _add(event, keys_per_record_max, done)
        except OverflowError:
            _add(event._replace(record=with_decimals(event.record)), keys_per_record_max, done)
    return done


def _add(event: Event, keys_max: int, done: Encoded) -> None:
    encoded = _encode(event, keys_max)
    if isinstance(encoded, Quarantined):
        done.quarantined.append(encoded)
        return
    table = done.tables[event.table.name]
    table.documents.append(encoded)
    table.raws.append(event.raw)
    table.shapes[hash(shape_of(event.record))] = event.record
    table.hours.add(event.time_ms // HOUR_MS)
    if event.has_time_without_zone:
        done.times_without_zone.add(event.table.name)


def _encode(event: Event, keys_max: int) -> bytes | Quarantined:
    # Counted only where there is room for so many.
    if len(event.raw) > keys_max * KEY_SIZE_BYTES_MIN:
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
